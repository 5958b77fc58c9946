//! Case files: see `tests/README.md` for what each line means.

use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

/// One rule of the service with the exchanges that show it.
pub struct Case {
    pub name: String,
    /// The rule in one sentence.
    pub rule: String,
    pub source: String,
    /// How it is known.
    pub state: String,
    /// The instance, in TOML.
    pub description: String,
    pub steps: Vec<Step>,
}

pub enum Step {
    /// Milliseconds to add to the time.
    Advance(u64),
    /// The time, in milliseconds since the epoch.
    At(u64),
    Exchange(Box<Exchange>),
    /// The instance anew, in TOML.
    Describe(String),
}

/// A request and what is expected of its answer.
#[derive(Default)]
pub struct Exchange {
    pub line: usize,
    pub method: String,
    pub target: String,
    pub fields: Vec<(String, String)>,
    /// How many times the request goes out.
    pub times: u32,
    pub expected: Expected,
    pub keeps: Vec<Keep>,
}

/// What of a body is kept, and under which name.
pub struct Keep {
    pub name: String,
    /// The text that `*` stands for in this one; without it the whole body.
    pub around: Option<String>,
}

#[derive(Clone, Default)]
pub struct Expected {
    pub status: u16,
    pub reason: Option<String>,
    /// Whether nothing comes at all, on a way that can close a connection.
    pub closed: bool,
    /// Whether `fields` is the whole head in its order.
    pub whole_head: bool,
    pub fields: Vec<(String, String)>,
    pub absent: Vec<String>,
    pub body: Option<Vec<u8>>,
    /// What the whole body is like; `*` stands for any text.
    pub pattern: Option<String>,
    pub contains: Vec<Vec<u8>>,
    /// What the body must not contain; `{name}` stands for a kept body.
    pub lacks: Vec<String>,
    pub length: Option<usize>,
    pub digest: Option<String>,
}

/// The directory of the test package.
pub fn tests_directory() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All cases, by name.
pub fn all() -> Vec<Case> {
    let directory = tests_directory().join("cases");
    let entries = std::fs::read_dir(&directory).expect("tests/cases can be read");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("tests/cases can be listed").path()).collect();
    files.sort();
    files.iter().map(|file| Case::read(file)).collect()
}

impl Case {
    /// The case in `tests/cases` that is called so.
    pub fn named(name: &str) -> Case {
        Case::read(&tests_directory().join(format!("cases/{name}.http")))
    }

    /// The exchanges in their order.
    pub fn exchanges(&self) -> impl Iterator<Item = &Exchange> {
        self.steps.iter().filter_map(|step| match step {
            Step::Exchange(exchange) => Some(&**exchange),
            _ => None,
        })
    }

    /// Where an exchange stands: file and line.
    pub fn place(&self, exchange: &Exchange) -> String {
        format!("tests/cases/{}.http:{}", self.name, exchange.line)
    }

    fn read(file: &Path) -> Case {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        assert_eq!(file.extension().and_then(|extension| extension.to_str()), Some("http"), "{}", file.display());
        let text = std::fs::read_to_string(file).expect("a case is UTF-8");
        match Case::parse(name, &text) {
            Ok(case) => case,
            Err((line, what)) => panic!("{}:{line}: {what}", file.display()),
        }
    }

    fn parse(name: String, text: &str) -> Result<Case, (usize, String)> {
        let of_rule = |line: &&str| line.starts_with("# ") && !line.starts_with("# Source: ");
        let rule: Vec<&str> = text.lines().take_while(of_rule).filter_map(|line| line.strip_prefix("# ")).collect();
        let mut case = Case {
            name,
            rule: rule.join(" "),
            source: String::new(),
            state: String::new(),
            description: String::new(),
            steps: Vec::new(),
        };
        let mut included = String::new();
        let (mut sources, mut states) = (0, 0);
        for (index, line) in text.lines().enumerate() {
            let number = index + 1;
            let wrong = |what: &str| (number, format!("{what}: {line}"));
            let last = match case.steps.last_mut() {
                Some(Step::Exchange(exchange)) => Some(exchange),
                _ => None,
            };
            if let Some(comment) = line.strip_prefix('#') {
                if let Some(source) = comment.strip_prefix(" Source: ") {
                    case.source = source.to_owned();
                    sources += 1;
                }
                if let Some(word) = comment.strip_prefix(" State: ") {
                    if !["recorded", "documented", "inferred", "unrecorded", "ours"].contains(&word) {
                        return Err(wrong("no state"));
                    }
                    case.state = word.to_owned();
                    states += 1;
                }
            } else if line.trim().is_empty() {
            } else if let Some(file) = line.strip_prefix("= include ") {
                if !case.steps.is_empty() {
                    return Err(wrong("an include behind a request"));
                }
                let path = tests_directory().join(file);
                included = std::fs::read_to_string(path).map_err(|error| wrong(&error.to_string()))?;
            } else if let Some(toml) = line.strip_prefix("= ") {
                case.description_here().push_str(&format!("{toml}\n"));
            } else if let Some(time) = line.strip_prefix("@ ") {
                case.steps.push(time_step(time).ok_or_else(|| wrong("no time"))?);
            } else if line.starts_with('<') {
                let expected = &mut last.ok_or_else(|| wrong("an answer without a request"))?.expected;
                expected.add(line).ok_or_else(|| wrong("no expectation"))?;
            } else if let Some(times) = line.strip_prefix("* ") {
                last.ok_or_else(|| wrong("nothing to repeat"))?.times =
                    times.parse().map_err(|_| wrong("no number"))?;
            } else if let Some(keep) = line.strip_prefix("> ") {
                let (name, around) = keep.split_once(" from ").map_or((keep, None), |(name, text)| (name, Some(text)));
                let keep = Keep { name: name.to_owned(), around: around.map(str::to_owned) };
                last.ok_or_else(|| wrong("nothing to keep"))?.keeps.push(keep);
            } else if let Some((name, value)) = line.split_once(": ").filter(|(name, _)| !name.contains(' ')) {
                let exchange = last.filter(|exchange| exchange.expected.status == 0);
                let exchange = exchange.ok_or_else(|| wrong("a header field without a request"))?;
                exchange.fields.push((name.to_owned(), value.to_owned()));
            } else if let Some((method, target)) = line.split_once(' ') {
                case.steps.push(Step::Exchange(Box::new(Exchange {
                    line: number,
                    method: method.to_owned(),
                    target: target.to_owned(),
                    times: 1,
                    ..Exchange::default()
                })));
            } else if let Some(name) = line.strip_suffix(':') {
                let exchange = last.ok_or_else(|| wrong("a header field without a request"))?;
                exchange.fields.push((name.to_owned(), String::new()));
            } else {
                return Err(wrong("what is this"));
            }
        }
        case.description.push_str(&included);
        if let Some(exchange) = case.exchanges().find(|exchange| exchange.expected.status == 0) {
            return Err((exchange.line, "a request without an expected status".to_owned()));
        }
        if (sources, states) != (1, 1) || !text.starts_with("# ") {
            return Err((1, "a case begins with its rule, one `# Source:` and one `# State:`".to_owned()));
        }
        Ok(case)
    }

