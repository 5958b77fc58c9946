use imds_core::http::Field;
use imds_core::{Answer, Instance, Outcome, Problem};

/// Any text is a description or is refused with its problems, and an instance
/// that opens can be asked for all that it lists.
///
/// The bytes: the description's text.
///
/// ```
/// imds_fuzz::description(br#"{"tags": {"Name": "web"}}"#);
/// ```
pub fn description(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let opened = Instance::open(&text, super::settings());
    let instance = match opened {
        Ok(instance) => instance,
        Err(problems) => return are_told(&problems),
    };
    let token = super::ask(&instance, "PUT", "/latest/api/token", &[Field { name: TTL, value: b"60" }]);
    if token.outcome == Outcome::EndpointDisabled {
        return;
    }
    assert_eq!(token.status, 200);
    let client = Client { instance, token: token.body };
    let versions = client.listing("/");
    assert!(versions.contains(&"latest".to_owned()));
    // The oldest, one in the middle, the newest: all would take too long.
    for version in [&versions[0], &versions[versions.len() / 2], "latest"] {
        client.crawl(&format!("/{version}/"), 0);
    }
    assert!(!client.instance.identity_document(u64::MAX).text.is_empty());
}

const TTL: &str = "X-aws-ec2-metadata-token-ttl-seconds";

fn are_told(problems: &[Problem]) {
    assert!((1..=20).contains(&problems.len()), "{} problems", problems.len());
    for problem in problems {
        assert!(problem.field.is_empty() || problem.field.starts_with('/'), "{problem:?}");
        assert!(!problem.message.is_empty() && !problem.message.ends_with('.'), "{problem:?}");
        assert!(problem.position.is_none_or(|position| position.line > 0 && position.column > 0), "{problem:?}");
    }
}

/// Asks with a token, so that it is answered under every option.
struct Client {
    instance: Instance,
    token: Vec<u8>,
}

impl Client {
    fn get(&self, target: &str) -> Answer {
        let fields = [Field { name: "X-aws-ec2-metadata-token", value: &self.token }];
        let answer = super::ask(&self.instance, "GET", target, &fields);
        assert_eq!(answer.status, 200, "{target:?}");
        answer
    }

    fn listing(&self, folder: &str) -> Vec<String> {
        let text = String::from_utf8(self.get(folder).body).unwrap_or_else(|_| panic!("{folder:?} lists text"));
        text.lines().map(str::to_owned).collect()
    }

    /// Follows all listings below a folder, and asks for each item.
    fn crawl(&self, folder: &str, depth: u32) {
        for name in self.listing(folder) {
            let index = name.split_once('=').filter(|_| folder.ends_with("public-keys/"));
            let path = match index {
                // `0=my-key` names the folder 0.
                Some((index, _)) => format!("{folder}{index}/"),
                None => format!("{folder}{}", escaped(&name)),
            };
            if path.ends_with('/') || (depth == 0 && name != "user-data") {
                self.crawl(&format!("{}/", path.trim_end_matches('/')), depth + 1);
            } else {
                self.get(&path);
            }
        }
    }
}

/// A name as a client writes it in a path.
fn escaped(name: &str) -> String {
    name.replace('%', "%25").replace('?', "%3F").replace('#', "%23")
}
