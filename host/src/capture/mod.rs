//! Captures of a service: what `imds capture` writes.
//!
//! A [`Capturer`] requests everything that a service serves, in every version, through any
//! [`Asker`]. It only reads, waits if the service is busy, and records which requests got
//! no answer. It replaces secrets by made-up ones of the same form before it returns
//! anything. The result is a [`Transcript`]: requests and answers in their order, with
//! heads as they were sent.
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
mod escaped;
mod folded;
mod harmless;
mod json;
mod paths;
mod remains;
mod replacements;
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
