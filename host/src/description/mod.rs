//! What an instance is, as an operator writes it: TOML and JSON read with the place
//! of every field, what is wrong with them, and the scenarios that ship.

mod diagnostics;
mod document;
mod excerpt;
mod form;
mod lines;
mod read;
mod rfc3339;
mod scenario;
mod secrets;
mod start;
mod warning;

use std::fmt;
use std::io::Read;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::description::diagnostics::{in_the_order_of_the_text, locate, place_each};
use crate::description::document::{Node, Value, json_string};
use crate::description::form::Form;
use crate::description::read::{BYTES_MAX, read_text, text_of};
use crate::error::Error;
use crate::problem::{Finding, NamedFindings, Problem, Problems, segments};

pub(crate) use self::rfc3339::{LAST_MS, rfc3339};
pub use self::scenario::Scenario;
#[cfg(feature = "conform")]
pub(crate) use self::secrets::tag_names_secret;
pub(crate) use self::start::Start;
pub use self::warning::{Warning, Warnings};

/// The description of an instance, read from TOML or JSON but not validated:
/// [`Runtime::open`](crate::Runtime::open) does that.
///
/// It keeps the text, so errors have places in it. Its `Debug` form is redacted. The
/// default is the empty document, which describes a complete instance.
///
/// ```
/// use imds_host::{Description, Runtime};
///
/// let mut description = Description::from_toml("my.toml", r#"
///     instance-type = "m7g.large"
/// "#)?;
/// description.set_text("/metadata-options/http-tokens", "required", "--http-tokens");
/// Runtime::new()?.open(&description)?;
/// # Ok::<_, imds_host::Error>(())
/// ```
#[derive(Clone)]
pub struct Description {
    source: String,
    form: Form,
    text: String,
    document: Node,
}

impl Description {
    /// The most that one has as JSON text after an edit: as much as a file.
    pub(crate) const BYTES_MAX: usize = BYTES_MAX as usize;

    /// Reads a file: TOML if its name ends in `.toml`, JSON if in `.json`, otherwise
    /// JSON if the first character is `{` and TOML if not.
    ///
    /// Fails with [`Error::Read`] if the file cannot be read, is a directory, is larger
    /// than 1 MiB or is not UTF-8, and with [`Error::Invalid`] if the text is not TOML
    /// or JSON. It waits for the writer of a named pipe, as the system does.
    ///
    /// ```no_run
    /// let description = imds_host::Description::read("instance.toml")?;
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn read(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let text = text_of(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
        Self::parse(&path.display().to_string(), &text)
    }

    /// Reads from a stream, with the limits of [`read`](Self::read). `name` takes the
    /// place of the file's name.
    ///
    /// ```
    /// let description = imds_host::Description::read_from("(pipe)", &b"{}"[..])?;
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn read_from(name: &str, stream: impl Read) -> Result<Self, Error> {
        let text = read_text(stream).map_err(|source| Error::Read { path: name.into(), source })?;
        Self::parse(name, &text)
    }

    /// Parses a text; `name` decides about its format as in [`read`](Self::read).
    ///
    /// ```
    /// let description = imds_host::Description::parse("my.json", "{}")?;
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn parse(name: &str, text: &str) -> Result<Self, Error> {
        Self::new(name, text, Form::of(name, text))
    }

    /// Parses TOML; `name` is for errors.
    ///
    /// ```
    /// let description = imds_host::Description::from_toml("my.toml", "")?;
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn from_toml(name: &str, text: &str) -> Result<Self, Error> {
        Self::new(name, text, Form::Toml)
    }

    /// Parses JSON; `name` is for errors.
    ///
    /// ```
    /// let description = imds_host::Description::from_json("my.json", "{}")?;
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn from_json(name: &str, text: &str) -> Result<Self, Error> {
        Self::new(name, text, Form::Json)
    }

    fn new(name: &str, text: &str, form: Form) -> Result<Self, Error> {
        // Some editors put this mark before the text; it is not part of it.
        let text = text.trim_start_matches('\u{feff}');
        let document = form.read(text).map_err(|list| Error::Invalid(Problems { source: name.to_owned(), list }))?;
        Ok(Self { source: name.to_owned(), form, text: text.to_owned(), document })
    }

    /// Sets a field, given as a JSON Pointer, over the value in the text. Problems of
    /// the field name `by` in place of a line of the text.
    ///
    /// ```
    /// let mut description = imds_host::Description::default();
    /// description.set_text("/instance-id", "i-0123456789abcdef0", "--instance-id");
    /// assert_eq!(description.to_json(), r#"{"instance-id":"i-0123456789abcdef0"}"#);
    /// ```
    pub fn set_text(&mut self, field: &str, value: &str, by: &str) {
        self.set(field, json_string(value), by);
    }

    /// Sets a field to a number; otherwise like [`set_text`](Self::set_text).
    ///
    /// ```
    /// let mut description = imds_host::Description::default();
    /// description.set_number("/metadata-options/http-put-response-hop-limit", 2, "--http-put-response-hop-limit");
    /// ```
    pub fn set_number(&mut self, field: &str, value: u64, by: &str) {
        self.set(field, value.to_string(), by);
    }

    /// Sets a field to any JSON value; otherwise like [`set_text`](Self::set_text). A
    /// text that is not JSON becomes a string.
    ///
    /// ```
    /// let mut description = imds_host::Description::default();
    /// description.set_json("/public-ip-address", "false", "--set public-ip-address");
    /// assert_eq!(description.to_json(), r#"{"public-ip-address":false}"#);
    /// ```
    pub fn set_json(&mut self, field: &str, value: &str, by: &str) {
        match serde_json::from_str(value) {
            Ok(value) => self.document.set(&segments(field).collect::<Vec<_>>(), Value::of_json(value, by), by),
            Err(_) => self.set_text(field, value, by),
        }
    }

    /// Adds names to `allow-warnings`, which suppress these warnings for this
    /// description. Problems name `by` as their source.
    ///
    /// ```
    /// use imds_host::{Description, Runtime};
    ///
    /// let mut description = Description::from_toml("my.toml", "instance-type = 't9.micro'")?;
    /// description.allow_warnings(["unknown-instance-type"], "--allow-warning");
    /// assert!(Runtime::new()?.warnings(&description, std::time::SystemTime::now())?.list.is_empty());
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn allow_warnings<'n>(&mut self, names: impl IntoIterator<Item = &'n str>, by: &str) {
        for name in names {
            self.document.append("allow-warnings", json_string(name), by);
        }
    }

