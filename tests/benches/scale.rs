//! What a request costs with many instances, what they take at rest, and how
//! long it takes to open them:
//!
//! ```sh
//! cargo bench --bench scale
//! ```
//!
//! Costs are processor time, as ratios to the cost with one instance in the
//! same run, so that machines can be compared. With more instances than a worker
//! keeps open, a random request opens one and closes another: that is the one
//! step in the table.

use std::fs;
use std::hint::black_box;
use std::thread;
use std::time::{Duration, Instant};

use hyper::Request;
use imds_host::{Caller, CallerKey, ControlledFleet, Description, Fleet, Runtime, Service};

const NUMBERS: [u32; 6] = [1, 10, 100, 1_000, 10_000, 100_000];

/// For one figure.
const TIME: Duration = Duration::from_millis(700);

fn main() {
    println!("| instances | random requests | same again | nobody's | open all | opened a second | bytes each |");
    println!("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    // Kept to the end: what is freed would be taken again, and not show.
    let (mut fleets, mut one) = (Vec::new(), None);
    for number in NUMBERS {
        let (fleet, took, bytes) = measure(number, typical);
        let service = Service::new(fleet.clone());
        let mut random = Random(1);
        let costs = [
            cost(|| ask(&service, random.below(number))),
            cost(|| ask(&service, number - 1)),
            cost(|| ask(&service, number + random.below(number))),
        ];
        let one = *one.get_or_insert(costs[0]);
        let [random, same, nobody] = costs.map(|cost| format!("{:.2}", cost.as_secs_f64() / one.as_secs_f64()));
        let (seconds, rate) = (took.as_secs_f64(), f64::from(number) / took.as_secs_f64());
        println!("| {number} | {random} | {same} | {nobody} | {seconds:.3} s | {rate:.0} | {bytes} |");
        fleets.push(fleet);
        if number == 1 {
            eprintln!("1.00 is {one:?}");
        }
    }
    let (fleet, _, bytes) = measure(100_000, |_| "{}".to_owned());
    println!("\nWith empty descriptions, {} take {bytes} bytes each.", fleet.len());
    let one = one.unwrap_or_default();
    println!("\nUnder control:\n");
    println!("| instances | random requests | put in all | list all | find by an id | bytes each |");
    println!("| ---: | ---: | ---: | ---: | ---: | ---: |");
    let controlled = [1_000, 10_000].map(|number| measure_controlled(number, one));
    fleets.push(fleet);
    drop((fleets, controlled));
}

/// Prints what instances cost that an operator can change.
fn measure_controlled(number: u32, one: Duration) -> ControlledFleet {
    let before = resident_bytes();
    let runtime = Runtime::new().expect("a runtime starts");
    let fleet = ControlledFleet::new(&runtime, CallerKey::ClientAddress).expect("no setting is wrong");
    let timed = |call: &dyn Fn()| {
        let started = Instant::now();
        call();
        started.elapsed().as_secs_f64()
    };
    let put = timed(&|| {
        for number in 0..number {
            let key = std::net::Ipv4Addr::from(address(number)).to_string();
            let description = Description::from_json("typical", &typical(number)).expect("it is JSON");
            fleet.insert(&key, &description).unwrap_or_else(|error| panic!("{error}"));
        }
    });
    let bytes = before.zip(resident_bytes()).map(|(before, after)| after.saturating_sub(before) / number as usize);
    let list = timed(&|| {
        for control in fleet.page(None, number as usize) {
            black_box(control.snapshot().expect("it is right"));
        }
    });
    let id = format!("i-{:017x}", number - 1);
    let find = || timed(&|| assert!(fleet.find(&id).is_some()));
    let (first, again) = (find(), find());
    let (service, mut random) = (fleet.service(), Random(1));
    let random = cost(|| ask(&service, random.below(number))).as_secs_f64() / one.as_secs_f64();
    let bytes = bytes.map(|bytes| bytes.to_string()).unwrap_or_default();
    println!(
        "| {number} | {random:.2} | {put:.3} s | {list:.3} s | {:.1} ms at first, {:.2} ms again | {bytes} |",
        first * 1e3,
        again * 1e3
    );
    fleet
}

/// Opens so many; how long that took, and the bytes that each takes, if there
/// are enough to tell.
fn measure(number: u32, describe: impl Fn(u32) -> String + Sync) -> (Fleet, Duration, String) {
    let before = resident_bytes();
    let started = Instant::now();
    let fleet = fleet(number, describe);
    let took = started.elapsed();
    let bytes = match (before, resident_bytes()) {
        (Some(before), Some(after)) if number >= 10_000 => (after.saturating_sub(before) / number as usize).to_string(),
        _ => String::new(),
    };
    (fleet, took, bytes)
}

/// As large as descriptions usually are.
fn typical(number: u32) -> String {
    format!(
        r##"{{"instance-id":"i-{number:017x}","instance-type":"m7g.large","image-id":"ami-0123456789abcdef0",
        "placement":{{"availability-zone":"eu-west-1b"}},"metadata-options":{{"http-tokens":"optional","instance-metadata-tags":"enabled"}},
        "iam-instance-profile":{{"name":"guest-{number}"}},"tags":{{"Name":"guest-{number}","team":"platform","stage":"test","cost-center":"4711"}},
        "user-data":"#cloud-config\nhostname: guest-{number}\npackages:\n  - nginx\n  - curl\nruncmd:\n  - systemctl enable --now nginx\n"}}"##
    )
}

fn address(number: u32) -> [u8; 4] {
    (0x0a00_0000 + number).to_be_bytes()
}

fn fleet(number: u32, describe: impl Fn(u32) -> String + Sync) -> Fleet {
    let runtime = Runtime::new().expect("a runtime starts");
    let fleet = Fleet::new(&runtime, CallerKey::ClientAddress).expect("no setting is wrong");
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for first in 0..threads {
            let (fleet, describe) = (&fleet, &describe);
            scope.spawn(move || {
                for number in (first as u32..number).step_by(threads) {
                    let key = std::net::Ipv4Addr::from(address(number)).to_string();
                    fleet.insert_json(&key, "typical", &describe(number)).unwrap_or_else(|error| panic!("{error}"));
                }
            });
        }
    });
    fleet
}

fn ask(service: &Service, number: u32) {
    let caller = Caller::new(Some((address(number), 50_000).into()), Some(([127, 0, 0, 1], 80).into()));
    let request = Request::get("/latest/meta-data/instance-id").header("host", "169.254.169.254").extension(caller);
    black_box(service.respond(request.body(()).expect("the request is whole")));
}

/// The mean time of a call.
fn cost(mut call: impl FnMut()) -> Duration {
    for _ in 0..200 {
        call();
    }
    let (started, busy, mut calls) = (Instant::now(), busy_time(), 0);
    while started.elapsed() < TIME {
        for _ in 0..64 {
            call();
        }
        calls += 64;
    }
    // Of a machine that others use too, only what this thread got of it.
    let took = match (busy, busy_time()) {
        (Some(before), Some(after)) => after - before,
        _ => started.elapsed(),
    };
    took / calls
}

/// How long this thread has run on a processor; none where the system does not
/// tell it this way.
fn busy_time() -> Option<Duration> {
    let statistics = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    statistics.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

/// Numbers that look random, the same in each run (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, end: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % u64::from(end)) as u32
    }
}

/// The memory of this process; none where the system does not tell it this way.
fn resident_bytes() -> Option<usize> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<usize>().ok()? << 10)
}
