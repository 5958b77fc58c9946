//! Chromium, by its DevTools protocol over pipes.

use std::io::{BufReader, Read};
use std::os::unix::fs::MetadataExt;
use std::process::{ChildStdin, ChildStdout};

use super::*;

pub struct Chromium {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    profile: PathBuf,
    session: Option<String>,
    last: u64,
    events: Vec<Value>,
}

impl Chromium {
    pub fn start(name: &str) -> Option<Self> {
        let program = program("CHROMIUM", &["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"])?;
        let profile = profile(name);
        // It reads orders from its file 3 and answers to 4.
        let mut shell = Command::new("sh");
        shell.args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1"]).arg(program);
        shell.args(["--headless", "--disable-gpu", "--no-first-run", "--remote-debugging-pipe"]);
        shell.arg(format!("--user-data-dir={}", profile.display()));
        if fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0) {
            // A container's root has no sandbox, and the page is our own.
            shell.arg("--no-sandbox");
        }
        let mut child = shell.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (to, from) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut browser = Self { child, to, from, profile, session: None, last: 0, events: Vec::new() };
        let target = browser.call("Target.createTarget", json!({"url": "about:blank"}))["targetId"].clone();
        let attached = browser.call("Target.attachToTarget", json!({"targetId": target, "flatten": true}));
        browser.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.call(&format!("{domain}.enable"), json!({}));
        }
        Some(browser)
    }

    fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.last += 1;
        let mut order = json!({"id": self.last, "method": method, "params": parameters});
        if let Some(session) = &self.session {
            order["sessionId"] = json!(session);
        }
        self.to.write_all(format!("{order}\0").as_bytes()).unwrap();
        loop {
            let mut bytes = Vec::new();
            std::io::BufRead::read_until(&mut self.from, 0, &mut bytes).unwrap();
            let read = bytes.strip_suffix(b"\0").unwrap_or_else(|| panic!("{method}: the browser is gone"));
            let mut told: Value = serde_json::from_slice(read).unwrap();
            if told["id"] == self.last {
                assert!(told["error"].is_null(), "{method}: {told}");
                return told["result"].take();
            }
            self.events.push(told);
        }
    }
}

impl Drive for Chromium {
    fn open(&mut self, url: &str) {
        self.call("Page.navigate", json!({"url": url}));
    }

    fn reload(&mut self) {
        self.call("Page.reload", json!({}));
    }

    fn value(&mut self, expression: &str) -> Result<Value, String> {
        let order = json!({"expression": expression, "awaitPromise": true, "returnByValue": true});
        let mut told = self.call("Runtime.evaluate", order);
        if told["exceptionDetails"].is_null() { Ok(told["result"]["value"].take()) } else { Err(told.to_string()) }
    }

    fn click(&mut self, selector: &str) {
        let measure = format!(
            "(() => {{ const it = document.querySelector({selector:?}); it.scrollIntoView({{ block: 'center' }}); \
             const box = it.getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]; }})()"
        );
        // What comes meanwhile moves it; then it stands still.
        let mut place = self.value(&measure);
        for _ in 0..100 {
            thread::sleep(Duration::from_millis(20));
            let before = std::mem::replace(&mut place, self.value(&measure));
            if before == place {
                break;
            }
        }
        let place = place.unwrap();
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({"type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1});
            self.call("Input.dispatchMouseEvent", event);
        }
    }

    fn press(&mut self, modifiers: u8, key: &str) {
        let (code, number, text) = match key {
            "Enter" => (key, 13, Some("\r")),
            "Tab" => (key, 9, None),
            "Escape" => (key, 27, None),
            "ArrowDown" => (key, 40, None),
            "ArrowUp" => (key, 38, None),
            "End" => (key, 35, None),
            " " => ("Space", 32, Some(" ")),
            _ => (key, 0, Some(key)),
        };
        let mut event = json!({"type": "keyDown", "key": key, "code": code, "windowsVirtualKeyCode": number, "modifiers": modifiers});
        if let Some(text) = text.filter(|_| modifiers & CTRL == 0) {
            event["text"] = json!(text);
        }
        self.call("Input.dispatchKeyEvent", event.clone());
        event["type"] = json!("keyUp");
        event.as_object_mut().unwrap().remove("text");
        self.call("Input.dispatchKeyEvent", event);
    }

    fn be_a_phone(&mut self) {
        let size = json!({"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": true});
        self.call("Emulation.setDeviceMetricsOverride", size);
    }

    fn complaints(&mut self) -> Vec<String> {
        let of_interest = ["Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled"];
        let events = self.events.iter().filter(|event| of_interest.iter().any(|kind| event["method"] == *kind));
        events.map(Value::to_string).collect()
    }

    fn urls(&mut self) -> Vec<String> {
        let requests = self.events.iter().filter(|event| event["method"] == "Network.requestWillBeSent");
        requests.filter_map(|event| event["params"]["request"]["url"].as_str()).map(str::to_owned).collect()
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // Its processes end with it, and write until then.
        let _ = self.from.read_to_end(&mut Vec::new());
        let _ = fs::remove_dir_all(&self.profile);
    }
}
