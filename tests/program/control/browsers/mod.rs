//! Browsers with a page, each by its own protocol.

mod chromium;
mod firefox;

use super::*;

/// By their numbers in DevTools.
pub const CTRL: u8 = 2;
pub const SHIFT: u8 = 8;

/// What a browser can be told to do.
trait Drive {
    fn open(&mut self, url: &str);
    fn reload(&mut self);
    /// The value of an expression, which may be a promise's; or what went wrong.
    fn value(&mut self, expression: &str) -> Result<Value, String>;
    /// Clicks the middle of the first element of a selector, as a mouse does.
    fn click(&mut self, selector: &str);
    /// Presses a key, by its name, while others are down.
    fn press(&mut self, modifiers: u8, key: &str);
    /// Makes the window as narrow as a phone's, or nearly so.
    fn be_a_phone(&mut self);
    /// What the console has, such as what the policy kept out, and errors of scripts.
    fn complaints(&mut self) -> Vec<String>;
    /// All that the page asked for.
    fn urls(&mut self) -> Vec<String>;
}

/// A browser with a page; it ends when dropped.
pub struct Browser {
    drive: Box<dyn Drive>,
    /// Of this one in this test, for files.
    pub name: String,
}

/// The program that a variable names, or one of these names on the path. Where there is
/// none, it says so.
fn program(variable: &str, names: &[&str]) -> Option<PathBuf> {
    let named = std::env::var_os(variable).map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = named.or_else(|| {
        let folders: Vec<_> = std::env::split_paths(&path).collect();
        folders.iter().flat_map(|folder| names.iter().map(|name| folder.join(name))).find(|file| file.is_file())
    });
    if found.is_none() {
        skipped(&format!("there is no {} on the path; {variable} can name one", names[0]));
    }
    found
}

/// An empty directory, for what it keeps.
fn profile(name: &str) -> PathBuf {
    let profile = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("program").join(name);
    let _ = fs::remove_dir_all(&profile);
    fs::create_dir_all(&profile).unwrap();
    profile
}

impl Browser {
    pub fn chromium(test: &str) -> Option<Self> {
        let name = format!("chromium-{test}");
        let drive = chromium::Chromium::start(&name)?;
        Some(Self { drive: Box::new(drive), name })
    }

    pub fn firefox(test: &str) -> Option<Self> {
        let name = format!("firefox-{test}");
        let drive = firefox::Firefox::start(&name)?;
        Some(Self { drive: Box::new(drive), name })
    }

    pub fn open(&mut self, url: &str) {
        self.drive.open(url);
    }

    pub fn reload(&mut self) {
        self.drive.reload();
    }

    /// The value of an expression, which may be a promise's.
    pub fn value(&mut self, expression: &str) -> Value {
        self.drive.value(expression).unwrap_or_else(|wrong| panic!("{expression}: {wrong}"))
    }

    /// Waits until an expression is true.
    pub fn wait(&mut self, expression: &str) {
        let deadline = Instant::now() + DEADLINE;
        let safe = format!("(() => {{ try {{ return !!({expression}) }} catch {{ return false }} }})()");
        // Between two pages there is neither the one nor the other.
        while self.drive.value(&safe) != Ok(json!(true)) {
            if Instant::now() > deadline {
                let page = self.value("document.body.innerText");
                let page = page.as_str().unwrap_or_default();
                let focus = self.value(
                    "(({ outerHTML }, { y, height }) => [outerHTML.slice(0, 200), y, height, scrollY, innerHeight])\
                     (document.activeElement, document.activeElement.getBoundingClientRect())",
                );
                panic!("never so: {expression}\n{page}\nfocus: {focus}\n{:?}", self.complaints());
            }
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Clicks the middle of the first element of a selector, as a mouse does.
    pub fn click(&mut self, selector: &str) {
        self.drive.click(selector);
    }

    /// Presses a key, by its name.
    pub fn press(&mut self, key: &str) {
        self.press_with(0, key);
    }

    /// The same while another key is down: `CTRL`, `SHIFT`.
    pub fn press_with(&mut self, modifiers: u8, key: &str) {
        self.drive.press(modifiers, key);
    }

    /// Types a text, key by key.
    pub fn write(&mut self, text: &str) {
        text.chars().for_each(|key| self.press(&key.to_string()));
    }

    pub fn be_a_phone(&mut self) {
        self.drive.be_a_phone();
    }

    pub fn complaints(&mut self) -> Vec<String> {
        self.drive.complaints()
    }

    pub fn urls(&mut self) -> Vec<String> {
        self.drive.urls()
    }
}
