// The keys that are kept for a user from one start to the next, where no flag
// names a file: so signatures are there when the first client asks, and
// certificates stay good.

use std::env;
use std::fs::DirBuilder;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use imds_host::{Error, IdentityKeys, IdentitySigning, KeyMaker};

use super::key_file::{keep, read, read_or_make};
use crate::cli::failure::WrongUse;
use crate::cli::print::to_stderr;

/// Signs with the keys that are kept. Where there are none, it makes them in the
/// background and keeps them; where nothing can be kept, they end with the process.
pub fn kept() -> IdentitySigning {
    let Some(file) = place() else {
        // Who made certificates from them would find that they do not verify.
        if let Some(file) = candidate().filter(|file| file.exists()) {
            let file = file.display();
            to_stderr(&format!(
                "imds: warning: the keys in {file} belong to another user, as with sudo, and are not used: \
                 certificates made from them verify nothing here. To use them: --identity-keys {file}"
            ));
        }
        return IdentitySigning::AtFirstNeed;
    };
    match read(&file) {
        Ok(Some(keys)) => IdentitySigning::With(Arc::new(keys)),
        Ok(None) => IdentitySigning::MadeBy(KeyMaker::new(move || make(&file))),
        // A home that this user may not look into, or that is none.
        Err(error) if is_out_of_reach(&error) => IdentitySigning::AtFirstNeed,
        Err(error) => {
            // It may be somebody's only copy, so it is not replaced.
            to_stderr(&format!(
                "imds: warning: {error:#}; signatures are made with other keys until the program ends. Remove the \
                 file, and new keys are kept"
            ));
            IdentitySigning::AtFirstNeed
        }
    }
}

/// The keys that are kept, which are made where there are none.
pub fn kept_or_made() -> anyhow::Result<(IdentityKeys, PathBuf)> {
    let file = place().ok_or_else(|| {
        WrongUse(
            "there is no directory to keep keys in: XDG_STATE_HOME and HOME name none that belongs to this user; \
             say where the keys are: --identity-keys FILE"
                .to_owned(),
        )
    })?;
    make_directory_of(&file)?;
    Ok((read_or_make(&file)?, file))
}

fn make(file: &Path) -> Result<IdentityKeys, Error> {
    let keys = IdentityKeys::generate()?;
    // A disk that cannot be written, or is full, is no reason not to sign.
    let kept = make_directory_of(file).and_then(|()| keep(file, &keys));
    Ok(kept.ok().flatten().unwrap_or(keys))
}

/// Whether a file cannot be reached, as opposed to one that is wrong.
fn is_out_of_reach(error: &anyhow::Error) -> bool {
    let mut causes = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>());
    causes.any(|cause| matches!(cause.kind(), ErrorKind::PermissionDenied | ErrorKind::NotADirectory))
}

/// Where the keys are kept, if there is a directory for such things that belongs
/// to this user.
fn place() -> Option<PathBuf> {
    candidate().filter(|file| file.ancestors().nth(2).is_some_and(is_own))
}

/// Where they would be kept, whomever the directory belongs to.
fn candidate() -> Option<PathBuf> {
    // One that is not absolute counts as unset (XDG Base Directory Specification).
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|directory| directory.is_absolute());
    let state = if cfg!(windows) {
        absolute("LOCALAPPDATA")
    } else {
        // The first is systemd's, from `StateDirectory=`.
        let home = || absolute("HOME").map(|home| home.join(".local/state"));
        absolute("STATE_DIRECTORY").or_else(|| absolute("XDG_STATE_HOME")).or_else(home)
    };
    // Not directly in it: a variable that is inherited may be about another program.
    state.map(|state| state.join("imds").join("identity-keys.pem"))
}

/// Whether a directory, or the one in which it would be made, belongs to this
/// user. With `sudo`, HOME may be somebody else's, who could not remove root's files.
#[cfg(unix)]
fn is_own(directory: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;

    let found = directory.ancestors().find_map(|directory| std::fs::metadata(directory).ok());
    let owner = found.map(|directory| directory.uid());
    owner == Some(rustix::process::geteuid().as_raw())
}

/// Elsewhere, LOCALAPPDATA is always the user's own.
#[cfg(not(unix))]
fn is_own(_directory: &Path) -> bool {
    true
}

/// Makes the directory of a file, which nobody else reads, and those above it.
fn make_directory_of(file: &Path) -> anyhow::Result<()> {
    let Some(directory) = file.parent() else { return Ok(()) };
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory).with_context(|| format!("cannot make the directory {}", directory.display()))
}
