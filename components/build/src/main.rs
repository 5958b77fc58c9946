//! Builds what hosts in any language take, the same bytes from the same sources and
//! toolchain, and prints the size and the digest of each file:
//!
//! ```text
//! cargo run --package imds-component
//! ```
//!
//! - `target/imds-component/imds.wasm`: the component, for engines that know components;
//! - `target/imds-component/imds.core.wasm`: the module inside it, for the others. How
//!   to call it is in `docs/core-abi.md`.
//!
//! `imds-component PACKAGE [FEATURES]` builds another package the same way, as
//! `components/http/build.sh` does, and prints the path of its component.

use std::error::Error;
use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};
use wasmparser::{Parser, Payload};

#[path = "../../../host/build/compile.rs"]
mod compile;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    let target_dir = workspace.join("target/imds-component");
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [package, features @ ..] = arguments.as_slice() {
        let component = compile::compile_package(&workspace, &target_dir, package, &features.join(","))?;
        println!("{}", component.strip_prefix(&workspace)?.display());
        return Ok(());
    }
    let component = compile::compile(&workspace, &target_dir)?;
    let core = target_dir.join("imds.core.wasm");
    compile::write(&core, core_module(&fs::read(&component)?)?)?;
    for file in [component, core] {
        let bytes = fs::read(&file)?;
        let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        let file = file.strip_prefix(&workspace)?;
        println!("{} {} bytes sha256:{digest}", file.display(), bytes.len());
    }
    Ok(())
}

/// The first module in a component, which is the service. Those behind it are what the
/// linker needs to put the component together.
fn core_module(component: &[u8]) -> Result<&[u8]> {
    for payload in Parser::new(0).parse_all(component) {
        if let Payload::ModuleSection { unchecked_range, .. } = payload? {
            return Ok(&component[unchecked_range]);
        }
    }
    Err("no module is in the component".into())
}
