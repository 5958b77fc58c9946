//! What all instances of a fleet share, be they changed while they are served or not.

use std::sync::Arc;
use std::thread;

use crate::description::Description;
use crate::engine::{Runtime, Settings, Terms};
use crate::error::Error;
use crate::identity::IdentitySigning;

/// Makes the keys that sign identity documents under these terms, on a thread of
/// their own.
pub(in crate::control) fn make_keys_ahead(runtime: &Runtime, terms: &Arc<Terms>) -> Result<(), Error> {
    let (runtime, terms) = (runtime.clone(), Arc::clone(terms));
    let make = move || {
        // What fails here is tried again when a signature is asked for.
        let _ = match &terms.identity_signing {
            IdentitySigning::MadeBy(maker) => maker.keys(),
            _ => runtime.identity_keys(),
        };
    };
    thread::Builder::new().name("imds-signatures".into()).spawn(make).map(drop).map_err(Error::System)
}

/// Terms for many, for which a secret is made where there is none. Fails where the
/// component refuses the settings.
pub(in crate::control) fn terms_of_many(runtime: &Runtime, settings: &Settings) -> Result<Arc<Terms>, Error> {
    let terms = Arc::new(Terms::new(settings)?);
    // Tells what is wrong with the secret, which no key makes longer here.
    runtime.judge(&Description::default(), Arc::clone(&terms))?;
    Ok(terms)
}
