// The keys that sign identity documents: where the user keeps them, and
// `imds certificates`.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use imds_host::IdentityKeys;

use super::failure::WrongUse;
use super::print::to_stdout;

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
            fs::write(&file, certificate.to_pem()).with_context(|| format!("cannot write {}", file.display()))?;
            to_stdout(&format!("{}\n", file.display()))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The keys in `file`, which is made with new keys if it does not exist.
pub fn read_or_make(file: &Path) -> anyhow::Result<IdentityKeys> {
    match fs::read_to_string(file) {
        Ok(text) => {
            let message = || WrongUse(format!("cannot read the keys in {}", file.display()));
            IdentityKeys::from_pem(&text).with_context(message)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let keys = IdentityKeys::generate()?;
            write_secret(file, &keys.to_pem()?).with_context(|| format!("cannot write {}", file.display()))?;
            Ok(keys)
        }
        Err(error) => Err(error).with_context(|| WrongUse(format!("cannot read {}", file.display()))),
    }
}

/// Writes a new file that only its owner reads.
fn write_secret(file: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)?.write_all(text.as_bytes())
}
