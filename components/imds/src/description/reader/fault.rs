//! What serde tells of a value that is wrong, as a problem.

use serde::de;

use super::missing;
use crate::description::problem::{Problem, pointer_step, shown};
use crate::description::spelling;

/// A problem on its way up: each level puts its own step before the pointer.
pub struct Fault(pub Box<Problem>);

impl Fault {
    /// The same of a value that stands under `step`.
    pub fn under(mut self, step: &str) -> Fault {
        self.0.field.insert_str(0, &pointer_step(step));
        self
    }

    /// A problem of a value without a place.
    pub fn new(message: String, help: Option<String>) -> Fault {
        Fault(Box::new(Problem { message, help, ..Problem::default() }))
    }
}

impl de::Error for Fault {
    fn custom<T: core::fmt::Display>(message: T) -> Fault {
        let message = message.to_string();
        // A second line is the help, as values with a syntax of their own give it.
        let (message, help) = match message.split_once('\n') {
            Some((message, help)) => (message.to_owned(), Some(help.to_owned())),
            None => (message, None),
        };
        // What the standard library says of addresses.
        let message = match message.as_str() {
            "invalid IPv4 address syntax" => "expected an IPv4 address such as 10.0.0.10".to_owned(),
            "invalid IPv6 address syntax" => "expected an IPv6 address such as 2001:db8::10".to_owned(),
            _ => message,
        };
        Fault::new(message, help)
    }

    // Serde's own words for these would repeat the value, which may be a secret.
    fn invalid_type(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Fault {
        Fault::new(format!("expected {expected}"), None)
    }

    fn invalid_value(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Fault {
        Fault::new(format!("expected {expected}"), None)
    }

    fn unknown_field(field: &str, known: &'static [&'static str]) -> Fault {
        let mut fault =
            Fault::new(format!("unknown field `{}`", shown(field)), Some(spelling::field_help(field, known)));
        fault.0.in_name = true;
        fault
    }

    fn unknown_variant(value: &str, known: &'static [&'static str]) -> Fault {
        let message = format!("unknown value \"{}\"", shown(value));
        Fault::new(message, Some(spelling::value_help(value, known)))
    }

    fn missing_field(field: &'static str) -> Fault {
        Fault::new(missing(field), None)
    }
}

impl core::fmt::Display for Fault {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.fmt(f)
    }
}

impl core::fmt::Debug for Fault {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Display::fmt(self, f)
    }
}

impl core::error::Error for Fault {}
