//! Opens an instance and asks it, without any socket:
//! `cargo run --example embed`.

use imds_host::{Clock, Description, Error, Moment, Request, Runtime, SystemClock};

fn main() -> Result<(), Error> {
    let description = Description::from_toml(
        "web-1.toml",
        r#"
            instance-type = "m7g.large"

            [placement]
            availability-zone = "eu-west-1b"

            [metadata-options]
            http-tokens = "required"
        "#,
    )?;
    let instance = Runtime::new()?.open(&description)?;

    // The time is an argument too: a test can give any.
    let now = Moment::at(SystemClock.now_ms(), 1);
    let put = Request { method: "PUT".into(), ..Request::get("/latest/api/token") };
    let token = instance.answer(&put.with("X-aws-ec2-metadata-token-ttl-seconds", "60"), now).body;

    for item in ["instance-type", "placement/region", "iam/security-credentials/", "spot/instance-action"] {
        let get = Request::get(format!("/latest/meta-data/{item}"));
        let answer = instance.answer(&get.with("X-aws-ec2-metadata-token", token.clone()), now);
        let body = String::from_utf8_lossy(&answer.body);
        println!("{} {item}: {}", answer.status, if answer.status == 200 { &body } else { "" });
    }
    Ok(())
}
