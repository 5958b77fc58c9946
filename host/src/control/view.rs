use std::sync::Arc;

use serde_json::json;

use super::Control;
use crate::description::Description;
use crate::engine::{Instance, Opening};
use crate::error::Error;

impl Control {
    /// The instance of a description, as its own metadata service would show it were
    /// nothing in the way: it runs, asks for no token and fails on no purpose; its
    /// tags are in the description. Nobody is served by it, so the journal knows nothing of its answers.
    ///
    /// What other APIs than the metadata service tell of the instance is read there,
    /// so that both always tell the same.
    pub(crate) fn in_plain_view(&self, description: &str) -> Result<Instance, Error> {
        let shared = &*self.shared;
        let plain = json!({
            "state": "running",
            "timeline": false,
            "faults": null,
            "request-throttle": false,
            "extra-entries": null,
            "metadata-options": {
                "http-endpoint": "enabled",
                "http-tokens": "optional",
                // EC2 takes tags that the metadata service could not show.
                "instance-metadata-tags": "disabled",
            },
        });
        let json = shared.runtime.edit_text(description, &plain.to_string(), None, self.key())?;
        let json = json.map_err(|findings| Error::Invalid(Description::default().locate(findings)))?;
        let opening = Opening::of_json(json.into(), Arc::clone(&shared.terms), shared.key.clone());
        Ok(Instance::new(shared.runtime.clone(), shared.runtime.next_id(), opening))
    }
}
