// The report as JUnit has it, which CI services show: a test for the command's status,
// and one for its use of version 2.

use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::Reported;
use crate::cli::asked::{Request, Times};

type Xml = Writer<Vec<u8>>;

const SUITE: &str = "imds run";

pub fn text(reported: &Reported<'_>) -> io::Result<String> {
    let tests = tests(reported);
    let failures = tests.iter().filter(|test| test.failure.is_some()).count();
    let numbers = [("tests", tests.len().to_string()), ("failures", failures.to_string()), ("errors", "0".to_owned())];
    let seconds = format!("{:.3}", reported.took.as_secs_f64());
    let mut xml = Writer::new_with_indent(Vec::new(), b' ', 2);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let suites = xml.create_element("testsuites").with_attribute(("name", SUITE));
    let suites = numbers.iter().fold(suites, |suites, (name, number)| suites.with_attribute((*name, number.as_str())));
    suites.with_attribute(("time", seconds.as_str())).write_inner_content(|xml| {
        let started = humantime::format_rfc3339_seconds(reported.started).to_string();
        let suite = xml.create_element("testsuite").with_attribute(("name", SUITE));
        let suite = numbers.iter().fold(suite, |suite, (name, number)| suite.with_attribute((*name, number.as_str())));
        let suite = suite.with_attributes([
            ("skipped", "0"),
            ("time", seconds.as_str()),
            ("timestamp", started.trim_end_matches('Z')),
        ]);
        suite.write_inner_content(|xml| {
            properties(xml, reported)?;
            tests.iter().try_for_each(|test| test.write(xml, &seconds))?;
            let lines: Vec<String> = reported.counts.sorted().into_iter().map(line).collect();
            written(xml, "system-out", &lines.join("\n"))
        })?;
        Ok(())
    })?;
    let text = String::from_utf8(xml.into_inner()).map_err(io::Error::other)?;
    Ok(text + "\n")
}

struct Test {
    name: &'static str,
    /// Its message, and what it says in full.
    failure: Option<(String, String)>,
}

fn tests(reported: &Reported<'_>) -> Vec<Test> {
    let program = &reported.program;
    let failure = match (reported.has_run, reported.status) {
        (false, status) => Some(format!("{program} could not be run: {status}")),
        (true, 0) => None,
        (true, status) => Some(format!("{program} ended with {status}")),
    };
    let command = Test { name: "the command succeeds", failure: failure.map(|message| (message.clone(), message)) };
    let version = reported.verdict.map(|verdict| {
        let failure = (!verdict.passed).then(|| {
            let why = verdict.why();
            (why.lines().next().unwrap_or_default().trim_end_matches(':').to_owned(), why)
        });
        Test { name: "the command asks with session tokens (--require-v2)", failure }
    });
    [command].into_iter().chain(version).collect()
}

impl Test {
    fn write(&self, xml: &mut Xml, seconds: &str) -> io::Result<()> {
        let test = xml.create_element("testcase").with_attributes([
            ("name", self.name),
            ("classname", SUITE),
            ("time", seconds),
        ]);
        match &self.failure {
            None => test.write_empty()?,
            Some((message, why)) => test.write_inner_content(|xml| {
                let failure = xml.create_element("failure").with_attribute(("message", allowed(message).as_str()));
                failure.write_text_content(BytesText::new(&allowed(why)))?;
                Ok(())
            })?,
        };
        Ok(())
    }
}

fn properties(xml: &mut Xml, reported: &Reported<'_>) -> io::Result<()> {
    let counts = reported.counts;
    let all = [
        ("version-1", counts.version_1()),
        ("version-1-rejected", counts.version_1_rejected()),
        ("version-2", counts.version_2),
        ("unknown", counts.unknown),
        ("exit-status", u64::from(reported.status_kept())),
    ];
    xml.create_element("properties").write_inner_content(|xml| {
        for (name, value) in all {
            let property = xml.create_element("property").with_attribute(("name", name));
            property.with_attribute(("value", value.to_string().as_str())).write_empty()?;
        }
        Ok(())
    })?;
    Ok(())
}

fn line((request, times): (&Request, &Times)) -> String {
    let Request { method, target, user_agent, version } = request;
    let mut line = format!("{} {method} {target}", times.all);
    line += &version.map_or_else(String::new, |version| format!(", version {version}"));
    for (status, number) in &times.statuses {
        line += &match status {
            Some(status) => format!(", {number} with {status}"),
            None => format!(", {number} without an answer"),
        };
    }
    line.extend(user_agent.iter().map(|agent| format!(", by {agent}")));
    line.extend(times.processes.iter().map(|process| format!(", {process}")));
    line
}

fn written(xml: &mut Xml, name: &str, text: &str) -> io::Result<()> {
    xml.create_element(name).write_text_content(BytesText::new(&allowed(text)))?;
    Ok(())
}

/// A text with a mark for each character that XML 1.0 does not allow, however it is
/// written.
fn allowed(text: &str) -> String {
    let is_allowed = |c: &char| matches!(c, '\t' | '\n' | ' '..='\u{fffd}' | '\u{10000}'..);
    text.chars().map(|c| if is_allowed(&c) { c } else { '\u{fffd}' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_does_not_allow_is_marked() {
        assert_eq!(allowed("a\u{0}\u{1b}\u{ffff}\n<é😀"), "a\u{fffd}\u{fffd}\u{fffd}\n<é😀");
    }
}
