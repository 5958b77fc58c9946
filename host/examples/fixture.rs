//! A test of a program that lives on EC2, with a metadata service of its own:
//! `cargo test --example fixture`, or `cargo run --example fixture`.
//!
//! The program here is a spot instance's watcher, in a few lines of HTTP; yours gets
//! `imds.endpoint()`, or is started by `imds.command(…)`.

use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use imds_host::testing::Imds;

/// What is to be tested: whether EC2 has given notice to this instance.
fn has_notice(endpoint: &str) -> Result<bool, Box<dyn Error>> {
    let token = ask(endpoint, "PUT /latest/api/token", "X-aws-ec2-metadata-token-ttl-seconds: 60")?;
    let token = token.split_once("\r\n\r\n").ok_or("no body")?.1;
    let notice = "GET /latest/meta-data/spot/instance-action";
    Ok(ask(endpoint, notice, &format!("X-aws-ec2-metadata-token: {token}"))?.starts_with("HTTP/1.1 200"))
}

fn ask(endpoint: &str, request: &str, field: &str) -> Result<String, Box<dyn Error>> {
    let address = endpoint.trim_start_matches("http://");
    let mut connection = TcpStream::connect(address)?;
    write!(connection, "{request} HTTP/1.1\r\nHost: {address}\r\n{field}\r\n\r\n")?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer)?;
    Ok(answer)
}

#[cfg_attr(test, test)]
fn the_notice_of_an_interruption_is_seen() -> Result<(), Box<dyn Error>> {
    let imds = Imds::builder().toml("instance-type = 'm7g.large'").tokens_required().start()?;
    assert!(!has_notice(&imds.endpoint())?);

    imds.interrupt()?;
    assert!(has_notice(&imds.endpoint())?);
    // Whoever made the watcher did not forget the token.
    imds.requests().assert_version2_only();
    imds.requests().assert_not_asked("/latest/meta-data/iam/");

    imds.advance(Duration::from_secs(120));
    assert_eq!(imds.control().snapshot()?.state, "terminated");
    println!("{}", imds.requests());
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    the_notice_of_an_interruption_is_seen()
}
