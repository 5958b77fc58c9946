//! Faults of a description, as far as an adapter can carry them out.

use std::time::{Duration, Instant};

use super::engine::{Replica, WASI_0_2, WASI_0_3};
use super::{Application, INSTANCE_ID, get};
use crate::http::ENVIRONMENT;

/// An adapter has no connection to close: what a description asks for beyond a
/// delay becomes a refusal.
#[test]
fn faults_delay_or_refuse_and_the_log_says_so() {
    let fault = |kind, path| format!(r#"{{"kind": "{kind}", "paths": ["/*/{path}"]}}"#);
    let refusing = ["refuse", "close", "cut", "withhold"];
    let faults = refusing.map(|kind| fault(kind, format!("meta-data/{kind}"))).join(",");
    let delay = r#"{"kind": "delay", "delay": "50ms", "paths": ["/*/meta-data/instance-id"]}"#;
    let entries = refusing.map(|kind| format!(r#""meta-data/{kind}": "found""#)).join(",");
    let instance = format!(r#"{{"faults": [{faults}, {delay}], "extra-entries": {{{entries}}}}}"#);
    for adapter in [&*WASI_0_3, &*WASI_0_2, &*ENVIRONMENT] {
        let application = Application::new(&[("instance", &instance)]);
        let replica = Replica::start(adapter, application.0.clone());
        let began = Instant::now();
        assert_eq!(get(&replica, INSTANCE_ID, &[]), (200, "i-0123456789abcdef0".to_owned()));
        assert!(began.elapsed() >= Duration::from_millis(50));
        let heads = refusing.map(|kind| {
            let request = http::Request::get(format!("http://localhost/latest/meta-data/{kind}")).body(());
            let response = replica.send(request.expect("a request"));
            assert_eq!((response.status().as_u16(), response.body().as_slice()), (503, &b""[..]), "{kind}");
            response.into_parts().0.headers
        });
        assert!(heads.iter().all(|head| *head == heads[0] && head.contains_key("server")), "{heads:?}");
        let log = application.log_with("in place of no answer");
        for line in [
            "imds: 200: fault: answered after 50 ms\n",
            "imds: 503: fault: refused\n",
            "imds: 503: fault: in place of a closed connection\n",
            "imds: 503: fault: in place of a body cut short\n",
            "imds: 503: fault: in place of no answer\n",
        ] {
            assert_eq!(log.matches(line).count(), 1, "{line}: {log}");
        }
        let application = Application::new(&[("instance", r#"{"state": "terminated"}"#)]);
        let replica = Replica::start(adapter, application.0.clone());
        assert_eq!(get(&replica, INSTANCE_ID, &[]), (503, String::new()));
        application.log_with("imds: 503: the instance does not run");
    }
}