    /// Sets the user data to these bytes, in place of any that the text has.
    ///
    /// ```
    /// let mut description = imds_host::Description::default();
    /// description.set_user_data(b"#!/bin/sh\n", "--user-data");
    /// assert_eq!(description.to_json(), r#"{"user-data-base64":"IyEvYmluL3NoCg=="}"#);
    /// ```
    pub fn set_user_data(&mut self, bytes: &[u8], by: &str) {
        self.document.remove("user-data");
        self.set_text("/user-data-base64", &STANDARD.encode(bytes), by);
    }

    /// Lets its relative times count from `start`, unless it has a `timeline-start`:
    /// sets that field. Without it they count from the launch time. A
    /// [`Control`](crate::Control) calls it.
    ///
    /// ```
    /// let mut description = imds_host::Description::from_toml("my.toml", "timeline = [{ at = '+5m' }]")?;
    /// description.start_at(std::time::UNIX_EPOCH);
    /// assert!(description.to_json().contains(r#""timeline-start":"1970-01-01T00:00:00.000Z""#));
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn start_at(&mut self, start: SystemTime) {
        if !self.document.has("timeline-start") {
            self.set_text("/timeline-start", &start_text(start), "the start");
        }
    }

    /// The instance id, if the description states one. Each of many instances must have
    /// its own.
    ///
    /// ```
    /// let description = imds_host::Description::from_toml("my.toml", "instance-id = 'i-0123456789abcdef7'")?;
    /// assert_eq!(description.instance_id().as_deref(), Some("i-0123456789abcdef7"));
    /// assert_eq!(imds_host::Description::default().instance_id(), None);
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn instance_id(&self) -> Option<String> {
        self.document.text("instance-id")
    }

    /// The document as JSON text, as the component reads it.
    ///
    /// ```
    /// let description = imds_host::Description::from_toml("my.toml", "tags = { Name = 'web' }")?;
    /// assert_eq!(description.to_json(), r#"{"tags":{"Name":"web"}}"#);
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn to_json(&self) -> String {
        self.document.to_string()
    }

