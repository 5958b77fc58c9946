//! Firefox, by Marionette over a socket.

use std::io::{BufReader, Read};
use std::net::TcpStream;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::*;

/// It takes more of a machine than all else here; one at a time does.
static ONE: Mutex<()> = Mutex::new(());

pub struct Firefox {
    child: Child,
    to: TcpStream,
    from: BufReader<TcpStream>,
    profile: PathBuf,
    last: u64,
    _one: MutexGuard<'static, ()>,
}

/// Any free port; nothing that asks elsewhere; JSON as what it is.
const PREFERENCES: &str = r#"
user_pref("marionette.port", 0);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("app.update.disabledForTesting", true);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("devtools.jsonview.enabled", false);
"#;

impl Firefox {
    pub fn start(name: &str) -> Option<Self> {
        let program = program("FIREFOX", &["firefox", "firefox-esr"])?;
        let one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        let profile = profile(name);
        fs::write(profile.join("user.js"), PREFERENCES).unwrap();
        let mut firefox = Command::new(program);
        firefox.args(["--headless", "--marionette", "--remote-allow-system-access", "--no-remote", "--profile"]);
        firefox.arg(&profile).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = firefox.spawn().unwrap();
        let deadline = Instant::now() + 3 * DEADLINE;
        let port = loop {
            let port = fs::read_to_string(profile.join("MarionetteActivePort")).ok().and_then(|port| port.parse().ok());
            if let Some(port) = port {
                break port;
            }
            assert!(child.try_wait().unwrap().is_none() && Instant::now() < deadline, "Firefox does not start");
            thread::sleep(Duration::from_millis(50));
        };
        let to = TcpStream::connect(("127.0.0.1", port)).unwrap();
        to.set_read_timeout(Some(3 * DEADLINE)).unwrap();
        let from = BufReader::new(to.try_clone().unwrap());
        let mut firefox = Self { child, to, from, profile, last: 0, _one: one };
        assert_eq!(firefox.read()["marionetteProtocol"], 3);
        firefox.call("WebDriver:NewSession", json!({}));
        Some(firefox)
    }

    /// A message: its length, a colon, and JSON.
    fn read(&mut self) -> Value {
        let mut length = Vec::new();
        std::io::BufRead::read_until(&mut self.from, b':', &mut length).unwrap();
        let length = text(&length).trim_end_matches(':').parse().expect("the browser is gone");
        let mut message = vec![0; length];
        self.from.read_exact(&mut message).unwrap();
        serde_json::from_slice(&message).unwrap()
    }

    fn try_call(&mut self, method: &str, parameters: Value) -> Result<Value, String> {
        self.last += 1;
        let order = json!([0, self.last, method, parameters]).to_string();
        self.to.write_all(format!("{}:{order}", order.len()).as_bytes()).unwrap();
        let mut told = self.read();
        assert_eq!(told[1], self.last, "{told}");
        if told[2].is_null() { Ok(told[3].take()) } else { Err(told[2].to_string()) }
    }

    fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.try_call(method, parameters).unwrap_or_else(|wrong| panic!("{method}: {wrong}"))
    }

    fn act(&mut self, source: Value) {
        self.call("WebDriver:PerformActions", json!({"actions": [source]}));
    }
}

impl Drive for Firefox {
    fn open(&mut self, url: &str) {
        self.call("WebDriver:Navigate", json!({"url": url}));
    }

    fn reload(&mut self) {
        self.call("WebDriver:Refresh", json!({}));
    }

    fn value(&mut self, expression: &str) -> Result<Value, String> {
        // In a sandbox, which the page's policy does not hold.
        let script = "const [expression, done] = arguments; \
                      new Promise((value) => value(eval(expression))).then((it) => done([it ?? null]), (wrong) => done(String(wrong)));";
        let mut told =
            self.try_call("WebDriver:ExecuteAsyncScript", json!({"script": script, "args": [expression]}))?;
        match told["value"].take() {
            Value::Array(mut value) => Ok(value.remove(0)),
            wrong => Err(wrong.to_string()),
        }
    }

    fn click(&mut self, selector: &str) {
        let found = self.call("WebDriver:FindElement", json!({"using": "css selector", "value": selector}));
        // Its one member is the element's own, by the name that the protocol has for elements.
        let id = found["value"].as_object().unwrap().values().next().unwrap().clone();
        self.call("WebDriver:ElementClick", json!({"id": id}));
    }

    fn press(&mut self, modifiers: u8, key: &str) {
        let key = match key {
            "Enter" => "\u{e007}",
            "Tab" => "\u{e004}",
            "Escape" => "\u{e00c}",
            "ArrowDown" => "\u{e015}",
            "ArrowUp" => "\u{e013}",
            "End" => "\u{e010}",
            other => other,
        };
        let held = [(CTRL, "\u{e009}"), (SHIFT, "\u{e008}")];
        let held: Vec<_> = held.iter().filter(|(bit, _)| modifiers & bit != 0).map(|(_, key)| *key).collect();
        let step = |kind: &str, key: &str| json!({"type": kind, "value": key});
        let down = held.iter().map(|key| step("keyDown", key));
        let pressed = [step("keyDown", key), step("keyUp", key)];
        let steps: Vec<_> = down.chain(pressed).chain(held.iter().map(|key| step("keyUp", key))).collect();
        self.act(json!({"type": "key", "id": "keyboard", "actions": steps}));
    }

    fn be_a_phone(&mut self) {
        // It makes no window narrower than 450 pixels.
        self.call("WebDriver:SetWindowRect", json!({"width": 360, "height": 740}));
    }

    fn complaints(&mut self) -> Vec<String> {
        self.call("Marionette:SetContext", json!({"value": "chrome"}));
        let script = "return Services.console.getMessageArray().filter((it) => it instanceof Ci.nsIScriptError \
                      && it.sourceName.startsWith('http:') && !(it.flags & Ci.nsIScriptError.warningFlag)).map(String)";
        let told = self.call("WebDriver:ExecuteScript", json!({"script": script, "args": []}));
        self.call("Marionette:SetContext", json!({"value": "content"}));
        told["value"].as_array().unwrap().iter().map(Value::to_string).collect()
    }

    fn urls(&mut self) -> Vec<String> {
        let told = self.value("performance.getEntriesByType('resource').map((it) => it.name)").unwrap();
        told.as_array().unwrap().iter().map(|url| url.as_str().unwrap().to_owned()).collect()
    }
}

impl Drop for Firefox {
    fn drop(&mut self) {
        // It ends its processes itself, if it can.
        let _ = self.try_call("Marionette:Quit", json!({"flags": ["eForceQuit"]}));
        let deadline = Instant::now() + DEADLINE / 4;
        while self.child.try_wait().is_ok_and(|ended| ended.is_none()) && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.profile);
    }
}
