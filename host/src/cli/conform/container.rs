// The endpoint of a container's credentials, for checks of that endpoint too.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use imds_host::conform::Containers;
use imds_host::probe::{Client, Endpoint};

use crate::cli::failure::WrongUse;
use crate::cli::file;
use crate::cli::secret_file::warn_of_others;

#[derive(Args)]
pub struct ContainerFlags {
    /// Also check the credentials of a container, at this URL, as in AWS_CONTAINER_CREDENTIALS_FULL_URI,
    /// or at this path of ENDPOINT
    #[arg(long, value_name = "URL|PATH")]
    containers: Option<String>,

    /// The file with the token that a pod sends to get them
    #[arg(long, value_name = "FILE", requires = "containers")]
    container_token_file: Option<PathBuf>,
}

impl ContainerFlags {
    pub fn containers(
        &self,
        client: impl FnOnce(Endpoint) -> Client,
        endpoint: &Endpoint,
    ) -> anyhow::Result<Option<Containers>> {
        let Some(text) = &self.containers else { return Ok(None) };
        let (endpoint, path) = place(text, endpoint)?;
        let containers = Containers::new(client(endpoint), path);
        let Some(file) = &self.container_token_file else { return Ok(Some(containers)) };
        warn_of_others(file);
        let token = file::read(file).with_context(|| WrongUse(format!("cannot read {}", file.display())))?;
        match str::from_utf8(token.trim_ascii()) {
            Ok(token) if !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()) => {
                Ok(Some(containers.token(token)))
            }
            _ => Err(WrongUse(format!("{} has no token that a client can send", file.display())).into()),
        }
    }
}

/// The endpoint and the path of a URL, or of a path at another endpoint.
fn place(text: &str, endpoint: &Endpoint) -> Result<(Endpoint, String), WrongUse> {
    let wrong = |why: &str| WrongUse(format!("--containers: {why}"));
    let expected = "expected a URL such as http://169.254.170.23/v1/credentials, or a path";
    let (endpoint, path) = if text.starts_with('/') {
        (endpoint.clone(), text)
    } else {
        let authority = text.strip_prefix("http://").ok_or_else(|| wrong(expected))?;
        let end = text.len() - authority.len() + authority.find('/').ok_or_else(|| wrong(expected))?;
        let (endpoint, path) = text.split_at(end);
        (Endpoint::parse(endpoint).map_err(|why| wrong(&why.to_string()))?, path)
    };
    if path.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok((endpoint, path.to_owned()))
    } else {
        Err(wrong(expected))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_url_or_a_path() {
        let here = Endpoint::parse("http://127.0.0.1:1338").unwrap();
        let placed = |text: &str| place(text, &here).map(|(endpoint, path)| format!("{endpoint} {path}"));
        assert_eq!(placed("/v2/credentials/web").unwrap(), "http://127.0.0.1:1338 /v2/credentials/web");
        assert_eq!(placed("http://169.254.170.23/v1/credentials").unwrap(), "http://169.254.170.23 /v1/credentials");
        for text in ["", "v2/credentials", "http://169.254.170.2", "https://a/b", "/a b", "http://a@b/c"] {
            assert!(placed(text).is_err(), "{text}");
        }
    }
}
