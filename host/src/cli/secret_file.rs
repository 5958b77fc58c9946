// Files that hold secrets.

use std::path::Path;

/// Warns where others than the owner of a secret's file can read or change it.
/// It is used all the same: who shares it on purpose has reasons.
#[cfg(unix)]
pub fn warn_of_others(file: &Path) {
    use std::os::unix::fs::PermissionsExt;

    use super::print::to_stderr;

    // A pipe or a device has no content to protect.
    let mode = file.metadata().ok().filter(|metadata| metadata.is_file()).map(|metadata| metadata.permissions().mode());
    if let Some(can) = mode.and_then(what_others_can) {
        let file = file.display();
        to_stderr(&format!(
            "imds: warning: others than its owner can {can} {file}; to keep them out: chmod go-rw {file}"
        ));
    }
}

/// Elsewhere permissions are no bits.
#[cfg(not(unix))]
pub fn warn_of_others(_file: &Path) {}

/// What the group or all others can do with a file of this mode.
#[cfg(unix)]
fn what_others_can(mode: u32) -> Option<&'static str> {
    match (mode & 0o044 != 0, mode & 0o022 != 0) {
        (true, true) => Some("read and change"),
        (true, false) => Some("read"),
        (false, true) => Some("change"),
        (false, false) => None,
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn group_and_others_are_no_owners() {
        for (mode, can) in [
            (0o100_600, None),
            (0o100_711, None),
            (0o100_640, Some("read")),
            (0o100_604, Some("read")),
            (0o100_620, Some("change")),
            (0o100_666, Some("read and change")),
        ] {
            assert_eq!(what_others_can(mode), can, "{mode:o}");
        }
    }
}
