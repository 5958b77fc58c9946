//! Whether an image can run on an instance type.

use serde_json::Value;

use super::super::Context;
use super::super::failure::Failure;
use crate::control::ControlledFleet;
use crate::description::Description;
use crate::engine::Clock as _;

/// The component's rule for an instance type with another architecture.
const MISMATCH: &str = "architecture-mismatch";

/// Refuses an image on a type of another architecture, if the image's architecture is
/// known: from the flags, or from an instance with the same image.
pub(super) fn judge(context: &Context<'_>, fleet: &ControlledFleet, described: &Value) -> Result<(), Failure> {
    let stated = described["architecture"].as_str().map(str::to_owned);
    let known = match (stated, described["image-id"].as_str()) {
        (None, Some(image)) => context.architecture_of(image)?,
        (stated, _) => stated,
    };
    let Some(of_image) = known else { return Ok(()) };
    let with = |architecture: Option<&str>| {
        let mut described = described.clone();
        if let Some(fields) = described.as_object_mut() {
            fields.remove("architecture");
            fields.extend(architecture.map(|architecture| ("architecture".to_owned(), architecture.into())));
        }
        Description::from_json("the launch", &described.to_string())
    };
    // The component knows the architectures of a type.
    let warnings = fleet.runtime().warnings(&with(Some(&of_image))?, fleet.clock().now())?;
    if warnings.list.iter().all(|warning| warning.name != MISMATCH) {
        return Ok(());
    }
    let of_type = with(None)?.to_json();
    let status = fleet.runtime().status(&of_type, fleet.clock().now_ms(), None)?;
    let document = status.map(|status| status.identity_document.text).unwrap_or_default();
    let document: Value = serde_json::from_str(&document).unwrap_or_default();
    let message = format!(
        "The architecture '{}' of the specified instance type does not match the architecture '{of_image}' of the \
         specified AMI. Specify an instance type and an AMI that have matching architectures, and try again.",
        document["architecture"].as_str().unwrap_or_default()
    );
    Err(Failure::new("InvalidParameterValue", message))
}
