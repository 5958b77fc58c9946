// JUnit's reports, as CI services read them.

use std::io;
use std::time::{Duration, SystemTime};

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

/// A document with one suite of tests.
pub struct Suite<'s> {
    pub name: &'s str,
    pub started: SystemTime,
    pub took: Duration,
    pub properties: Vec<(&'static str, String)>,
    pub tests: Vec<Test>,
    /// What is printed of it all, besides; empty for nothing.
    pub out: String,
}

pub struct Test {
    pub name: String,
    pub class: String,
    pub took: Duration,
    pub result: TestResult,
}

pub enum TestResult {
    Passed,
    /// Its message, and what it says in full.
    Failed(String, String),
    /// Why.
    Skipped(String),
}

type Xml = Writer<Vec<u8>>;

impl Suite<'_> {
    /// The document as text.
    pub fn text(&self) -> io::Result<String> {
        let number =
            |is: fn(&TestResult) -> bool| self.tests.iter().filter(|test| is(&test.result)).count().to_string();
        let numbers = [
            ("tests", self.tests.len().to_string()),
            ("failures", number(|result| matches!(result, TestResult::Failed(..)))),
            ("errors", "0".to_owned()),
        ];
        let skipped = number(|result| matches!(result, TestResult::Skipped(_)));
        let seconds = seconds(self.took);
        let mut xml = Writer::new_with_indent(Vec::new(), b' ', 2);
        xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
        let suites = xml.create_element("testsuites").with_attribute(("name", self.name));
        let suites =
            numbers.iter().fold(suites, |suites, (name, number)| suites.with_attribute((*name, number.as_str())));
        suites.with_attribute(("time", seconds.as_str())).write_inner_content(|xml| {
            let started = humantime::format_rfc3339_seconds(self.started).to_string();
            let suite = xml.create_element("testsuite").with_attribute(("name", self.name));
            let suite =
                numbers.iter().fold(suite, |suite, (name, number)| suite.with_attribute((*name, number.as_str())));
            let suite = suite.with_attributes([
                ("skipped", skipped.as_str()),
                ("time", seconds.as_str()),
                ("timestamp", started.trim_end_matches('Z')),
            ]);
            suite.write_inner_content(|xml| self.write(xml))?;
            Ok(())
        })?;
        let text = String::from_utf8(xml.into_inner()).map_err(io::Error::other)?;
        Ok(text + "\n")
    }

    fn write(&self, xml: &mut Xml) -> io::Result<()> {
        xml.create_element("properties").write_inner_content(|xml| {
            for (name, value) in &self.properties {
                let property = xml.create_element("property").with_attribute(("name", *name));
                property.with_attribute(("value", allowed(value).as_str())).write_empty()?;
            }
            Ok(())
        })?;
        self.tests.iter().try_for_each(|test| test.write(xml))?;
        if !self.out.is_empty() {
            xml.create_element("system-out").write_text_content(BytesText::new(&allowed(&self.out)))?;
        }
        Ok(())
    }
}

impl Test {
    fn write(&self, xml: &mut Xml) -> io::Result<()> {
        let test = xml.create_element("testcase").with_attributes([
            ("name", allowed(&self.name).as_str()),
            ("classname", self.class.as_str()),
            ("time", seconds(self.took).as_str()),
        ]);
        match &self.result {
            TestResult::Passed => test.write_empty()?,
            TestResult::Failed(message, why) => test.write_inner_content(|xml| {
                let failure = xml.create_element("failure").with_attribute(("message", allowed(message).as_str()));
                failure.write_text_content(BytesText::new(&allowed(why)))?;
                Ok(())
            })?,
            TestResult::Skipped(why) => test.write_inner_content(|xml| {
                xml.create_element("skipped").with_attribute(("message", allowed(why).as_str())).write_empty()?;
                Ok(())
            })?,
        };
        Ok(())
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.3}", time.as_secs_f64())
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
