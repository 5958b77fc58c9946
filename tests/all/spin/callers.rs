//! How the keys of callers are spelled: one way, which the runner tells.

use imds_host::CallerKey;

use super::{Application, INSTANCE_ID, get};

/// So that who fills a store for the adapter can ask the runner for the key.
#[test]
fn a_caller_is_found_under_the_key_as_the_runner_spells_it() {
    for (callers, written, field) in [
        ("client-address", "::ffff:10.0.0.7", ("spin-client-addr", "[::ffff:10.0.0.7]:5123")),
        ("client-address", "FD00:0::7", ("spin-client-addr", "[fd00::0:7]:1")),
        ("header:X-Guest", "vm-7", ("x-guest", "vm-7")),
        ("host", "VM-7.internal.", ("host", "vm-7.Internal.:80")),
    ] {
        let application = Application::new(&[("callers", callers)]);
        let by: CallerKey = callers.parse().unwrap_or_else(|wrong| panic!("{callers}: {wrong}"));
        let key = by.canonical(written).unwrap_or_else(|error| panic!("{error}"));
        let over_ipv6 = r#"{"metadata-options": {"http-protocol-ipv6": "enabled"}}"#;
        application.store().set(&format!("instances/{key}"), over_ipv6);
        assert_eq!(get(&application.replica(), INSTANCE_ID, &[field]).0, 200, "{callers}: {key}");
    }
}
