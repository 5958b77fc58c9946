//! Heads that shells write of requests that others have parsed.

use imds_core::http::{FIELDS_READ, Head, RequestBody, Unreadable};
use proptest::prelude::*;
use proptest::test_runner::Config;

/// A parsed request.
#[derive(Clone, Debug)]
struct Parsed {
    method: String,
    target: String,
    fields: Vec<(String, Vec<u8>)>,
}

impl Parsed {
    /// The heads that shells write of it.
    fn written(&self) -> [Vec<u8>; 2] {
        let Parsed { method, target, fields } = self.clone();
        let by_host = fields.iter().map(|(name, value)| imds_host::Field::new(name, value.clone())).collect();
        let by_host = imds_host::Request { method: method.clone(), target: target.clone(), fields: by_host };
        [imds_spin::Head::new(method, Some(target), fields, None).write(&FIELDS_READ), by_host.head()]
    }

    fn values(&self, name: &str) -> Vec<&[u8]> {
        let fields = self.fields.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name));
        fields.map(|(_, value)| value.trim_ascii()).collect()
    }

    /// Whether a head says what this does, as far as anything looks at it.
    fn is_in(&self, head: &Head<'_>) -> bool {
        let hosts: Vec<&[u8]> = head.hosts().collect();
        (head.method, head.target) == (&self.method, &self.target)
            && hosts == self.values("host")
            && head.token == self.values("x-aws-ec2-metadata-token").last().copied()
            && head.token_ttl == self.values("x-aws-ec2-metadata-token-ttl-seconds").last().copied()
            && head.is_forwarded != self.values("x-forwarded-for").is_empty()
            && head.body == RequestBody::None
    }
}

/// Requests whose fields have such names and values of such bytes.
fn requests(
    method: &'static str,
    target: &'static str,
    value: impl Strategy<Value = u8> + 'static,
) -> impl Strategy<Value = Parsed> {
    let fields = prop::collection::vec((field_name(), prop::collection::vec(value, 0..24)), 0..8);
    (method, target, fields).prop_map(|(method, target, fields)| Parsed { method, target, fields })
}

/// A name of a header field, in any mix of cases; most are read.
pub fn field_name() -> impl Strategy<Value = String> {
    let names: Vec<&str> = FIELDS_READ.into_iter().chain(["via", "accept"]).collect();
    (prop::sample::select(names), any::<u64>()).prop_map(|(name, upper)| {
        let spelled = |(index, letter): (usize, char)| match upper >> index & 1 {
            0 => letter,
            _ => letter.to_ascii_uppercase(),
        };
        name.chars().enumerate().map(spelled).collect()
    })
}

fn config() -> Config {
    Config { cases: 512, failure_persistence: None, ..Config::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_head_that_a_shell_writes_loses_nothing(
        parsed in requests("[A-Za-z!#$%&'*+.^_`|~-]{1,8}", "[!-~é\u{2028}]{1,24}", prop_oneof![b' '..=b'~', 0x80..=0xff_u8, Just(b'\t')]),
    ) {
        for bytes in parsed.written() {
            let is_in = Head::read(&bytes, |head| head.is_ok_and(|head| parsed.is_in(&head)));
            prop_assert!(is_in, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn no_part_of_a_head_is_read_as_another(
        parsed in requests("[ -~\r\n\0]{0,8}|GET", "/?[ -~é\r\n\0]{0,24}|/", prop_oneof![20 => b' '..=b'~', 1 => any::<u8>(), 1 => Just(b'\r'), 1 => Just(b'\n')]),
    ) {
        for bytes in parsed.written() {
            let is_in = Head::read(&bytes, |head| head.map(|head| parsed.is_in(&head)));
            prop_assert!([Ok(true), Err(Unreadable::Malformed)].contains(&is_in), "{is_in:?}: {}", bytes.escape_ascii());
        }
    }
}
