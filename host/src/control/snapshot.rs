use serde_json::{Map, Value};

use crate::control::clock::ClockState;
use crate::description::Description;
use crate::engine::Happening;
use crate::error::Error;

/// What an instance under [`Control`](crate::Control) is at one moment, all of one
/// revision.
///
/// ```
/// use imds_host::{Control, Runtime, VirtualClock};
///
/// let runtime = Runtime::new()?;
/// let control = Control::open(&runtime, &Default::default(), &Default::default(), VirtualClock::system())?;
/// let snapshot = control.snapshot()?;
/// assert_eq!((snapshot.revision, snapshot.state.as_str()), (1, "running"));
/// assert!(snapshot.metadata_options.contains(r#""http-tokens":"optional""#));
/// assert!(snapshot.identity_document.contains("i-0123456789abcdef0"));
/// # Ok::<_, imds_host::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Snapshot {
    /// How often the description was opened.
    pub revision: u64,
    /// The clock, at the moment as of which all else is.
    pub clock: ClockState,
    /// `running`, `stopped` or `terminated`.
    pub state: String,
    /// How the instance was bought: `on-demand`, `spot`, `scheduled` or
    /// `capacity-block`.
    pub lifecycle: String,
    /// All metadata options by EC2's names, a JSON object.
    pub metadata_options: String,
    /// The identity document, a JSON object: which instance it is, of which type,
    /// where.
    pub identity_document: String,
    /// What happens to the instance, in the order of time.
    pub timeline: Vec<Happening>,
    /// What was described and edited, and what the timeline did. It holds the
    /// secrets of the instance; see
    /// [`to_json_without_secrets`](Description::to_json_without_secrets).
    pub description: Description,
}

/// Fields of a description with their defaults, as the schema tells them.
pub(crate) struct WithDefaults {
    description: Value,
    schema: Value,
}

impl WithDefaults {
    /// Both JSON text of the component. Fails where one of them is none.
    pub(crate) fn new(description: &str, schema: &str) -> Result<Self, Error> {
        let read = |text| serde_json::from_str(text).map_err(|error| Error::Component(Box::new(error)));
        Ok(Self { description: read(description)?, schema: read(schema)? })
    }

    /// A field of the first level that holds a text.
    pub(crate) fn text(&self, name: &str) -> String {
        let default = &self.schema["properties"][name]["default"];
        self.description[name].as_str().or(default.as_str()).unwrap_or_default().to_owned()
    }

    /// The metadata options, JSON text.
    pub(crate) fn metadata_options(&self) -> String {
        let options = self.schema["$defs"]["MetadataOptions"]["properties"].as_object();
        let with_default = |(name, option): (&String, &Value)| {
            let stated = self.description["metadata-options"].get(name);
            (name.clone(), stated.unwrap_or(&option["default"]).clone())
        };
        Value::Object(options.into_iter().flatten().map(with_default).collect::<Map<_, _>>()).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Runtime;

    #[test]
    fn what_is_not_stated_has_its_default() {
        let schema = Runtime::new().unwrap().schema().unwrap();
        let of = |description| WithDefaults::new(description, &schema).unwrap();
        let empty = of("{}");
        assert_eq!((empty.text("state"), empty.text("instance-lifecycle")), ("running".into(), "on-demand".into()));
        let options = r#"{"http-endpoint":"enabled","http-protocol-ipv6":"disabled","http-put-response-hop-limit":1,"http-tokens":"optional","instance-metadata-tags":"disabled"}"#;
        assert_eq!(empty.metadata_options(), options);
        let stated = r#"{"state":"stopped","metadata-options":{"http-tokens":"required"}}"#;
        assert_eq!(of(stated).text("state"), "stopped");
        assert_eq!(of(stated).metadata_options(), options.replace("optional", "required"));
    }
}
