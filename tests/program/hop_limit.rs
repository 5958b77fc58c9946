//! How far the answers with tokens travel: between network namespaces, with a
//! router between client and server.

use std::io::ErrorKind;

use super::namespaces::{Network, wait_until};
use super::*;

const ADDRESSES: [&str; 2] = ["169.254.169.254:80", "[fd00:ec2::254]:80"];
const GET: &str = "GET /latest/meta-data/instance-type HTTP/1.1\r\nHost: localhost\r\n\r\n";
const PUT: &str =
    "PUT /latest/api/token HTTP/1.1\r\nHost: localhost\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\n\r\n";

#[test]
fn with_hop_limit_1_no_token_passes_a_router() {
    let Some(network) = Network::new("hop1") else { return };
    let mut served = serve(&network, "1");
    let open_files = served.open_files();
    wait_for_way(&network);
    for (version, address) in ADDRESSES.into_iter().enumerate() {
        // What needs no token passes.
        assert!(ask_from_afar(&network, address, GET).ends_with("\r\n\r\nt3.micro"));
        // Near it there is no router to pass.
        assert_eq!(token_of(&network.server.enter(|| request(address, PUT))).len(), 56);
        served.line_with("PUT /latest/api/token");

        let before = network.hops_exceeded()[version];
        let mut stream = network.client.enter(|| connect(address));
        stream.write_all(PUT.as_bytes()).unwrap();
        served.line_with(": token issued");
        // The answer, its end, and what is sent again because neither is acknowledged.
        wait_until("the answer was sent three times", || network.hops_exceeded()[version] >= before + 3);
        stream.set_nonblocking(true).unwrap();
        assert_eq!(stream.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock, "{address}");
        // The client still waits; the server does not.
        wait_until("the server closed the connection", || served.open_files() == open_files);
    }
    assert!(served.terminate().success());
}

#[test]
fn with_hop_limit_2_a_token_passes_a_router() {
    let Some(network) = Network::new("hop2") else { return };
    let served = serve(&network, "2");
    wait_for_way(&network);
    for address in ADDRESSES {
        let token = token_of(&ask_from_afar(&network, address, PUT)).to_owned();
        assert_eq!(token.len(), 56);
        let get = GET.replace("Host", &format!("X-aws-ec2-metadata-token: {token}\r\nHost"));
        assert!(ask_from_afar(&network, address, &get).ends_with("\r\n\r\nt3.micro"));
    }
    assert_eq!(network.hops_exceeded(), [0, 0]);
    drop(served);
}

fn serve(network: &Network, hop_limit: &str) -> Served {
    let mut imds = network.server.command(IMDS);
    imds.args(["serve", "--link-local", "--add-addresses", "--http-protocol-ipv6", "enabled", "--log", "all"]);
    // Then a connection of which nothing is left to say is closed soon.
    imds.args(["--http-put-response-hop-limit", hop_limit, "--body-time", "100ms"]);
    let served = Served::spawn(imds, 2);
    assert_eq!(served.addresses, ADDRESSES);
    served
}

/// New interfaces lose what is sent before they are ready.
fn wait_for_way(network: &Network) {
    for address in ADDRESSES {
        let reaches = || TcpStream::connect_timeout(&address.parse().unwrap(), Duration::from_millis(50)).is_ok();
        network.client.enter(|| wait_until("the client reaches the server", reaches));
    }
}

fn ask_from_afar(network: &Network, address: &str, head: &str) -> String {
    network.client.enter(|| request(address, head))
}

fn token_of(answer: &str) -> &str {
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    answer.split("\r\n\r\n").nth(1).unwrap()
}
