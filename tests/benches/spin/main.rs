//! The adapter on Spin, beside the least that Spin can serve.
//!
//! ```sh
//! cargo bench --bench spin
//! ```
//!
//! Needs a `spin` of version 4.1 or later on the path, and `redis-server` for the
//! last lines. All applications run at once and take turns, since a machine is never
//! quiet for long: each figure is of all rounds together, and the ratio that of the
//! rates. Clients keep their connections, ask and wait, and leave the system's delayed
//! acknowledgements as they are: an answer in two pieces costs them 40 ms. The last
//! column has how many of a hundred came so, of the minimal handler and of the adapter.

mod app;
mod client;
#[path = "../../all/spin/program.rs"]
mod program;
mod redis;

use std::time::Duration;

use app::App;
use client::Figures;

const ROUNDS: usize = 6;
const ROUND: Duration = Duration::from_secs(2);
const GUESTS: usize = 10_000;

fn main() {
    let Some(spin) = program::find() else {
        println!("no Spin program of version 4.1 or later is on the path");
        return;
    };
    let built = app::Built::make(&spin);
    println!(
        "{:<24} {:>11} {:>8} {:>8} {:>6} {:>15} {:>15} {:>13}",
        "answers a second",
        "connections",
        "minimal",
        "adapter",
        "ratio",
        "minimal p50/p99",
        "adapter p50/p99",
        "% in pieces"
    );
    let apps = [App::start(&spin, &built.minimal, &[]), App::start(&spin, &built.adapter, &[])];
    compare("wasi:http 0.3", &apps, &[1, 8], 1);
    drop(apps);
    let apps = [App::start(&spin, &built.minimal_0_2, &[]), App::start(&spin, &built.adapter_0_2, &[])];
    compare("wasi:http 0.2", &apps, &[1, 8], 1);
    drop(apps);
    let Some(redis) = redis::Redis::start() else {
        println!("no redis-server is on the path");
        return;
    };
    redis.fill(GUESTS);
    let config = redis.runtime_config();
    let callers = ["--runtime-config-file", &config, "--variable", "callers=header:x-guest"];
    let apps = [App::start(&spin, &built.get, &callers[..2]), App::start(&spin, &built.adapter, &callers)];
    compare("one of 10,000 in Redis", &apps, &[1, 8], GUESTS);
}

/// Prints a line for each number of connections.
fn compare(name: &str, apps: &[App; 2], connections: &[usize], guests: usize) {
    for &connections in connections {
        let mut figures = [Figures::default(), Figures::default()];
        for app in apps {
            client::round(app.address, connections, guests, ROUND / 4);
        }
        for _ in 0..ROUNDS {
            for (app, figures) in apps.iter().zip(&mut figures) {
                figures.add(client::round(app.address, connections, guests, ROUND));
            }
        }
        let [minimal, adapter] = &mut figures;
        println!(
            "{name:<24} {connections:>11} {:>8.0} {:>8.0} {:>6.2} {:>15} {:>15} {:>6.1} {:>6.1}",
            minimal.rate(),
            adapter.rate(),
            adapter.rate() / minimal.rate(),
            minimal.percentiles(),
            adapter.percentiles(),
            minimal.in_pieces(),
            adapter.in_pieces()
        );
    }
}
