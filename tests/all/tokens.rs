//! What a case cannot show of session tokens: the hop limit, other instances,
//! other secrets.

use imds_host::{Answer, Instance, Moment, Request, Secret, Settings};

use crate::ways::{RUNTIME, SECRET, open_in_component, read_toml};

const NOW: Moment = Moment::at(1_790_800_000_000, 1);

fn put(instance: &Instance, target: &str) -> Answer {
    let request = Request { method: "PUT".into(), ..Request::get(target) };
    instance.answer(&request.with("X-aws-ec2-metadata-token-ttl-seconds", "60"), NOW)
}

fn status_with(instance: &Instance, token: &[u8]) -> u16 {
    let request = Request::get("/latest/meta-data/instance-id").with("X-aws-ec2-metadata-token", token);
    instance.answer(&request, NOW).status
}

/// Source: EC2 user guide, `HttpPutResponseHopLimit`: only answers to `PUT` are limited.
#[test]
fn answers_to_put_on_the_token_path_carry_the_hop_limit() {
    for (toml, limit) in [("", 1), ("metadata-options.http-put-response-hop-limit = 64", 64)] {
        let instance = open_in_component(&read_toml(toml));
        assert_eq!(put(&instance, "/latest/api/token").verdict.hop_limit, Some(limit));
        assert_eq!(put(&instance, "//latest/api/token/").verdict.hop_limit, Some(limit));
        let refused = Request { method: "PUT".into(), ..Request::get("/latest/api/token") };
        assert_eq!(instance.answer(&refused, NOW).verdict.hop_limit, Some(limit), "a refusal is an answer to PUT too");
        assert_eq!(put(&instance, "/2021-03-23/api/token").verdict.hop_limit, None);
        assert_eq!(instance.answer(&Request::get("/latest/api/token"), NOW).verdict.hop_limit, None);
        assert_eq!(instance.answer(&Request::get("/latest/meta-data/"), NOW).verdict.hop_limit, None);
    }
}

#[test]
fn a_token_is_good_at_every_replica_of_its_instance_and_nowhere_else() {
    let open = |toml: &str, secret: &[u8]| {
        let settings = Settings::default().token_secret(Secret::new(secret));
        RUNTIME.open_with(&read_toml(toml), &settings).unwrap_or_else(|error| panic!("{error}"))
    };
    let issuer = open("", &SECRET);
    let token = put(&issuer, "/latest/api/token").body;
    assert_eq!(status_with(&issuer, &token), 200);
    assert_eq!(status_with(&open("instance-type = 'm7g.large'", &SECRET), &token), 200, "an edit keeps tokens");
    assert_eq!(status_with(&open("instance-id = 'i-0fedcba9876543210'", &SECRET), &token), 401);
    assert_eq!(status_with(&open("", &[8; 32]), &token), 401);
}

/// Source: EC2 does not listen on IPv6 unless `HttpProtocolIpv6` is enabled.
#[test]
fn over_ipv6_the_service_answers_where_the_option_says_so() {
    let ask = |toml: &str, moment| open_in_component(&read_toml(toml)).answer(&Request::get("/"), moment).status;
    for (option, status) in [("enabled", 200), ("disabled", 403)] {
        let toml = format!("metadata-options.http-protocol-ipv6 = '{option}'");
        assert_eq!(ask(&toml, NOW.over_ipv6(true)), status, "{option}");
        assert_eq!(ask(&toml, NOW), 200, "{option}, and over IPv4");
    }
}

/// The throttle's state is shared by all threads of a process.
#[test]
fn many_threads_together_get_no_more_than_the_throttle_allows() {
    let instance = open_in_component(&read_toml("request-throttle = { burst = 50, per-second = 1 }"));
    let answered = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..100 {
                    if instance.answer(&Request::get("/"), NOW).status == 200 {
                        answered.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    }
                }
            });
        }
    });
    assert_eq!(answered.into_inner(), 50);
}
