//! The Spin program, for the tests and for the bench.

use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The Spin program of version 4.1 or later, if the path has one.
pub fn find() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&path).map(|folder| folder.join("spin")).find(|file| file.is_file())?;
    let version = Command::new(&found).arg("--version").stdin(Stdio::null()).output().ok()?;
    serves_wasi_0_3(&String::from_utf8_lossy(&version.stdout)).then_some(found)
}

/// Whether this is what Spin 4.1 or later calls itself. There is another program of
/// that name, which checks models.
pub fn serves_wasi_0_3(version: &str) -> bool {
    let numbers = version.strip_prefix("spin ").and_then(|version| {
        let mut numbers = version.split('.').map(|number| number.parse::<u32>().ok());
        numbers.next()?.zip(numbers.next()?)
    });
    numbers.is_some_and(|numbers| numbers >= (4, 1))
}
