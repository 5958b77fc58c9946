//! `--ec2-api`: EC2's own calls, and after each what software inside sees.

mod addresses;
mod clients;
mod describe;
mod guard;
mod guests;
mod launches;
mod metadata;
mod power;

use super::*;

/// A process of `imds serve --ec2-api`.
struct Operated {
    served: Served,
    address: String,
}

/// An answer of the API.
#[derive(Debug)]
struct Told {
    status: u16,
    body: String,
}

/// The default instance.
const ID: &str = "i-0123456789abcdef0";

impl Operated {
    fn start(flags: &[&str]) -> Self {
        Self::ready(Served::start(&[&["--ec2-api", "127.0.0.1:0", "--log", "off"], flags].concat()))
    }

    /// One that `imds ctl` operates too, at the address beside it.
    fn with_control(flags: &[&str]) -> (Self, String) {
        let listeners = ["--ec2-api", "127.0.0.1:0", "--control", "127.0.0.1:0", "--log", "off"];
        let served = Served::start(&[&listeners, flags].concat());
        let line = served.line_with("imds: control on ");
        let control = line.strip_prefix("imds: control on http://").unwrap().to_owned();
        (Self::ready(served), control)
    }

    fn ready(served: Served) -> Self {
        let line = served.line_with("imds: EC2 API on ");
        let address = line.strip_prefix("imds: EC2 API on http://").unwrap().to_owned();
        Self { served, address }
    }

    /// One of the instance of a description.
    fn of(name: &str, toml: &str) -> Self {
        let file = File::new(&format!("ec2-{name}.toml"), toml);
        Self::start(&["--instance", file.path.to_str().unwrap()])
    }

    /// Makes a call as an SDK does.
    fn call(&self, action: &str, parameters: &[(&str, &str)]) -> Told {
        let mut form = format!("Action={action}&Version=2016-11-15");
        for (name, value) in parameters {
            form += &format!("&{name}={}", escaped(value));
        }
        self.post(&format!("{SIGNED}{FORM}"), &form)
    }

    fn post(&self, fields: &str, form: &str) -> Told {
        let length = form.len();
        self.send(&format!(
            "POST / HTTP/1.1\r\nHost: {}\r\n{fields}Content-Length: {length}\r\n\r\n{form}",
            self.address
        ))
    }

    fn send(&self, text: &str) -> Told {
        let mut stream = connect(&self.address);
        // A thousand instances take seconds, and many on a busy machine.
        stream.set_read_timeout(Some(3 * DEADLINE)).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{text}: {answer}"));
        assert!(head.to_ascii_lowercase().contains("\r\ncontent-type: text/xml;charset=utf-8"), "{head}");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap();
        Told { status, body: body.to_owned() }
    }

    /// The same call, which is done.
    fn done(&self, action: &str, parameters: &[(&str, &str)]) -> Told {
        let told = self.call(action, parameters);
        assert_eq!(told.status, 200, "{action} {parameters:?}: {}", told.body);
        assert!(
            told.body
                .contains(&format!("<{action}Response xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>"))
        );
        told
    }

    /// The code and the message of a call that is refused.
    fn refused(&self, action: &str, parameters: &[(&str, &str)]) -> (String, String) {
        let told = self.call(action, parameters);
        assert_ne!(told.status, 200, "{action} {parameters:?}: {}", told.body);
        (told.field("Code").to_owned(), told.field("Message").to_owned())
    }

    fn code(&self, action: &str, parameters: &[(&str, &str)]) -> String {
        self.refused(action, parameters).0
    }

    /// What software inside gets without a token: its status and the body.
    fn seen(&self, path: &str) -> (u16, String) {
        let answer = self.served.request(&format!("GET /latest/{path} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        // A stopped instance answers nothing.
        let Some((head, body)) = answer.split_once("\r\n\r\n") else { return (0, String::new()) };
        (head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap(), body.to_owned())
    }

    /// An item below `meta-data/`, which is there.
    fn item(&self, path: &str) -> String {
        let (status, body) = self.seen(&format!("meta-data/{path}"));
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    fn has(&self, path: &str) -> bool {
        self.seen(&format!("meta-data/{path}")).0 == 200
    }
}

/// As every SDK signs; any signature is one.
const SIGNED: &str = "Authorization: AWS4-HMAC-SHA256 Credential=x/20261001/us-east-1/ec2/aws4_request\r\n";
const FORM: &str = "Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\n";

impl Told {
    /// The text of the first field of a name.
    fn field(&self, name: &str) -> &str {
        self.fields(name).first().copied().unwrap_or_else(|| panic!("no {name} in {}", self.body))
    }

    /// The texts of all of them.
    fn fields(&self, name: &str) -> Vec<&str> {
        let (begin, end) = (format!("<{name}>"), format!("</{name}>"));
        self.body.split(&begin).skip(1).filter_map(|rest| Some(rest.split_once(&end)?.0)).collect()
    }
}

fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
