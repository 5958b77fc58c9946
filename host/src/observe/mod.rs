//! What was answered, for logs, metrics and journals.

mod journal;
mod metrics;
mod observer;

pub use self::journal::{Journal, JournalEntry, Usage};
pub use self::metrics::Metrics;
pub use self::observer::{Answered, Observer, Trouble};
