//! What an instance of the adapter costs that serves one request, as every one of
//! the face for WASI 0.2 does: little beside what the component takes to open an
//! instance and to answer.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::engine::{Options, Replica, WASI_0_2, WASI_0_3};
use super::{Application, INSTANCE_ID, get};
use crate::fuel;

/// Instructions of WebAssembly: those of the adapter and of its libraries.
const OWN_MAX: u64 = 100_000;

#[test]
fn an_instance_for_one_request_adds_little_to_what_the_component_takes() {
    let component = fuel::of_a_first_answer("{}", INSTANCE_ID);
    for adapter in [&WASI_0_2, &WASI_0_3] {
        let variables = [("token_secret", "0123456789abcdef"), ("instance", "{}"), ("http_tokens", "optional")];
        let application = Application::new(&variables);
        let application = Application(Options { reuse: 1, ..application.0 });
        let replica = Replica::start(adapter, application.0.clone());
        assert_eq!(get(&replica, INSTANCE_ID, &[]).0, 200);
        let began = Instant::now();
        let mut all = 0;
        // It is counted when the instance is gone.
        while all == 0 {
            assert!(began.elapsed() < Duration::from_secs(60), "the instance goes after its answer");
            all = application.0.instructions.load(Ordering::SeqCst);
        }
        let own = all.saturating_sub(component);
        assert!(own > 0 && own < OWN_MAX, "{own} beside {component}");
    }
}
