//! What an operator does to an instance, as a change says it.

use super::SpotAction;
use super::field::{Shape, Shaped};
use super::json::Json;
use super::problem::Problem;
use super::reader;
use crate::time::Time;

/// The field of a change that holds it.
pub(crate) const FIELD: &str = "operation";

/// Something that an operator does to an instance.
pub enum Operation {
    /// What one word says.
    Verb(Verb),
    /// The interruption of a spot instance.
    Interrupt(Interruption),
}

words! {
    /// What an operator does to an instance, in one word.
    Verb {
        #[default] Stop = "stop", Start = "start", Reboot = "reboot", Terminate = "terminate", Rebalance = "rebalance",
    }
}

tables! {
    /// The interruption of a spot instance.
    Interruption {
        /// What becomes of the instance: terminated, or stopped. Before hibernation there is no notice, and the
        /// instance is stopped ten seconds after its time. Default terminate.
        action: SpotAction,
        /// When, not before now. Default: two minutes from now, at once for hibernate.
        time: Option<Time>,
        /// Whether the instance is only told of it: at its time nothing happens. Default false.
        notice_only: bool,
    }
}

entries! {
    /// An operation that is one word.
    OneWord {
        /// The word.
        operation: Verb,
    }

    /// An operation that is a table.
    OneTable {
        /// The table.
        operation: Interrupt,
    }

    /// An interruption, by its name.
    Interrupt {
        /// The interruption.
        interrupt: Interruption,
    }
}

// Of what a word says nothing is known.
impl Shaped for Operation {
    const SHAPE: Shape = Interrupt::SHAPE;
}

impl Operation {
    /// Reads the field `operation` of a change, in which no time is relative.
    pub(crate) fn read(value: Json) -> Result<Operation, Vec<Problem>> {
        let is_table = matches!(value, Json::Object(_));
        let change = Json::Object(vec![(FIELD.to_owned(), value)]);
        if is_table {
            return reader::read(&change).map(|OneTable { operation }| Operation::Interrupt(operation.interrupt));
        }
        let read = reader::read(&change).map(|OneWord { operation }| Operation::Verb(operation));
        read.map_err(|problems| problems.into_iter().map(with_interrupt).collect())
    }
}

/// A problem of a word that is none, with what is an operation and no word.
fn with_interrupt(problem: Problem) -> Problem {
    let help = problem.help.clone().unwrap_or_default();
    problem.help(format!("{help}, or {{\"interrupt\": {{}}}}"))
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Operation {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Operation".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let choices = [generator.subschema_for::<Verb>(), generator.subschema_for::<Interrupt>()];
        schemars::json_schema!({
            "description": "Something that an operator does to the instance, in one step. Only a change of now has one, \
                no entry of a timeline.",
            "anyOf": choices,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Operation, Problem> {
        let value = Json::parse(text).unwrap_or_else(|problem| panic!("{problem}"));
        Operation::read(value).map_err(|mut problems| problems.remove(0))
    }

    #[test]
    fn an_operation_is_a_word_or_an_interruption() {
        assert!(matches!(read(r#""reboot""#), Ok(Operation::Verb(Verb::Reboot))));
        let Ok(Operation::Interrupt(interruption)) = read(r#"{"interrupt": {"action": "stop"}}"#) else {
            panic!("it is an interruption")
        };
        assert_eq!((interruption.action, interruption.time, interruption.notice_only), (SpotAction::Stop, None, false));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for (text, field, message) in [
            (r#""interrupt""#, "/operation", "unknown value \"interrupt\""),
            ("7", "/operation", "expected a string, found a whole number"),
            ("null", "/operation", "expected a string, found null"),
            ("{}", "/operation", "field `interrupt` is missing here"),
            (r#"{"interupt": {}}"#, "/operation/interupt", "unknown field `interupt`"),
            (r#"{"interrupt": true}"#, "/operation/interrupt", "expected an object, found a boolean"),
            (r#"{"interrupt": {"action": "end"}}"#, "/operation/interrupt/action", "unknown value \"end\""),
            (r#"{"interrupt": {"in": "5m"}}"#, "/operation/interrupt/in", "unknown field `in`"),
        ] {
            let problem = read(text).err().unwrap_or_else(|| panic!("{text} is no operation"));
            assert_eq!((problem.field.as_str(), problem.message.as_str()), (field, message));
        }
        let problem = read(r#""interrupt""#).err().and_then(|problem| problem.help);
        assert_eq!(
            problem.as_deref(),
            Some("known: stop, start, reboot, terminate, rebalance, or {\"interrupt\": {}}")
        );
    }
}
