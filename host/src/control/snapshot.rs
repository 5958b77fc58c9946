use crate::control::clock::ClockState;
use crate::control::refresher::CredentialsState;
use crate::description::Description;
use crate::engine::{Happening, Status};
use crate::error::Error;

/// The instance of a [`Control`](crate::Control) at one moment, all of one revision.
///
/// ```
/// use imds_host::{Control, Runtime};
///
/// let runtime = Runtime::new()?;
/// let control = Control::open(&runtime, &Default::default())?;
/// let snapshot = control.snapshot()?;
/// assert_eq!((snapshot.revision, snapshot.state.as_str()), (1, "running"));
/// assert_eq!(snapshot.metadata_options.http_tokens, "optional");
/// assert!(snapshot.identity_document.contains("i-0123456789abcdef0"));
/// # Ok::<_, imds_host::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Snapshot {
    /// The number of the description.
    pub revision: u64,
    /// The clock at this moment.
    pub clock: ClockState,
    /// Its id.
    pub instance_id: String,
    /// `running`, `stopped` or `terminated`.
    pub state: String,
    /// How the instance was bought: `on-demand`, `spot`, `scheduled` or
    /// `capacity-block`.
    pub lifecycle: String,
    /// All metadata options, including those with their default value.
    pub metadata_options: MetadataOptions,
    /// The identity document, a JSON object with the id, type and place of the
    /// instance.
    pub identity_document: String,
    /// The changes of the instance over time, in order.
    pub timeline: Vec<Happening>,
    /// Where the credentials of the role come from, if they are real, when they end, and
    /// what failed last.
    pub credentials: Option<CredentialsState>,
    /// The description as of this moment, with edits and the changes of the timeline.
    /// It contains the secrets of the instance; see
    /// [`to_json_without_secrets`](Description::to_json_without_secrets).
    pub description: Description,
}

/// The metadata options of an instance, in EC2's words.
///
/// ```
/// use imds_host::{Control, Runtime};
///
/// let options = Control::open(&Runtime::new()?, &Default::default())?.snapshot()?.metadata_options;
/// assert_eq!((options.http_endpoint.as_str(), options.http_put_response_hop_limit), ("enabled", 1));
/// # Ok::<_, imds_host::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MetadataOptions {
    /// `enabled` or `disabled`.
    pub http_endpoint: String,
    /// `enabled` or `disabled`.
    pub http_protocol_ipv6: String,
    /// 1 to 64.
    pub http_put_response_hop_limit: u8,
    /// `optional` or `required`.
    pub http_tokens: String,
    /// `enabled` or `disabled`.
    pub instance_metadata_tags: String,
}

impl Snapshot {
    /// What the component says of an instance, at this moment of its clock.
    pub(crate) fn new(
        revision: u64,
        clock: ClockState,
        status: Status,
        credentials: Option<CredentialsState>,
    ) -> Result<Self, Error> {
        let timeline = status.timeline();
        let Status { instance_id, state, lifecycle, metadata_options: options, identity_document, description, .. } =
            status;
        let metadata_options = MetadataOptions {
            http_endpoint: options.http_endpoint,
            http_protocol_ipv6: options.http_protocol_ipv6,
            http_put_response_hop_limit: options.http_put_response_hop_limit,
            http_tokens: options.http_tokens,
            instance_metadata_tags: options.instance_metadata_tags,
        };
        Ok(Self {
            revision,
            clock,
            instance_id,
            state,
            lifecycle,
            metadata_options,
            identity_document: identity_document.text,
            timeline,
            credentials,
            description: Description::from_json("the present description", &description)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::MetadataOptions;
    use crate::{Control, Description, Runtime};

    #[test]
    fn what_is_not_stated_has_its_default() {
        let runtime = Runtime::new().unwrap();
        let of = |toml| {
            let description = Description::from_toml("test", toml).unwrap();
            Control::open(&runtime, &description).unwrap().snapshot().unwrap()
        };
        let empty = of("");
        assert_eq!((empty.state.as_str(), empty.lifecycle.as_str()), ("running", "on-demand"));
        let options = MetadataOptions {
            http_endpoint: "enabled".into(),
            http_protocol_ipv6: "disabled".into(),
            http_put_response_hop_limit: 1,
            http_tokens: "optional".into(),
            instance_metadata_tags: "disabled".into(),
        };
        assert_eq!(empty.metadata_options, options);
        let stated = of("state = 'stopped'\nmetadata-options.http-tokens = 'required'");
        assert_eq!(stated.state, "stopped");
        assert_eq!(stated.metadata_options, MetadataOptions { http_tokens: "required".into(), ..options });
    }
}
