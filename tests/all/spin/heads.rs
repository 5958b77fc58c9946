//! Heads of a size that Spin still hands on.

use super::engine::{Replica, WASI_0_2};
use super::{Application, INSTANCE_ID};

/// Nearly as long as HTTP libraries read a target.
const LONG: usize = 65_000;

#[test]
fn a_long_target_and_a_long_method_are_told_apart_and_refused() {
    let application = Application::new(&[]);
    for replica in [application.replica(), Replica::start(&WASI_0_2, application.0.clone())] {
        let send = |method: &str, path: &str| {
            let url = format!("http://localhost{path}");
            // Spin adds it.
            let request = http::Request::builder().method(method).uri(&url).header("spin-full-url", &url);
            replica.send(request.body(()).expect("a request")).status().as_u16()
        };
        assert_eq!(send("GET", &format!("/{}", "a".repeat(LONG))), 414);
        assert_eq!(send(&"A".repeat(LONG), INSTANCE_ID), 400);
        assert_eq!(send("GET", &format!("{INSTANCE_ID}?{}", "a".repeat(8 << 10))), 200);
    }
}
