//! Lists the cases, so that each has a test of its own on every way: see
//! `all/cases.rs`.

use std::path::Path;
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=cases");
    let cases = fs::read_dir("cases").expect("tests/cases can be read");
    let mut files: Vec<_> = cases.map(|case| case.expect("tests/cases can be listed").path()).collect();
    files.sort();
    let mut tests = String::new();
    for file in &files {
        let name = file.file_stem().and_then(|name| name.to_str()).expect("the name of a case is ASCII");
        let test = name.replace('-', "_");
        tests += &format!("#[test] fn {test}() {{ crate::cases::hold(\"{name}\", $open) }}\n");
    }
    let all = format!("macro_rules! a_test_of_each_case {{ ($open:expr) => {{\n{tests}}} }}\n");
    let folder = env::var("OUT_DIR").expect("cargo tells where to write");
    fs::write(Path::new(&folder).join("cases.rs"), all).expect("cargo's folder can be written");
}
