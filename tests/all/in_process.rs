//! The AWS SDK for Rust against an instance in the same process, without a socket:
//! the SDK's connector is a function from a request to what [`Control`] answers.
//! [`connector`] is all that a test of a program on the SDK needs.

use aws_config::imds::Client;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::provider::ProvideCredentials;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use imds_host::testing::Imds;
use imds_host::{Control, Delivery, Request};

use crate::ways::TOKIO;

/// Carries requests of the SDK to an instance.
#[derive(Clone, Debug)]
struct InProcess(Control);

impl InProcess {
    fn answer(&self, request: &HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let target = request.uri().splitn(4, '/').nth(3).unwrap_or_default();
        let mut asked = Request { method: request.method().into(), ..Request::get(format!("/{target}")) };
        for (name, value) in request.headers() {
            asked = asked.with(name, value);
        }
        let answer = self.0.answer(&asked);
        // What a fault does to a connection, and an instance that is stopped.
        if answer.verdict.delivery.is_some_and(|delivery| delivery == Delivery::Cut || !delivery.is_sent()) {
            return Err(ConnectorError::timeout("the service does not answer".into()));
        }
        let fields: Vec<_> = answer.fields().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let status = answer.status.try_into().map_err(|error| ConnectorError::user(Box::new(error)))?;
        let mut response = HttpResponse::new(status, answer.body.into());
        for (name, value) in fields {
            response.headers_mut().append(name, value);
        }
        Ok(response)
    }
}

impl HttpConnector for InProcess {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::ready(self.answer(&request))
    }
}

/// What the SDK takes for its HTTP client.
fn connector(control: Control) -> SharedHttpClient {
    http_client_fn(move |_, _| SharedHttpConnector::new(InProcess(control.clone())))
}

#[test]
fn the_aws_sdk_has_its_credentials_without_a_socket() {
    let imds = Imds::builder().tokens_required().start().unwrap_or_else(|error| panic!("{error}"));
    TOKIO.block_on(async {
        let config = ProviderConfig::without_region().with_http_client(connector(imds.control().clone()));
        let client = Client::builder().configure(&config).max_attempts(1).build();
        let kind = client.get("/latest/meta-data/instance-type").await.expect("it is there");
        assert_eq!(kind.as_ref(), "t3.micro");
        let provider = ImdsCredentialsProvider::builder().configure(&config).imds_client(client.clone()).build();
        let credentials = provider.provide_credentials().await.expect("it has a role");
        assert!(credentials.access_key_id().starts_with("ASIA"), "{credentials:?}");
        imds.edit("state = 'stopped'").unwrap_or_else(|error| panic!("{error}"));
        client.get("/latest/meta-data/instance-type").await.expect_err("it is stopped");
    });
    imds.requests().assert_version2_only();
    imds.requests().assert_asked("/latest/meta-data/iam/security-credentials/");
}
