//! The id of an instance under control, which costs a call of the component and is
//! remembered.

use std::sync::{Arc, PoisonError};

use super::{Control, Present};
use crate::engine::Clock as _;
use crate::error::Error;

impl Control {
    /// The id of the instance, as its identity document has it.
    ///
    /// Takes the time of [`snapshot`](Self::snapshot) once for each revision.
    ///
    /// ```
    /// # use imds_host::{Control, Runtime};
    /// let control = Control::open(&Runtime::new()?, &Default::default())?;
    /// assert_eq!(&*control.instance_id()?, "i-0123456789abcdef0");
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn instance_id(&self) -> Result<Arc<str>, Error> {
        let present = self.present();
        if let Some(id) = present.id.get() {
            return Ok(Arc::clone(id));
        }
        let id = Arc::from(self.status_at(&present, self.shared.clock.now_ms())?.instance_id);
        self.remember(&present, &id);
        Ok(id)
    }

    /// Keeps the id for the next one who asks, unless there is another revision by now.
    pub(super) fn remember(&self, present: &Present, id: &Arc<str>) {
        let now = self.shared.present.read().unwrap_or_else(PoisonError::into_inner);
        if now.revision == present.revision {
            let _ = now.id.set(Arc::clone(id));
        }
    }
}
