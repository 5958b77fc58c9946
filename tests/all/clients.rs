//! A real client, unmodified: the AWS SDK for Rust believes that it runs on an
//! EC2 instance. A case that we pass and it fails is a wrong case.

use aws_config::imds::Client;
use aws_config::imds::client::EndpointMode;
use aws_config::imds::client::error::ImdsError;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::imds::region::ImdsRegionProvider;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::provider::ProvideCredentials;
use imds_host::{Answered, Description, Limits, Outcome, Service, serve};
use tokio::net::TcpListener;

use crate::ways::{TOKIO, open_in_component, read_toml};

/// The SDK's configuration and its IMDS client, pointed at a server of
/// `tests/instances/clients.toml` with tokens optional or required.
async fn client(http_tokens: &str) -> (ProviderConfig, Client) {
    let path = crate::case::tests_directory().join("instances/clients.toml");
    let mut description = Description::read(path).unwrap_or_else(|error| panic!("{error}"));
    description.set_text("/metadata-options/http-tokens", http_tokens, "the test");
    client_of(Service::new(open_in_component(&description))).await
}

/// The same, pointed at a server of `service`.
async fn client_of(service: Service) -> (ProviderConfig, Client) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port is free");
    let address = listener.local_addr().expect("a listener has an address");
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
            let (config, client) = client(option).await;
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

/// A client that backs off gets what it asked for. The service's clock moves by
/// 400 ms with each request, so nobody waits for it.
#[test]
fn the_aws_sdk_succeeds_against_a_throttle() {
    TOKIO.block_on(async {
        let start = std::time::SystemTime::now();
        let requests = std::sync::atomic::AtomicU32::new(0);
        let clock = move || {
            let request = requests.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            start + std::time::Duration::from_millis(400) * request
        };
        let description = read_toml("request-throttle = { burst = 1, per-second = 1 }");
        let throttled = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
        let counted = std::sync::Arc::clone(&throttled);
        let service =
            Service::new(open_in_component(&description)).clock(clock).observer(move |answered: &Answered<'_>| {
                if answered.outcome == Outcome::Throttled {
                    counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                }
            });
        let (_, client) = client_of(service).await;
        let body = client.get("/latest/meta-data/instance-id").await.expect("the client tries again");
        assert_eq!(body.as_ref(), "i-0123456789abcdef0");
        assert!(throttled.load(std::sync::atomic::Ordering::Relaxed) > 0);
    });
}
