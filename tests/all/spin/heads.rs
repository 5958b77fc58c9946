//! Heads of a size that Spin still hands on.

use super::Application;

/// As long as a target can be that HTTP libraries read.
const LONG: usize = 65_000;

#[test]
fn a_long_target_and_a_long_method_are_answered_as_others_are() {
    let replica = Application::new(&[]).replica();
    let send = |method: &str, path: &str| {
        let request = http::Request::builder().method(method).uri(format!("http://localhost{path}")).body(());
        replica.send(request.expect("a request")).status().as_u16()
    };
    assert_eq!(send("GET", &format!("/{}", "a".repeat(LONG))), 404);
    assert_eq!(send(&"A".repeat(LONG), "/latest/meta-data/"), 403);
}
