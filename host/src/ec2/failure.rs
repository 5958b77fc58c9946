//! What is wrong with a call, in EC2's words.

use std::fmt;

use serde::de;

use super::xml::Element;
use crate::error::Error;

/// What a client sent, as an error may show it.
pub(super) fn shown(text: &str) -> String {
    crate::redact::text(text, SHOWN_CHARACTERS)
}

/// More than any id or name has that is meant.
const SHOWN_CHARACTERS: usize = 256;

/// An error of EC2's API: a code that programs read, and a message for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub code: &'static str,
    pub message: String,
}

/// How a message says that it is not known of which parameter a value is.
const UNNAMED: &str = ") for parameter is";

/// The codes whose status is not 400.
const STATUSES: [(&str, u16); 6] = [
    ("AccessDenied", 403),
    ("AuthFailure", 401),
    ("DryRunOperation", 412),
    ("MissingAuthenticationToken", 403),
    ("InternalError", 500),
    ("Unavailable", 503),
];

impl Failure {
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// A parameter has a value that it cannot have. `why` is a sentence.
    pub fn value(parameter: &str, value: &str, why: &str) -> Self {
        let value = shown(value);
        let space = if why.is_empty() { "" } else { " " };
        Self::new("InvalidParameterValue", format!("Value ({value}) for parameter {parameter} is invalid.{space}{why}"))
    }

    pub fn missing(parameter: &str) -> Self {
        Self::new("MissingParameter", format!("The request must contain the parameter {parameter}"))
    }

    pub fn combination(message: impl Into<String>) -> Self {
        Self::new("InvalidParameterCombination", message)
    }

    /// What EC2 can do and this cannot.
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new("UnsupportedOperation", message)
    }

    /// The call is valid, but the service failed.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new("InternalError", message)
    }

    pub fn status(&self) -> u16 {
        STATUSES.iter().find(|(code, _)| *code == self.code).map_or(400, |(_, status)| *status)
    }

    /// The answer's document.
    pub fn document(&self, request_id: &str) -> String {
        let error = Element::new("Error").text("Code", self.code).text("Message", &self.message);
        let errors = Element::new("Errors").child(error);
        Element::new("Response").child(errors).text("RequestID", request_id).document()
    }

    /// The same of what a parameter has, if it is not told yet which.
    fn at(mut self, parameter: &str) -> Self {
        // Behind the value, which a client chose.
        if self.code == "InvalidParameterValue"
            && let Some(at) = self.message.rfind(UNNAMED)
        {
            self.message.insert_str(at + UNNAMED.len() - " is".len(), &format!(" {parameter}"));
        }
        self
    }

    /// Tells of which parameter the result is, where it failed.
    pub fn of<T>(result: Result<T, Self>, parameter: &str) -> Result<T, Self> {
        result.map_err(|failure| failure.at(parameter))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Failure {}

/// What serde finds in the parameters of a call.
impl de::Error for Failure {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new("InvalidParameterValue", message.to_string())
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let field = shown(field);
        let known = if expected.is_empty() { "none".to_owned() } else { expected.join(", ") };
        Self::new("UnknownParameter", format!("The parameter {field} is not recognized. Offered here are: {known}"))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::missing(field)
    }
}

/// What the control of an instance says of a change. The rules of states are judged
/// before, in EC2's words; what is left is a value that an instance cannot have.
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Invalid(problems) => {
                let told = |problem: &crate::problem::Problem| {
                    let field = problem.field.trim_start_matches('/').replace('/', ".");
                    let place = if field.is_empty() { String::new() } else { format!("{field}: ") };
                    format!("{place}{}", problem.message)
                };
                let message = problems.list.first().map(told).unwrap_or_default();
                Self::new("InvalidParameterValue", message)
            }
            Error::Conflict { .. } => Self::new("Unavailable", "The instance was changed meanwhile. Try again."),
            Error::Full { .. } => Self::new("InstanceLimitExceeded", error.to_string()),
            Error::Key { .. } => Self::new("InvalidParameterValue", error.to_string()),
            error => Self::internal(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_written_as_ec2_writes_it() {
        let failure = Failure::new("InvalidInstanceID.NotFound", "The instance ID 'i-<1>' does not exist");
        assert_eq!(
            failure.document("r-1"),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error>\
             <Code>InvalidInstanceID.NotFound</Code><Message>The instance ID &apos;i-&lt;1&gt;&apos; does not exist</Message>\
             </Error></Errors><RequestID>r-1</RequestID></Response>"
        );
        assert_eq!(failure.status(), 400);
        assert_eq!(Failure::new("DryRunOperation", "").status(), 412);
    }
}
