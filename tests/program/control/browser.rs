//! The page in a browser, by Chromium's DevTools protocol.

use std::io::{BufReader, Read};
use std::os::unix::fs::MetadataExt;
use std::process::{ChildStdin, ChildStdout};

use super::*;

/// A browser with a page; it ends when dropped.
struct Browser {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    profile: PathBuf,
    session: Option<String>,
    last: u64,
    events: Vec<Value>,
}

const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// The program that `CHROMIUM` names, or one on the path.
fn chromium() -> Option<PathBuf> {
    let named = std::env::var_os("CHROMIUM").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    named.or_else(|| {
        let folders: Vec<_> = std::env::split_paths(&path).collect();
        folders.iter().flat_map(|folder| NAMES.map(|name| folder.join(name))).find(|file| file.is_file())
    })
}

impl Browser {
    fn start(name: &str) -> Option<Self> {
        let Some(program) = chromium() else {
            skipped("there is no Chromium on the path; CHROMIUM can name one");
            return None;
        };
        let profile = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("program").join(name);
        let _ = fs::remove_dir_all(&profile);
        fs::create_dir_all(&profile).unwrap();
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

    fn open(&mut self, url: &str) {
        self.call("Page.navigate", json!({"url": url}));
    }

    /// The value of an expression, which may be a promise's.
    fn value(&mut self, expression: &str) -> Value {
        let order = json!({"expression": expression, "awaitPromise": true, "returnByValue": true});
        let mut told = self.call("Runtime.evaluate", order);
        assert!(told["exceptionDetails"].is_null(), "{expression}: {told}");
        told["result"]["value"].take()
    }

    /// Waits until an expression is true.
    fn wait(&mut self, expression: &str) {
        let deadline = Instant::now() + DEADLINE;
        // Between two pages there is neither the one nor the other.
        while self.value(&format!("(() => {{ try {{ return !!({expression}) }} catch {{ return false }} }})()")) != true
        {
            if Instant::now() > deadline {
                let page = self.value("document.body.innerText");
                panic!("never so: {expression}\n{}\n{:?}", page.as_str().unwrap_or_default(), self.complaints());
            }
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Clicks the middle of an element as a mouse does.
    fn click(&mut self, selector: &str) {
        let place = self.value(&format!(
            "(() => {{ const it = document.querySelector({selector:?}); it.scrollIntoView({{ block: 'center' }}); \
             const box = it.getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]; }})()"
        ));
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({"type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1});
            self.call("Input.dispatchMouseEvent", event);
        }
    }

    /// What the console has, such as what the policy kept out, and errors of scripts.
    fn complaints(&self) -> Vec<String> {
        let of_interest = ["Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled"];
        let events = self.events.iter().filter(|event| of_interest.iter().any(|kind| event["method"] == *kind));
        events.map(Value::to_string).collect()
    }

    /// All that was asked for.
    fn urls(&self) -> Vec<&str> {
        let requests = self.events.iter().filter(|event| event["method"] == "Network.requestWillBeSent");
        requests.filter_map(|event| event["params"]["request"]["url"].as_str()).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // Its processes end with it, and write until then.
        let _ = self.from.read_to_end(&mut Vec::new());
        let _ = fs::remove_dir_all(&self.profile);
    }
}

const TEXT: &str = "document.getElementById";

#[test]
fn the_page_shows_and_changes_an_instance() {
    let Some(mut browser) = Browser::start("control-browser") else { return };
    let description = File::new(
        "control-browser.toml",
        "instance-lifecycle = 'spot'\nuser-data = 'CANARYDATA'\ntags = { Name = '<b>web</b>', password = 'CANARYTAG' }\n\
         [metadata-options]\ninstance-metadata-tags = 'enabled'\n",
    );
    let controlled = Controlled::start(&["--instance", description.path.to_str().unwrap()]);
    let id = controlled.shown()["identity"]["instanceId"].as_str().unwrap().to_owned();
    browser.open(&controlled.place);
    browser.wait(&format!("{TEXT}('name').textContent.startsWith({id:?})"));
    browser.wait(&format!("{TEXT}('list').innerText.includes('running')"));
    // Names and values are texts, not markup.
    assert_eq!(browser.value(&format!("{TEXT}('facts').innerText.includes('<b>web</b>')")), true);

    // A real client, while the page waits for requests.
    controlled
        .served
        .request("GET /latest/meta-data/local-ipv4 HTTP/1.1\r\nHost: localhost\r\nUser-Agent: old-sdk\r\n\r\n");
    controlled.served.request("DELETE / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    for shown in ["GET /latest/meta-data/local-ipv4", "old-sdk", "Metadata is read-only"] {
        browser.wait(&format!("{TEXT}('requests').innerText.includes({shown:?})"));
    }
    browser.wait(&format!("{TEXT}('usage').innerText.includes('Version 1: 2 answered')"));

    // An interruption.
    let on_axis = "[...document.querySelectorAll('#axis g')].some((it) => it.textContent.includes('spot notice'))";
    assert_eq!(browser.value(on_axis), false);
    assert_eq!(browser.value(&format!("{TEXT}('events').innerText.includes('spot')")), false);
    browser.click("[data-operation=interrupt]");
    browser.wait(&format!("{TEXT}('events').innerText.includes('spot interruption: terminate')"));
    browser.wait(on_axis);
    assert!(controlled.get("/latest/meta-data/spot/instance-action").contains("\"action\":\"terminate\""));

    // The clock goes to what comes.
    browser.click("#pause");
    browser.wait(&format!("{TEXT}('pace').textContent.includes('stands')"));
    browser.value(&format!("{TEXT}('to').value = '+90s'"));
    browser.click("#move button");
    browser.wait(&format!(
        "{TEXT}('events').innerText.includes('in 29s') || {TEXT}('events').innerText.includes('in 30s')"
    ));

    // A switch, with the service at once.
    browser.click("[data-option=http-tokens]");
    browser.wait(&format!("{TEXT}('said').textContent.includes('http-tokens = required')"));
    assert!(controlled.get("/latest/meta-data/").starts_with("HTTP/1.1 401 "));

    // A wrong change, at its place.
    browser.value(&format!(
        "{TEXT}('change').value = '{{\\n  \"metadata-options\": {{\"http-tokens\": \"optoinal\"}}\\n}}'"
    ));
    browser.click("#editor button");
    browser.wait(&format!("{TEXT}('problems').innerText.includes('line 2, column 39')"));
    let at = browser.value(&format!("{TEXT}('change').value.slice({TEXT}('change').selectionStart).split('\"')[1]"));
    assert_eq!(at, "optoinal");
    browser.value(&format!("{TEXT}('change').value = '{{\"tags\": {{\"Name\": \"web-2\"}}}}'"));
    browser.click("#editor button");
    browser.wait(&format!("{TEXT}('facts').innerText.includes('web-2')"));

    // What the box can begin with, each of which the instance takes; at first that nothing is to come.
    let samples = browser.value("document.querySelectorAll('#samples option').length").as_u64().unwrap();
    assert!(samples > 5, "{samples}");
    for sample in (1..samples).rev() {
        browser.value(&format!(
            "{TEXT}('samples').selectedIndex = {sample}; {TEXT}('samples').dispatchEvent(new Event('change')); \
             {TEXT}('said').textContent = ''"
        ));
        browser.click("#editor button");
        browser.wait(&format!("{TEXT}('said').textContent !== ''"));
        let said = browser.value(&format!("{TEXT}('said').textContent + {TEXT}('problems').innerText"));
        assert!(said.as_str().unwrap().starts_with("done; revision "), "{sample}: {said}");
    }
    // A fault is removed.
    browser.wait(&format!("{TEXT}('faults').innerText.includes('kind=')"));
    browser.click("#faults button");
    browser.wait(&format!("{TEXT}('faults').innerText.includes('none')"));

    // The tree; no secret is in it, nor anywhere in the page.
    browser.click("#items details:nth-of-type(1) > summary");
    browser.wait(&format!("{TEXT}('items').innerText.includes('instance-identity/')"));
    browser
        .value("[...document.querySelectorAll('#items button')].find((it) => it.textContent === 'user-data').click()");
    browser.wait(&format!("{TEXT}('body').textContent.includes('holds a secret')"));
    assert_eq!(browser.value("document.documentElement.outerHTML.includes('CANARY')"), false);

    // Loaded again it shows the same one, by its address.
    browser.value("window.isBefore = true");
    browser.call("Page.reload", json!({}));
    browser.wait(&format!("!window.isBefore && {TEXT}('facts').innerText.includes('web-1')"));

    assert_eq!(browser.value("document.querySelectorAll('script').length"), 1);
    let complaints: Vec<_> = browser.complaints();
    // The console names each answer above 399: the secret, and the wrong change.
    let unexpected = complaints.iter().filter(|it| !it.contains("status of 403") && !it.contains("status of 422"));
    assert_eq!(unexpected.count(), 0, "{complaints:?}");
    let place = format!("{}/", controlled.place);
    assert!(browser.urls().len() > 5, "{:?}", browser.urls());
    for url in browser.urls() {
        assert!(url.starts_with(&place) || url == "data:,", "{url}");
    }
}

#[test]
fn pages_of_elsewhere_get_nothing_in_a_browser() {
    let Some(mut browser) = Browser::start("control-browser-elsewhere") else { return };
    let (controlled, other) = (Controlled::start(&[]), Controlled::start(&[]));
    let token = super::page::token(&controlled);
    // One of no origin, and one of this machine, which is of the same site.
    for page in ["data:text/html,<p>elsewhere", &format!("{}/health", other.place)] {
        browser.open(page);
        browser.wait(&format!("location.href.startsWith({:?})", page.split('<').next().unwrap()));
        for options in [
            json!({}),
            json!({"mode": "no-cors"}),
            json!({"headers": {"X-Imds-Page-Token": token}}),
            json!({"method": "PATCH", "body": r#"{"operation": "stop"}"#,
                   "headers": {"X-Imds-Page-Token": token, "Content-Type": "application/json"}}),
            json!({"method": "POST", "mode": "no-cors", "body": r#"{"operation": "stop"}"#}),
        ] {
            let got = browser.value(&format!(
                "fetch('{}/v1/instance', {options}).then((it) => it.text()).catch(() => '')",
                controlled.place
            ));
            assert_eq!(got, "", "{page} {options}");
        }
    }
    assert_eq!(controlled.shown()["revision"], 1);
    assert_eq!(controlled.shown()["state"], "running");
}
