//! Commands as a user types them, such as those that build WebAssembly.

use std::path::PathBuf;
use std::process::Command;

/// The folder of the workspace.
pub fn workspace() -> PathBuf {
    crate::case::tests_directory().join("..")
}

/// Types a command as a user would, in the folder of the workspace.
pub fn shell(command: &str) {
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).current_dir(workspace());
    // What cargo tells the tests is not for the cargo that they start.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_")
            || text == "CARGO_MANIFEST_DIR"
            || text == "CARGO_TARGET_DIR"
            || text == "RUSTFLAGS"
        {
            shell.env_remove(&name);
        }
    }
    let output = shell.output().expect("there is a shell");
    assert!(output.status.success(), "{command}\n{}", String::from_utf8_lossy(&output.stderr));
}
