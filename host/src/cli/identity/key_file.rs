// A file of keys: read, or made where there is none.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use anyhow::Context;
use imds_host::IdentityKeys;

use crate::cli::failure::WrongUse;
use crate::cli::file;
use crate::cli::secret_file::warn_of_others;

/// The keys in `file`, which is made with new keys if it does not exist.
pub fn read_or_make(file: &Path) -> anyhow::Result<IdentityKeys> {
    match read(file)? {
        Some(keys) => Ok(keys),
        None => {
            let keys = IdentityKeys::generate()?;
            Ok(keep(file, &keys)?.unwrap_or(keys))
        }
    }
}

/// The keys in `file`, if it exists.
pub fn read(file: &Path) -> anyhow::Result<Option<IdentityKeys>> {
    warn_of_others(file);
    let cannot = |what: &str| WrongUse(format!("cannot read {what}{}", file.display()));
    match file::read(file) {
        Ok(bytes) => {
            let text = String::from_utf8(bytes).map_err(|_| WrongUse("it is not UTF-8 text".to_owned()));
            let keys = text
                .with_context(|| cannot(""))
                .and_then(|text| IdentityKeys::from_pem(&text).with_context(|| cannot("the keys in ")))?;
            Ok(Some(keys))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => match fs::read_link(file) {
            Ok(target) => Err(dangling(file, &target)),
            Err(_) => Ok(None),
        },
        Err(error) => Err(error).with_context(|| cannot("")),
    }
}

/// It is not followed: where no file is, nobody has said that one may be written.
fn dangling(link: &Path, target: &Path) -> anyhow::Error {
    let target = link.with_file_name(target);
    let (link, target) = (link.display(), target.display());
    WrongUse(format!(
        "{link} is a symbolic link to {target}, which does not exist; remove the link, or have the keys made where it \
         points: --identity-keys {target}"
    ))
    .into()
}

/// Writes the keys to a new `file`, or returns those that another process wrote
/// meanwhile, so that all have the same.
pub fn keep(file: &Path, keys: &IdentityKeys) -> anyhow::Result<Option<IdentityKeys>> {
    match write_new(file, &keys.to_pem()?) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let others = read(file)?;
            others.map(Some).with_context(|| format!("{} appears and disappears", file.display()))
        }
        written => written.map(|()| None).with_context(|| format!("cannot write {}", file.display())),
    }
}

/// Writes a new file that only its owner reads; nobody ever sees a part of it.
///
/// It is written under a name of its own first. A process that ends in between
/// leaves that behind, which is in nobody's way: no other process takes that name.
fn write_new(file: &Path, text: &str) -> io::Result<()> {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    let unique = getrandom::u64().map_err(io::Error::other)?;
    name.push(format!(".{unique:016x}.new"));
    let unfinished = file.with_file_name(name);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut stream = options.open(&unfinished)?;
    // To the disk before it has its name, so that no empty file is there after a loss of power.
    let whole = stream.write_all(text.as_bytes()).and_then(|()| stream.sync_all());
    let written = whole.and_then(|()| match fs::hard_link(&unfinished, file) {
        // A file system without links; unlike a link, this replaces what another process wrote.
        Err(error) if error.kind() != ErrorKind::AlreadyExists => fs::rename(&unfinished, file),
        linked => linked,
    });
    let _ = fs::remove_file(&unfinished);
    written
}
