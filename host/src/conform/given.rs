use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use crate::probe::Client;

/// Where the credentials of a container are, for the checks of
/// [`Area::Containers`](super::Area::Containers). Its `Debug` form has no token.
///
/// ```
/// use imds_host::conform::Containers;
/// use imds_host::probe::{Client, Endpoint};
///
/// let client = Client::new(Endpoint::parse("http://169.254.170.2")?);
/// let containers = Containers::new(client, "/v2/credentials/web");
/// assert_eq!(containers.client().endpoint().host(), "169.254.170.2");
/// # Ok::<_, imds_host::probe::WrongEndpoint>(())
/// ```
#[derive(Clone)]
pub struct Containers {
    client: Arc<Client>,
    path: String,
    token: Option<String>,
}

impl Containers {
    /// Credentials at a path of an endpoint.
    pub fn new(client: Client, path: impl Into<String>) -> Self {
        Self { client: Arc::new(client), path: path.into(), token: None }
    }

    /// The value of the field `Authorization`, for the endpoint of a pod.
    #[must_use]
    pub fn token(self, token: impl Into<String>) -> Self {
        Self { token: Some(token.into()), ..self }
    }

    /// The endpoint.
    pub fn client(&self) -> &Client {
        &self.client
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn authorization(&self) -> Option<&str> {
        self.token.as_deref()
    }
}

impl fmt::Debug for Containers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Containers").field("client", &self.client).finish_non_exhaustive()
    }
}

/// What the caller knows of the endpoint and the endpoint itself does not state.
#[derive(Clone, Default)]
pub(super) struct Given {
    /// One or more certificates in PEM.
    pub certificates: Option<Vec<u8>>,
    pub containers: Option<Containers>,
    /// The description of the instance, as JSON.
    pub description: Option<Value>,
}
