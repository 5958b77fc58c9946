//! Real credentials: `--credentials`, and the sources that descriptions name.

mod controlled;
mod faults;
mod many;
mod safety;
mod secrecy;
mod sources;

use std::time::SystemTime;

use serde_json::Value;

use super::*;

/// Where the role's credentials are.
const ROLE: &str = "/latest/meta-data/iam/security-credentials/imds";

/// Nobody's, of the forms that real ones have; each run of letters is long enough to be
/// found wherever a part of it gets.
const SECRET: &str = "q8Zt4RkPw0uVbN1YsXhGdLe7MfCa9TjQi2oBxKEY";
const TOKEN: &str = "IQoJb3JpZ2luX2VjEJTDk7vR2mXwq0pT5bZsYhQ9nKf1LcA3eGdJ8uVWoBxMtHgIgZr4";

/// What a `credential_process` prints, with credentials that end so many seconds from
/// now.
fn version_1(id: &str, seconds: i64) -> String {
    version_1_ending(id, &in_seconds(seconds))
}

fn version_1_ending(id: &str, end: &str) -> String {
    format!(
        r#"{{"Version": 1, "AccessKeyId": "ASIA{id}", "SecretAccessKey": "{SECRET}", "SessionToken": "{TOKEN}", "Expiration": "{end}"}}"#
    )
}

fn in_seconds(seconds: i64) -> String {
    let now = SystemTime::now();
    let time = match u64::try_from(seconds) {
        Ok(seconds) => now + Duration::from_secs(seconds),
        Err(_) => now - Duration::from_secs(seconds.unsigned_abs()),
    };
    humantime::format_rfc3339_seconds(time).to_string()
}

/// A command that prints a file and counts how often it was asked.
struct StandIn {
    output: File,
    count: File,
    script: File,
}

impl StandIn {
    fn new(name: &str, output: &str) -> Self {
        let output = File::for_owner(&format!("credentials/{name}.json"), output);
        let count = File::new(&format!("credentials/{name}.count"), "");
        let script = format!("echo asked >> '{}'\ncat '{}'\n", count.path.display(), output.path.display());
        let script = File::new(&format!("credentials/{name}.sh"), script);
        Self { output, count, script }
    }

    /// One that does something else.
    fn doing(name: &str, does: &str) -> Self {
        let stand_in = Self::new(name, "");
        fs::write(&stand_in.script.path, does).unwrap();
        stand_in
    }

    fn flag(&self) -> String {
        format!("process:sh '{}'", self.script.path.display())
    }

    /// Puts other credentials in the place of those that it prints, at once.
    fn prints(&self, output: &str) {
        let beside = self.output.path.with_extension("new");
        fs::write(&beside, output).unwrap();
        fs::rename(beside, &self.output.path).unwrap();
    }

    fn asked(&self) -> usize {
        fs::read_to_string(&self.count.path).unwrap().lines().count()
    }
}

/// The document of the role.
fn document(served: &Served) -> Value {
    document_at(&served.addresses[0])
}

/// The same of the service at an address.
fn document_at(address: &str) -> Value {
    let ttl = "X-aws-ec2-metadata-token-ttl-seconds: 60";
    let answer = request(address, &format!("PUT /latest/api/token HTTP/1.1\r\nHost: localhost\r\n{ttl}\r\n\r\n"));
    let field = format!("X-aws-ec2-metadata-token: {}", answer.split("\r\n\r\n").nth(1).unwrap());
    let answer = request(address, &format!("GET {ROLE} HTTP/1.1\r\nHost: localhost\r\n{field}\r\n\r\n"));
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap()
}

/// Waits until the role's document is one that is wanted.
#[track_caller]
fn wait_for(address: &str, is_wanted: impl Fn(&Value) -> bool) -> Value {
    let until = Instant::now() + DEADLINE;
    loop {
        let document = document_at(address);
        if is_wanted(&document) {
            return document;
        }
        assert!(Instant::now() < until, "{document}");
        thread::sleep(Duration::from_millis(50));
    }
}

fn is_failure(document: &Value) -> bool {
    document["Code"] == "AssumeRoleUnauthorizedAccess" && document.get("AccessKeyId").is_none()
}

/// A command line of `imds serve`, in an environment without credentials.
fn serve(flags: &[&str]) -> Command {
    let mut imds = Command::new(IMDS);
    imds.args(["serve", "--listen", "127.0.0.1:0"]).args(flags);
    without_aws(&mut imds);
    imds
}

/// Takes out of the environment what is AWS's.
fn without_aws(imds: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("AWS_") {
            imds.env_remove(name);
        }
    }
}
