//! The component for operators, over the store of the application.

mod access;
mod changes;
mod documented;
mod limits;
mod program;
mod shown;

use std::sync::Arc;

use serde_json::Value;

use super::engine::CONTROL;
use super::store::Values;
use super::{Application, Replica};

const SECRET: &str = "a secret of operators";
const AUTHORIZED: (&str, &str) = ("authorization", "Bearer a secret of operators");
const JSON: (&str, &str) = ("content-type", "application/json");

/// An application with a control.
fn controlled(variables: &[(&str, &str)]) -> Application {
    Application::new(&[&[("control_secret", SECRET)], variables].concat())
}

/// The same for many callers.
fn controlled_many() -> Application {
    controlled(&[("callers", "header:x-guest")])
}

/// A store of each kind that Spin has.
fn stores() -> [Arc<Values>; 3] {
    [Values::default(), Values::denying_swaps(), Values::setting_what_was_not_there()].map(Arc::new)
}

/// An answer of the component.
#[derive(Debug)]
struct Answer {
    status: u16,
    fields: http::HeaderMap,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    fn revision(&self) -> u64 {
        assert!((200..300).contains(&self.status), "{self:?}");
        self.json()["revision"].as_u64().expect("a revision")
    }

    fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", |value| value.to_str().expect("ASCII"))
    }
}

/// A replica of the component.
struct Control(Replica);

impl Control {
    fn of(application: &Application) -> Control {
        Control(Replica::start(&CONTROL, application.0.clone()))
    }

    fn send(&self, method: &str, path: &str, fields: &[(&str, &str)], body: &str) -> Answer {
        let host = "imds.example.com";
        let mut request = http::Request::builder().method(method).uri(format!("http://{host}{path}"));
        for (name, value) in [&[("host", host)], fields].concat() {
            request = request.header(name, value);
        }
        let request = request.body(body.as_bytes().to_vec()).expect("a request");
        let (parts, body) = self.0.send_with_body(request).into_parts();
        let body = String::from_utf8(body).expect("text");
        Answer { status: parts.status.as_u16(), fields: parts.headers, body }
    }

    /// With the secret, and as JSON.
    fn ask(&self, method: &str, path: &str, body: &str) -> Answer {
        self.send(method, path, &[AUTHORIZED, JSON], body)
    }

    /// Of one revision and no other.
    fn ask_of(&self, revision: u64, method: &str, path: &str, body: &str) -> Answer {
        self.send(method, path, &[AUTHORIZED, JSON, ("if-match", &format!("\"{revision}\""))], body)
    }

    fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, "")
    }
}
