// TLS to an application elsewhere.

use std::path::Path;

use tokio::net::TcpStream;

use super::super::operator::Stream;

/// Speaks TLS on a connection to a host, which has to prove that it is the one: by
/// the roots in a file, or by those that this machine trusts.
#[cfg(feature = "tls")]
pub async fn connect(stream: TcpStream, host: &str, roots: Option<&Path>) -> anyhow::Result<Box<dyn Stream>> {
    use std::sync::Arc;

    use anyhow::{Context, anyhow};
    use tokio_rustls::TlsConnector;
    use tokio_rustls::rustls::pki_types::ServerName;
    use tokio_rustls::rustls::{ClientConfig, Error, InvalidMessage, crypto};

    let provider = Arc::new(crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let config = config.with_root_certificates(read(roots)?).with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).context("no certificate can have this host's name")?;
    let connected = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
    // What a server says that was asked in TLS and knows HTTP alone.
    let speaks_no_tls = |error: &std::io::Error| {
        let error = error.get_ref().and_then(|error| error.downcast_ref::<Error>());
        matches!(error, Some(Error::InvalidMessage(InvalidMessage::InvalidContentType)))
    };
    match connected {
        Err(error) if speaks_no_tls(&error) => {
            Err(anyhow!("the server does not speak TLS; for this machine use http://"))
        }
        connected => Ok(Box::new(connected?)),
    }
}

#[cfg(feature = "tls")]
fn read(file: Option<&Path>) -> anyhow::Result<tokio_rustls::rustls::RootCertStore> {
    use anyhow::Context;
    use tokio_rustls::rustls::RootCertStore;
    use tokio_rustls::rustls::pki_types::CertificateDer;
    use tokio_rustls::rustls::pki_types::pem::PemObject;

    use super::super::failure::WrongUse;

    let mut roots = RootCertStore::empty();
    match file {
        Some(file) => {
            let wrong = || WrongUse(format!("{} has no certificate in PEM that can be read", file.display()));
            let bytes =
                super::super::file::read(file).with_context(|| WrongUse(format!("cannot read {}", file.display())))?;
            for certificate in CertificateDer::pem_slice_iter(&bytes) {
                roots.add(certificate.with_context(wrong)?).with_context(wrong)?;
            }
            if roots.is_empty() {
                return Err(wrong().into());
            }
        }
        // Some machines have certificates among them that nobody can read.
        None => drop(roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs)),
    }
    if roots.is_empty() {
        let wrong = "this machine has no root certificates; give those of the application with --ca-file";
        return Err(WrongUse(wrong.to_owned()).into());
    }
    Ok(roots)
}

#[cfg(not(feature = "tls"))]
pub async fn connect(_: TcpStream, _: &str, _: Option<&Path>) -> anyhow::Result<Box<dyn Stream>> {
    anyhow::bail!("this imds was built without the feature `tls`, so that it speaks no https")
}
