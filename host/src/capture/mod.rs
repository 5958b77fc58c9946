//! Captures of a service: what `imds capture` writes.
//!
//! A [`Capturer`] asks any [`Asker`] for everything that it serves, in every version. It
//! only reads, waits where the service is busy, and notes what it could not have. Secrets
//! are replaced by made-up ones of the same form before anybody sees them. What comes of
//! it is a [`Transcript`]: requests and answers in their order, with heads as they came.
//!
//! ```
//! use imds_host::Runtime;
//! use imds_host::capture::{Capturer, InProcess};
//! use std::time::SystemTime;
//!
//! let now = SystemTime::now();
//! let runtime = Runtime::new()?;
//! let mut service = InProcess::new(runtime.open(&Default::default())?, now);
//! let transcript = Capturer::new()?.capture("http://127.0.0.1:1338", &mut service)?;
//!
//! // The same service answers the same.
//! assert!(transcript.compare(&mut service).differences.is_empty());
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

mod anonymize;
mod asker;
mod capturer;
mod compare;
mod crawl;
mod describe;
mod disguise;
mod paths;
mod secrets;
mod session;
mod transcript;
mod wrong;

pub use asker::{Asker, InProcess};
pub use capturer::{CaptureError, Capturer, Progress};
pub use compare::{Comparison, Difference};
pub use describe::CapturedDescription;
pub use transcript::{Answered, Asked, Exchange, Missing, Replaced, Transcript, TranscriptHeader};
pub use wrong::WrongTranscript;
