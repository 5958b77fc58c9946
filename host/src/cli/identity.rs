// The keys that sign identity documents: where the user keeps them, and
// `imds certificates`.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use imds_host::{Certificate, IdentityKeys};

use super::failure::WrongUse;
use super::print::to_stdout;
use super::secret_file::warn_of_others;

/// Write the certificates with which signatures of identity documents are checked
#[derive(Args)]
#[command(after_help = EXAMPLE)]
pub struct Certificates {
    /// The keys that sign; made if the file does not exist
    #[arg(long, value_name = "FILE")]
    identity_keys: PathBuf,

    /// Where dsa.pem, rsa.pem and rsa2048.pem are written
    #[arg(long, value_name = "DIRECTORY", default_value = ".")]
    out: PathBuf,
}

const EXAMPLE: &str = "\
Example:
  imds certificates --identity-keys keys.pem
  imds serve --identity-keys keys.pem
then, with the base URL in $IMDS:
  (echo '-----BEGIN PKCS7-----'; curl -s $IMDS/latest/dynamic/instance-identity/rsa2048; echo; echo '-----END PKCS7-----') > rsa2048
  openssl smime -verify -in rsa2048 -inform PEM -certfile rsa2048.pem -noverify";

impl Certificates {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let keys = read_or_make(&self.identity_keys)?;
        for certificate in keys.certificates() {
            let file = self.out.join(certificate.name).with_extension("pem");
            write_certificate(&file, &certificate)?;
            to_stdout(&format!("{}\n", file.display()), "what was written")?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Writes a file that does not exist or that is such a certificate: in a
/// directory of keys, `rsa.pem` may be somebody's only copy of one.
fn write_certificate(file: &Path, certificate: &Certificate) -> anyhow::Result<()> {
    let is_other = match fs::read(file) {
        Ok(bytes) => !bytes.starts_with(b"-----BEGIN CERTIFICATE-----"),
        Err(error) => error.kind() != ErrorKind::NotFound,
    };
    if is_other {
        let message = format!("{} exists and is no certificate; name another directory with --out", file.display());
        return Err(WrongUse(message).into());
    }
    fs::write(file, certificate.to_pem()).with_context(|| format!("cannot write {}", file.display()))
}

/// The keys in `file`, which is made with new keys if it does not exist.
pub fn read_or_make(file: &Path) -> anyhow::Result<IdentityKeys> {
    match read(file)? {
        Some(keys) => Ok(keys),
        None => {
            let keys = IdentityKeys::generate()?;
            let written = write_new(file, &keys.to_pem()?);
            match written {
                // Another process made it meanwhile.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    read(file)?.with_context(|| format!("{} appears and disappears", file.display()))
                }
                written => written.map(|()| keys).with_context(|| format!("cannot write {}", file.display())),
            }
        }
    }
}

fn read(file: &Path) -> anyhow::Result<Option<IdentityKeys>> {
    warn_of_others(file);
    let cannot = |what: &str| WrongUse(format!("cannot read {what}{}", file.display()));
    match fs::read_to_string(file) {
        Ok(text) => Ok(Some(IdentityKeys::from_pem(&text).with_context(|| cannot("the keys in "))?)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| cannot("")),
    }
}

/// Writes a new file that only its owner reads; nobody ever sees a part of it.
fn write_new(file: &Path, text: &str) -> io::Result<()> {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}", std::process::id()));
    let unfinished = file.with_file_name(name);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut stream = options.open(&unfinished)?;
    let written = stream.write_all(text.as_bytes()).and_then(|()| match fs::hard_link(&unfinished, file) {
        // A file system without links; unlike a link, this replaces what another process wrote.
        Err(error) if error.kind() != ErrorKind::AlreadyExists => fs::rename(&unfinished, file),
        linked => linked,
    });
    let _ = fs::remove_file(&unfinished);
    written
}
