//! Lives through the interruption of a spot instance in no time, with a clock
//! of its own: `cargo run --example spot`.

use std::error::Error;
use std::time::{Duration, UNIX_EPOCH};

use imds_host::{Description, Runtime, Service, VirtualClock};

/// 2026-10-01T11:57:00Z, three minutes before the interruption.
const START: u64 = 1_790_855_820;

fn main() -> Result<(), Box<dyn Error>> {
    let description = Description::from_toml(
        "spot.toml",
        r#"
            instance-lifecycle = "spot"

            [spot-interruption]
            action = "terminate"
            time = "2026-10-01T12:00:00Z"
        "#,
    )?;
    let instance = Runtime::new()?.open(&description)?;

    let clock = VirtualClock::paused_at(UNIX_EPOCH + Duration::from_secs(START));
    let service = Service::new(instance).clock(clock.clone());
    for _ in 0..4 {
        let request = hyper::Request::get("/latest/meta-data/spot/instance-action").body(())?;
        let response = service.respond(request);
        println!("{}: {}", response.headers()["date"].to_str()?, response.status());
        clock.advance(Duration::from_secs(30));
    }
    Ok(())
}
