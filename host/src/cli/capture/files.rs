// The files of a capture, which only their owner can read.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::cli::failure::WrongUse;

/// The files that a capture writes.
const NAMES: [&str; 3] = ["instance.toml", "transcript.jsonl", "report.md"];

/// A directory for them.
pub struct Files {
    directory: PathBuf,
    /// Whether it was created for them.
    is_new: bool,
}

impl Files {
    /// Creates the directory. Fails if it already contains files of a capture, unless they
    /// are to be replaced.
    pub fn new(directory: &Path, replaces: bool) -> anyhow::Result<Self> {
        let there = NAMES.iter().map(|name| directory.join(name)).find(|file| file.symlink_metadata().is_ok());
        if let Some(file) = there.filter(|_| !replaces) {
            let message =
                format!("{} exists: name another directory with --out, or replace it with --force", file.display());
            return Err(WrongUse(message).into());
        }
        let is_new = directory.symlink_metadata().is_err();
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(directory).with_context(|| format!("cannot make {}", directory.display()))?;
        Ok(Self { directory: directory.to_owned(), is_new })
    }

    /// Removes the directory if it was created in vain.
    pub fn abandon(&self) {
        if self.is_new {
            let _ = fs::remove_dir(&self.directory);
        }
    }

    /// The name of a file, with its directory.
    pub fn name(&self, name: &str) -> String {
        self.directory.join(name).display().to_string()
    }

    /// Writes a file. An existing one stays until the new one is complete.
    pub fn write(&self, name: &str, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> anyhow::Result<()> {
        let (file, unfinished) = (self.directory.join(name), self.directory.join(format!(".{name}.unfinished")));
        let written = made(&unfinished).and_then(|file| {
            let mut writer = BufWriter::new(file);
            write(&mut writer)?;
            writer.flush()
        });
        let written = written.and_then(|()| fs::rename(&unfinished, &file));
        if written.is_err() {
            let _ = fs::remove_file(&unfinished);
        }
        written.with_context(|| format!("cannot write {}", file.display()))
    }
}

/// Creates a file that only its owner can read.
fn made(path: &Path) -> io::Result<File> {
    // One that an interrupted run left behind.
    let _ = fs::remove_file(path);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
