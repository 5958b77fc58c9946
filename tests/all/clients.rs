//! A real client, unmodified: the AWS SDK for Rust believes that it runs on an
//! EC2 instance. A case that we pass and it fails is a wrong case.

use aws_config::imds::Client;
use aws_config::imds::client::EndpointMode;
use aws_config::imds::client::error::ImdsError;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::imds::region::ImdsRegionProvider;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::provider::ProvideCredentials;
use imds_host::{Limits, Service, serve};
use tokio::net::TcpListener;

use crate::ways::{TOKIO, open_in_component, read_toml};

/// The SDK's configuration and its IMDS client, pointed at a server of
/// `tests/instances/clients.toml` with the given options.
async fn client(options: &str) -> (ProviderConfig, Client) {
    let path = crate::case::tests_directory().join("instances/clients.toml");
    let toml = std::fs::read_to_string(path).expect("tests/instances/clients.toml can be read");
    let toml = toml.replace("http-tokens = \"optional\"", options);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port is free");
    let address = listener.local_addr().expect("a listener has an address");
    let service = Service::new(open_in_component(&read_toml(&toml)));
    tokio::spawn(serve(listener, service, Limits::default(), std::future::pending()));
    let http = aws_smithy_http_client::Builder::new().build_http();
    let config = ProviderConfig::without_region().with_http_client(http);
    let builder = Client::builder().configure(&config).endpoint_mode(EndpointMode::IpV4);
    let builder = builder.endpoint(format!("http://{address}")).expect("the address is a URI");
    (config, builder.build())
}

fn with_tokens_optional_and_required(test: impl AsyncFn(ProviderConfig, Client)) {
    TOKIO.block_on(async {
        for option in ["optional", "required"] {
            let (config, client) = client(&format!("http-tokens = \"{option}\"")).await;
            test(config, client).await;
        }
    });
}

#[test]
fn the_aws_sdk_reads_items() {
    with_tokens_optional_and_required(async |_, client| {
        for (path, expected) in [
            ("/latest/meta-data/instance-id", "i-1234567890abcdef0"),
            ("/latest/meta-data/placement/region", "us-west-2"),
            ("/latest/meta-data/mac", "0e:49:61:0f:c3:11"),
            ("/latest/meta-data/tags/instance/Name", "test-instance"),
        ] {
            let body = client.get(path).await.unwrap_or_else(|error| panic!("{path}: {error:?}"));
            assert_eq!(body.as_ref(), expected, "{path}");
        }
    });
}

#[test]
fn the_aws_sdk_sees_404_where_there_is_nothing() {
    with_tokens_optional_and_required(async |_, client| match client.get("/latest/meta-data/no-such-thing").await {
        Err(ImdsError::ErrorResponse(error)) => assert_eq!(error.response().status().as_u16(), 404),
        other => panic!("{other:?}"),
    });
}

#[test]
fn the_aws_sdk_finds_the_credentials_of_the_role() {
    with_tokens_optional_and_required(async |config, client| {
        let provider = ImdsCredentialsProvider::builder().configure(&config).imds_client(client).build();
        let credentials = provider.provide_credentials().await.expect("credentials are found");
        assert_eq!(credentials.access_key_id(), "ASIAIOSFODNN7EXAMPLE");
        assert_eq!(credentials.secret_access_key(), "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
        assert!(credentials.session_token().is_some_and(|token| token.starts_with("IQoJb3JpZ2luX2Vj")));
        assert!(credentials.expiry().is_some_and(|expiry| expiry > std::time::SystemTime::now()));
    });
}

#[test]
fn the_aws_sdk_finds_the_region() {
    with_tokens_optional_and_required(async |config, client| {
        let provider = ImdsRegionProvider::builder().configure(&config).imds_client(client).build();
        assert_eq!(provider.region().await.map(|region| region.to_string()), Some("us-west-2".to_owned()));
    });
}
