// `imds certificates`.

use std::fs;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use imds_host::Certificate;

use super::kept::kept_or_made;
use super::key_file::read_or_make;
use crate::cli::failure::WrongUse;
use crate::cli::file::open;
use crate::cli::print::{to_stderr, to_stdout};

/// Write the certificates with which signatures of identity documents are checked
#[derive(Args)]
#[command(after_help = EXAMPLE)]
pub struct Certificates {
    /// The keys that sign; made if the file does not exist. Without it, those that
    /// `imds serve` keeps for this user
    #[arg(long, value_name = "FILE")]
    identity_keys: Option<PathBuf>,

    /// Where dsa.pem, rsa.pem and rsa2048.pem are written
    #[arg(long, value_name = "DIRECTORY", default_value = ".")]
    out: PathBuf,
}

const EXAMPLE: &str = "\
Example:
  imds certificates
  imds serve
then, with the base URL in $IMDS:
  (echo '-----BEGIN PKCS7-----'; curl -s $IMDS/latest/dynamic/instance-identity/rsa2048; echo; echo '-----END PKCS7-----') > rsa2048
  openssl smime -verify -in rsa2048 -inform PEM -certfile rsa2048.pem -noverify";

impl Certificates {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let keys = match &self.identity_keys {
            Some(file) => read_or_make(file)?,
            None => {
                let (keys, file) = kept_or_made()?;
                to_stderr(&format!("imds: these belong to the keys in {}", file.display()));
                keys
            }
        };
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
    const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";

    let mut begin = Vec::new();
    let found = open(file).and_then(|file| file.take(BEGIN.len() as u64).read_to_end(&mut begin));
    let is_other = match found {
        Ok(_) => begin != BEGIN,
        Err(error) => error.kind() != ErrorKind::NotFound,
    };
    if is_other {
        let message = format!("{} exists and is no certificate; name another directory with --out", file.display());
        return Err(WrongUse(message).into());
    }
    fs::write(file, certificate.to_pem()).with_context(|| format!("cannot write {}", file.display()))
}