    /// Like [`to_json`](Self::to_json), with `"(hidden)"` in place of anything that may
    /// be a secret, to show or to log: user data, credentials, the texts of extra
    /// entries, private keys, and the values of tags whose names suggest a secret.
    ///
    /// ```
    /// let text = "user-data = 'PW=hunter2'\ninstance-type = 'm7g.large'";
    /// let description = imds_host::Description::from_toml("my.toml", text)?;
    /// let shown = r#"{"user-data":"(hidden)","instance-type":"m7g.large"}"#;
    /// assert_eq!(description.to_json_without_secrets(), shown);
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn to_json_without_secrets(&self) -> String {
        self.document.without_secrets().to_string()
    }

    /// Adds the places in this text to problems that another process, for instance,
    /// found in its JSON.
    ///
    /// ```
    /// use imds_host::{Description, Error, Runtime};
    ///
    /// let typed = Description::from_toml("typed", "instance-type = 3")?;
    /// let sent = Description::from_json("sent", &typed.to_json())?;
    /// let Err(Error::Invalid(found)) = Runtime::new()?.open(&sent) else { panic!() };
    /// let problems = typed.place_problems(found.list);
    /// assert!(problems.to_string().contains("--> typed:1:17 (instance-type)"));
    /// # Ok::<_, Error>(())
    /// ```
    pub fn place_problems(&self, problems: Vec<Problem>) -> Problems {
        let finding = |Problem { field, in_name, message, help, .. }| Finding { field, in_name, message, help };
        self.locate(problems.into_iter().map(finding).collect())
    }

    /// The name of the text.
    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    /// What the component found, with the places in the text.
    pub(crate) fn locate(&self, findings: Vec<Finding>) -> Problems {
        let mut list = locate(findings, &self.text, &self.document);
        list.iter_mut().for_each(|problem| self.form.put_in_its_words(problem));
        Problems { source: self.source.clone(), list }
    }

    /// What the component warns of, with the places in the text.
    pub(crate) fn locate_warnings(&self, found: NamedFindings) -> Warnings {
        let (names, findings): (Vec<_>, Vec<_>) = found.into_iter().unzip();
        let mut problems = place_each(findings, &self.text, &self.document);
        problems.iter_mut().for_each(|problem| self.form.put_in_its_words(problem));
        let mut list: Vec<_> =
            names.into_iter().zip(problems).map(|(name, problem)| Warning { name, problem }).collect();
        list.sort_by_key(|warning| in_the_order_of_the_text(&warning.problem));
        Warnings { source: self.source.clone(), list }
    }

    fn set(&mut self, field: &str, literal: String, by: &str) {
        let names: Vec<_> = segments(field).collect();
        self.document.set(&names, Value::Literal(literal), by);
    }
}

impl Default for Description {
    fn default() -> Self {
        Self { source: "the default instance".into(), form: Form::Json, text: String::new(), document: Node::empty() }
    }
}

impl fmt::Debug for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Description")
            .field("source", &self.source)
            .field("text", &format_args!("<{} bytes>", self.text.len()))
            .finish_non_exhaustive()
    }
}

/// A start as descriptions write it.
fn start_text(start: SystemTime) -> String {
    let since = start.duration_since(UNIX_EPOCH).unwrap_or_default();
    rfc3339(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn toml_becomes_json_in_the_order_of_the_text() {
        let text = "z = 1\na.b = [1.5, true, 2026-11-23T08:00:00Z]\n[m]\nx = 0xff\n";
        let description = Description::from_toml("my.toml", text).unwrap();
        assert_eq!(description.to_json(), r#"{"z":1,"a":{"b":[1.5,true,"2026-11-23T08:00:00Z"]},"m":{"x":255}}"#);
    }

    #[test]
    fn json_keeps_order_and_repeated_names() {
        let text = r#"{ "b": [1, {"x": null}], "a": "é", "b": 2e3 }"#;
        let description = Description::from_json("my.json", text).unwrap();
        assert_eq!(description.to_json(), r#"{"b":[1,{"x":null}],"a":"é","b":2e3}"#);
    }

    #[test]
    fn a_value_set_over_the_text_replaces_it() {
        let text = "[metadata-options]\nhttp-tokens = 'optional'\nhttp-endpoint = 'enabled'\n";
        let mut description = Description::from_toml("my.toml", text).unwrap();
        description.set_text("/metadata-options/http-tokens", "required", "--http-tokens");
        assert_eq!(
            description.to_json(),
            r#"{"metadata-options":{"http-endpoint":"enabled","http-tokens":"required"}}"#
        );
    }
}
