//! Captures: whole or honest, without secrets, and what comes of them.

use std::time::{Duration, SystemTime};

use imds_host::capture::{Capturer, InProcess, Transcript};
use imds_host::{Description, Runtime};

/// 2026-10-01T00:00:00Z and a little.
fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(1_790_812_830_000)
}

fn runtime() -> Runtime {
    Runtime::new().unwrap_or_else(|error| panic!("{error}"))
}

fn served(runtime: &Runtime, toml: &str) -> InProcess {
    let description = Description::from_toml("test", toml).unwrap_or_else(|error| panic!("{error}"));
    InProcess::new(runtime.open(&description).unwrap_or_else(|error| panic!("{toml}: {error}")), now())
}

fn capturer() -> Capturer {
    Capturer::new().unwrap_or_else(|error| panic!("{error}"))
}

fn captured(capturer: &Capturer, served: &mut InProcess) -> Transcript {
    capturer.capture("http://169.254.169.254", served).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn the_service_that_was_captured_answers_the_same() {
    let runtime = runtime();
    for toml in ["", "metadata-options = { http-tokens = 'required' }", include_str!("../instances/everything.toml")] {
        let mut service = served(&runtime, toml);
        let transcript = captured(&capturer(), &mut service);
        assert!(transcript.header.missing.is_empty(), "{:?}", transcript.header.missing);
        let comparison = transcript.compare(&mut service);
        assert!(comparison.differences.is_empty(), "{:#?}", comparison.differences);
        let mut file = Vec::new();
        transcript.write(&mut file).expect("memory takes it");
        assert_eq!(Transcript::read_from(&file[..]).as_ref(), Ok(&transcript));
    }
}
