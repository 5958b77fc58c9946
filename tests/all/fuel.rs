//! What an answer costs, counted in instructions of WebAssembly: figures that are
//! the same on every machine, so that a change which makes answers dearer, or
//! cheaper, shows in its diff.
//!
//! `BLESS=1` writes the new figures, to be read and explained. Slow because the
//! component is translated anew, by a compiler that is not optimised here.

use std::fmt::Write as _;
use std::sync::LazyLock;

use wasmtime::component::{Component, Linker, ResourceAny, bindgen};
use wasmtime::{Config, Engine, Store};

use crate::purity::pinned;
use crate::ways::Sent;

bindgen!({ path: "../wit", world: "imds" });

use exports::imds::service::metadata::{Answer, Moment, Settings};

const FUEL: u64 = 1 << 40;
const MOMENT: Moment = Moment {
    now_ms: 1_790_800_000_000,
    entropy: 1,
    throttle_state: 0,
    request_number: 0,
    over_ipv6: false,
    keep_alive: false,
};

/// Translated once for all tests that count.
static COMPILED: LazyLock<(Engine, Component)> = LazyLock::new(|| {
    let engine = Engine::new(Config::new().consume_fuel(true)).expect("an engine with fuel");
    let component = Component::from_binary(&engine, imds_host::COMPONENT).expect("the component loads");
    (engine, component)
});

/// What the component alone takes for the first answer of an instance: to open it, and
/// to answer.
pub fn of_a_first_answer(description: &str, target: &str) -> u64 {
    let mut counted = Counted::open(description);
    let opened = FUEL - counted.store.get_fuel().expect("the engine has fuel");
    opened + counted.ask("GET", target, &[("host", b"localhost")]).1
}

struct Counted {
    store: Store<()>,
    component: Imds,
    instance: ResourceAny,
}

impl Counted {
    fn open(description: &str) -> Counted {
        let (engine, component) = &*COMPILED;
        let mut store = Store::new(engine, ());
        store.set_fuel(FUEL).expect("the engine takes fuel");
        let component = Imds::instantiate(&mut store, component, &Linker::new(engine)).expect("it imports nothing");
        let settings =
            Settings { token_secret: vec![7; 32], allowed_hosts: vec![], signs_identity: false, scope: None };
        let opened = component.imds_service_metadata().instance().call_open(&mut store, description, &settings);
        let instance = opened.expect("it opens").expect("the description is valid");
        Counted { store, component, instance }
    }

    /// What is left is told after each call, in which an answer is lowered too.
    fn ask(&mut self, method: &str, target: &str, fields: &[(&str, &[u8])]) -> (Answer, u64) {
        let head = Sent::new(method, target, fields).head();
        self.store.set_fuel(FUEL).expect("the engine takes fuel");
        let instance = self.component.imds_service_metadata().instance();
        let answer = instance.call_answer(&mut self.store, self.instance, &head, MOMENT, None).expect("it answers");
        (answer, FUEL - self.store.get_fuel().expect("the engine has fuel"))
    }
}

#[test]
fn answers_cost_what_they_did() {
    let user_data = format!(r#"{{"user-data": "{}"}}"#, "x".repeat(16 << 10));
    let mut counted = Counted::open(&user_data);
    let host: (&str, &[u8]) = ("host", b"169.254.169.254");
    let ttl: (&str, &[u8]) = ("x-aws-ec2-metadata-token-ttl-seconds", b"21600");
    let (issued, _) = counted.ask("PUT", "/latest/api/token", &[host, ttl]);
    let (token, wrong) = (issued.body, [b'A'; 56]);
    let with_token = [host, ("x-aws-ec2-metadata-token", &token[..])];
    let with_wrong = [host, ("x-aws-ec2-metadata-token", &wrong[..])];

    let mut table = String::from("| answer | instructions |\n| --- | ---: |\n");
    for (name, method, target, fields, status) in [
        ("item with a token", "GET", "/latest/meta-data/instance-id", &with_token[..], 200),
        ("item without one", "GET", "/latest/meta-data/instance-id", &[host], 200),
        ("listing with a token", "GET", "/latest/meta-data/", &with_token, 200),
        ("a token", "PUT", "/latest/api/token", &[host, ttl], 200),
        ("404", "GET", "/latest/meta-data/nothing-here", &with_token, 404),
        ("401", "GET", "/latest/meta-data/instance-id", &with_wrong, 401),
        ("user data of 16 KiB", "GET", "/latest/user-data", &with_token, 200),
        ("identity document", "GET", "/latest/dynamic/instance-identity/document", &with_token, 200),
        ("role credentials", "GET", "/latest/meta-data/iam/security-credentials/imds", &with_token, 200),
    ] {
        // The first call of a kind may ask for memory.
        counted.ask(method, target, fields);
        let (answer, fuel) = counted.ask(method, target, fields);
        assert_eq!(answer.status, status, "{name}");
        writeln!(table, "| {name} | {fuel} |").expect("a string takes all");
    }
    pinned("fuel.md", &table);
}
