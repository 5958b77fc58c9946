//! Many instances, each with its source.

use super::*;

pub fn document_of(served: &Served, guest: &str) -> Value {
    let fields = format!("Host: localhost\r\nX-Guest: {guest}\r\n");
    let ttl = "X-aws-ec2-metadata-token-ttl-seconds: 60";
    let token = served.request(&format!("PUT /latest/api/token HTTP/1.1\r\n{fields}{ttl}\r\n\r\n"));
    let token = token.split("\r\n\r\n").nth(1).unwrap();
    let answer = served.request(&format!("GET {ROLE} HTTP/1.1\r\n{fields}X-aws-ec2-metadata-token: {token}\r\n\r\n"));
    serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

/// A description that names the source.
pub fn toml(source: &StandIn) -> String {
    format!("iam-instance-profile.credentials-source.process = ['sh', '{}']\n", source.script.path.display())
}

#[test]
fn guests_with_one_source_share_one_fetch_and_others_have_their_own() {
    let (shared, own) =
        (StandIn::new("many-1", &version_1("SHARED", 3600)), StandIn::new("many-2", &version_1("OWN", 8)));
    let guests: Vec<_> = [("a", &shared), ("b", &shared), ("c", &own)]
        .map(|(name, source)| File::new(&format!("credentials-guests/{name}.toml"), toml(source)))
        .into_iter()
        .chain([File::new("credentials-guests/d.toml", "")])
        .collect();
    let directory = guests[0].path.parent().unwrap().to_str().unwrap();
    let served = Served::spawn(serve(&["--instances", directory, "--caller", "header:X-Guest"]), 1);
    let keys = |served: &Served| ["a", "b", "c", "d"].map(|guest| document_of(served, guest)["AccessKeyId"].clone());
    let [a, b, c, d] = keys(&served);
    assert_eq!([a, b, c], ["ASIASHARED", "ASIASHARED", "ASIAOWN"]);
    assert!(d.as_str().is_some_and(|key| key.starts_with("ASIA") && key.len() == 20), "{d}");
    assert_eq!((shared.asked(), own.asked()), (1, 1));

    own.prints(&version_1("NEXT", 3600));
    let until = Instant::now() + DEADLINE;
    while document_of(&served, "c")["AccessKeyId"] != "ASIANEXT" {
        assert!(Instant::now() < until);
        thread::sleep(Duration::from_millis(50));
    }
    if is_delivered("HUP") {
        // Another guest comes, and what runs goes on.
        let _more = File::new("credentials-guests/e.toml", toml(&shared));
        kill(&served.child, "HUP");
        served.line_with("again: 5 instances");
        assert_eq!(document_of(&served, "e")["AccessKeyId"], "ASIASHARED");
        assert_eq!(document_of(&served, "c")["AccessKeyId"], "ASIANEXT");
        assert_eq!((shared.asked(), own.asked()), (1, 2));
    }
}