    /// The description to which a line belongs: the first one, or the one that
    /// takes its place behind a request.
    fn description_here(&mut self) -> &mut String {
        if !matches!(self.steps.last(), None | Some(Step::Describe(_))) {
            self.steps.push(Step::Describe(String::new()));
        }
        match self.steps.last_mut() {
            Some(Step::Describe(description)) => description,
            _ => &mut self.description,
        }
    }
}

fn time_step(text: &str) -> Option<Step> {
    match text.strip_prefix('+') {
        Some(span) => whole_milliseconds(humantime::parse_duration(span).ok()?).map(Step::Advance),
        None => milliseconds(text).map(Step::At),
    }
}

/// `2026-10-01T00:00:00Z` in milliseconds since the epoch.
pub fn milliseconds(time: &str) -> Option<u64> {
    whole_milliseconds(humantime::parse_rfc3339(time).ok()?.duration_since(UNIX_EPOCH).ok()?)
}

fn whole_milliseconds(span: Duration) -> Option<u64> {
    u64::try_from(span.as_millis()).ok()
}

impl Expected {
    fn add(&mut self, line: &str) -> Option<()> {
        if let Some(text) = line.strip_prefix("<<") {
            let text = unescape(text.strip_prefix(' ').unwrap_or(text))?;
            match &mut self.body {
                Some(body) => {
                    body.push(b'\n');
                    body.extend(text);
                }
                None => self.body = Some(text),
            }
        } else if let Some(text) = line.strip_prefix("<*") {
            let text = text.strip_prefix(' ').unwrap_or(text);
            self.pattern =
                Some(self.pattern.take().map_or_else(|| text.to_owned(), |lines| format!("{lines}\n{text}")));
        } else if let Some(text) = line.strip_prefix("<~ ") {
            self.contains.push(unescape(text)?);
        } else if let Some(text) = line.strip_prefix("<! ") {
            self.lacks.push(text.to_owned());
        } else if let Some(text) = line.strip_prefix("<# ") {
            let mut parts = text.split_whitespace();
            self.length = Some(parts.next()?.parse().ok()?);
            self.digest = parts.next().map(str::to_owned);
        } else if let Some(name) = line.strip_prefix("< ! ") {
            self.absent.push(name.to_owned());
        } else if let Some(head) = line.strip_prefix("< ") {
            if self.status != 0 {
                let (name, value) = head.split_once(": ")?;
                self.fields.push((name.to_owned(), value.to_owned()));
                return Some(());
            }
            if head == "closed" {
                *self = Expected { status: 503, closed: true, body: Some(Vec::new()), ..Expected::default() };
                return Some(());
            }
            let status = match head.strip_prefix("HTTP/1.1 ") {
                Some(status) => {
                    self.whole_head = true;
                    status
                }
                None => head,
            };
            let (code, reason) = status.split_once(' ').map_or((status, None), |(code, reason)| (code, Some(reason)));
            self.status = code.parse().ok()?;
            self.reason = reason.map(str::to_owned);
        } else {
            return None;
        }
        Some(())
    }
}

/// `\t`, `\n`, `\r`, `\\` and `\xHH` as bytes.
pub fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        bytes.push(match rest.next()? {
            b't' => b'\t',
            b'n' => b'\n',
            b'r' => b'\r',
            b'\\' => b'\\',
            b'x' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            _ => return None,
        });
    }
    Some(bytes)
}
