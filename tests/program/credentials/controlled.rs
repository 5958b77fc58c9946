//! Many instances under control, each with its source.

use super::many::{document_of, toml};
use super::*;

struct Controlled {
    served: Served,
    control: String,
}

impl Controlled {
    fn start(directory: &str, flags: &[&str]) -> Self {
        let listeners = 1 + flags.iter().filter(|flag| **flag == "--listen").count();
        let many = ["--control", "127.0.0.1:0", "--instances", directory, "--caller", "header:X-Guest"];
        let served = Served::spawn(serve(&[&many, flags].concat()), listeners);
        let control = served.line_with("control on ").replace("imds: control on http://", "");
        Self { served, control }
    }

    /// The status and the body of an answer of the control.
    fn ask(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let fields = format!("Host: localhost\r\nContent-Type: application/json\r\nContent-Length: {}", body.len());
        let answer = request(&self.control, &format!("{method} /v1/{path} HTTP/1.1\r\n{fields}\r\n\r\n{body}"));
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head[9..12].parse().unwrap(), serde_json::from_str(body).unwrap_or_else(|_| panic!("{answer}")))
    }

    fn shown(&self, guest: &str) -> Value {
        self.ask("GET", &format!("instances/{guest}"), "").1
    }

    fn key_of(&self, guest: &str) -> Value {
        document_of(&self.served, guest)["AccessKeyId"].clone()
    }

    /// Has the files read again, which changes what is told here.
    fn reload(&self, changes: &str) {
        let (status, done) = self.ask("POST", "reload", "");
        assert_eq!(status, 200, "{done}");
        self.served.line_with(changes);
    }
}

#[test]
fn guests_that_are_changed_have_the_credentials_of_their_sources() {
    let (shared, own) =
        (StandIn::new("controlled-1", &version_1("SHARED", 3600)), StandIn::new("controlled-2", &version_1("OWN", 8)));
    let mut guests: Vec<_> = [("a", toml(&shared)), ("b", toml(&shared)), ("c", toml(&own)), ("d", String::new())]
        .map(|(name, toml)| File::new(&format!("credentials-controlled/{name}.toml"), toml))
        .into_iter()
        .collect();
    let directory = guests[0].path.parent().unwrap().to_str().unwrap().to_owned();
    let controlled = Controlled::start(&directory, &[]);
    assert_eq!(["a", "b", "c"].map(|guest| controlled.key_of(guest)), ["ASIASHARED", "ASIASHARED", "ASIAOWN"]);
    assert_eq!((shared.asked(), own.asked()), (1, 1));

    // As the listener describes itself, and without what is secret.
    let shown = controlled.shown("a");
    assert_eq!(shown["credentials"]["source"], "the command sh");
    assert!(shown["credentials"]["next-fetch"].is_string(), "{shown}");
    let answer = request(&controlled.control, "GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let openapi: Value = serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    crate::openapi::Document(openapi).check("GET", "/v1/instances/{key}", 200, &shown.to_string());
    assert!(![SECRET, TOKEN].iter().any(|secret| shown.to_string().contains(secret)), "{shown}");
    assert!(controlled.shown("d").get("credentials").is_none());

    // A delivery is no change of an operator's; what was delivered outlives these.
    assert_eq!(controlled.ask("PATCH", "instances/a", r#"{"tags": {"a": "b"}}"#).0, 200);
    own.prints(&version_1("NEXT", 3600));
    let until = Instant::now() + DEADLINE;
    while controlled.key_of("c") != "ASIANEXT" {
        assert!(Instant::now() < until);
        thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(["a", "c"].map(|guest| controlled.shown(guest)["revision"].clone()), [2, 1]);
    assert_eq!(controlled.key_of("a"), "ASIASHARED");

    // Read again, one has another source, one has none, one is new, and one is as edited.
    fs::write(&guests[1].path, toml(&own)).unwrap();
    fs::write(&guests[2].path, "").unwrap();
    guests.push(File::new("credentials-controlled/e.toml", toml(&shared)));
    controlled.reload("1 added, 2 replaced (b, c), 1 as edited (a)");
    assert_eq!(["a", "b", "e"].map(|guest| controlled.key_of(guest)), ["ASIASHARED", "ASIANEXT", "ASIASHARED"]);
    assert!(controlled.key_of("c").as_str().is_some_and(|key| key.starts_with("ASIA") && key.len() == 20));
    assert!(controlled.shown("c").get("credentials").is_none());
    assert_eq!((shared.asked(), own.asked()), (1, 2), "what runs goes on");

    // One comes back as its file says, with its source; the others keep theirs.
    assert_eq!(controlled.ask("DELETE", "instances/b", "").0, 200);
    assert_eq!(controlled.ask("POST", "instances/b/reload", "").0, 200);
    assert_eq!(["a", "b"].map(|guest| controlled.key_of(guest)), ["ASIASHARED", "ASIANEXT"]);
    controlled.reload("1 as edited (a)");
    assert_eq!((shared.asked(), own.asked()), (1, 2));
}

#[test]
fn nobody_has_commands_run_for_a_guest() {
    let marker = File::new("credentials/marker-of-guests", "");
    let source = |command: &str| format!(r#"{{"iam-instance-profile": {{"credentials-source": {{{command}}}}}}}"#);
    let own = source(&format!(r#""process": ["sh", "-c", "echo ran > '{}'"]"#, marker.path.display()));
    let stand_in = StandIn::new("controlled-3", &version_1("FILE", 3600));
    let guests = [("a", toml(&stand_in)), ("b", String::new())]
        .map(|(name, toml)| File::new(&format!("credentials-commands/{name}.toml"), toml));
    let controlled = Controlled::start(guests[0].path.parent().unwrap().to_str().unwrap(), &[]);
    // That of another guest is no guest's own either.
    let of_a = source(&format!(r#""process": ["sh", "{}"]"#, stand_in.script.path.display()));
    for (method, guest, change) in [
        ("PATCH", "a", &own),
        ("PUT", "a", &own),
        ("PUT", "b", &own),
        ("PUT", "new", &own),
        ("PUT", "b", &of_a),
        ("PUT", "new", &of_a),
    ] {
        let (status, body) = controlled.ask(method, &format!("instances/{guest}"), change);
        assert_eq!(status, 422, "{method} {guest}: {body}");
        assert!(body.to_string().contains("/iam-instance-profile/credentials-source"), "{body}");
    }
    assert_eq!(controlled.ask("GET", "instances/new", "").0, 404);
    assert_eq!(fs::read_to_string(&marker.path).unwrap(), "");
    // What its file says, an operator may say again.
    assert_eq!(controlled.ask("PUT", "instances/a", &of_a).0, 200);
    assert_eq!((controlled.key_of("a"), stand_in.asked()), ("ASIAFILE".into(), 1));
}

#[test]
fn files_that_are_read_again_expose_nothing_either() {
    let stand_in = StandIn::new("controlled-4", &version_1("EXPOSED", 3600));
    let guest = File::new("credentials-exposed/a.toml", "");
    let directory = guest.path.parent().unwrap().to_str().unwrap();
    let controlled = Controlled::start(directory, &["--listen", "0.0.0.0:0"]);
    fs::write(&guest.path, toml(&stand_in)).unwrap();
    for path in ["reload", "instances/a/reload"] {
        let (status, body) = controlled.ask("POST", path, "");
        assert!(status >= 400 && body.to_string().contains("--expose-credentials"), "{status} {body}");
    }
    assert_eq!((controlled.shown("a")["revision"].clone(), stand_in.asked()), (1.into(), 0));
}
