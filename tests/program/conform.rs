//! `imds conform`: what it prints, in which format, and how it ends.

use quick_xml::events::Event;
use serde_json::Value;

use super::*;

/// A service that answers everything with a page, until the tests end.
fn page() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let _ = client.read(&mut [0; 4096]);
            let _ = client.write_all(b"HTTP/1.1 200 OK\r\nServer: a|b<c>#\r\nContent-Length: 5\r\n\r\nhello");
        }
    });
    endpoint
}

fn conform(arguments: &[&str]) -> (String, String, i32) {
    let mut imds = Command::new(IMDS);
    imds.arg("conform").args(arguments).stdin(Stdio::null());
    for name in ["NO_COLOR", "CLICOLOR_FORCE", "AWS_EC2_METADATA_SERVICE_ENDPOINT"] {
        imds.env_remove(name);
    }
    let output = imds.output().unwrap();
    (text(&output.stdout), text(&output.stderr), output.status.code().unwrap())
}

#[test]
fn this_service_scores_whole() {
    let served = Served::start(&["--http-tokens", "required"]);
    let endpoint = format!("http://{}", served.addresses[0]);
    let (table, errors, status) = conform(&[&endpoint, "--hostile", "--fail-on", "unrecorded", "--timeout", "30s"]);
    assert_eq!((&*errors, status), ("", 0), "{table}");
    let total = table.lines().find(|line| line.starts_with("total ")).unwrap();
    let columns: Vec<&str> = total.split_whitespace().collect();
    assert_eq!((columns[2], columns[4]), ("0", "100%"), "{table}");
    assert!(table.contains("tokens are required\n"), "{table}");
}

#[test]
fn of_a_disabled_endpoint_hardly_anything_is_judged_which_is_told() {
    let served = Served::start(&["--http-endpoint", "disabled"]);
    let (table, errors, status) = conform(&[&format!("http://{}", served.addresses[0])]);
    assert_eq!(status, 0);
    assert!(errors.starts_with("imds: warning: the endpoint refuses every request with 403"), "{errors}");
    assert!(table.contains("the endpoint refuses every request with 403, as a disabled one does\n"), "{table}");
}

#[test]
fn the_table_tells_what_is_broken_by_what_it_is_known_and_what_came() {
    let endpoint = page();
    let (table, errors, status) =
        conform(&[&endpoint, "--only", "token-has-the-nitro-shape", "--only", "server-is-ec2ws"]);
    let (first, rest) = table.split_once("\n\n").unwrap();
    assert!(first.starts_with(&format!("{endpoint}: 4 requests in ")), "{first}");
    assert_eq!(
        rest,
        "area          held  broken   n/a   score\n\
         tokens           0       1     0      0%\n\
         heads            0       1     0      0%\n\
         total            0       2     0      0%\n\
         \n\
         Broken: 2 recorded, 0 documented, 0 inferred. Not recorded, without a score: 0 held, 0 differ, 0 n/a.\n\
         \n\
         token-has-the-nitro-shape (tokens, recorded)\n\
         \x20 rule      A token is 56 characters of URL-safe base64 that begin `AQAEA` and end `==`, without a line end.\n\
         \x20 request   PUT /latest/api/token\n\
         \x20           X-aws-ec2-metadata-token-ttl-seconds: 60\n\
         \x20 expected  56 characters of URL-safe base64 that begin AQAEA and end ==\n\
         \x20 got       5 bytes\n\
         \x20 source    about 20 published tokens of Nitro instances; capture of 2026-09, t3.nano (56 characters)\n\
         \n\
         server-is-ec2ws (heads, recorded)\n\
         \x20 rule      Every answer has `Server: EC2ws`, by which SDKs and proxies recognize the service.\n\
         \x20 request   GET /latest/meta-data/instance-id\n\
         \x20           X-aws-ec2-metadata-token: <5 bytes>\n\
         \x20 expected  Server: EC2ws\n\
         \x20 got       Server: a|b<c>#\n\
         \x20 source    `curl -v` transcripts of 2019 to 2026; capture of 2026-09, t3.nano\n"
    );
    assert_eq!((&*errors, status), ("imds: 2 rules are broken (--fail-on documented)\n", 1));
}

#[test]
fn the_flag_says_which_evidence_fails() {
    let endpoint = page();
    let inferred = [&*endpoint, "--only", "path-unknown-is-not-found"];
    let status = |fail_on: &str| conform(&[&inferred[..], &["--fail-on", fail_on]].concat()).2;
    let all = ["recorded", "documented", "inferred", "unrecorded", "never"];
    assert_eq!(all.map(status), [0, 0, 1, 1, 0]);
}

#[test]
fn json_has_each_check_with_its_outcome() {
    let file = File::new("conform.json", "of an earlier run");
    let path = file.path.to_str().unwrap();
    let (printed, _, status) = conform(&[&page(), "--format", "json", "--out", path, "--skip", "paths"]);
    assert_eq!((&*printed, status), ("", 1));
    let document: Value = serde_json::from_str(&fs::read_to_string(&file.path).unwrap()).unwrap();
    assert_eq!(document["version"], 1);
    let checks = document["checks"].as_array().unwrap();
    let with = |outcome: &str| checks.iter().find(|check| check["outcome"] == outcome).unwrap();
    for name in ["id", "area", "evidence", "rule", "source", "request", "expected", "got"] {
        assert!(with("broken")[name].is_string(), "{name}");
    }
    assert!(with("not-applicable")["reason"].is_string());
    assert!(checks.iter().any(|check| check["reason"] == "tokens are optional"));
    let scored = |check: &&Value| check["evidence"] != "unrecorded";
    let broken = checks.iter().filter(|check| check["outcome"] == "broken").filter(scored).count();
    assert_eq!(document["total"]["broken"], broken);
    assert!(checks.iter().all(|check| check["area"] != "paths"));
}

/// By a reader of XML, and what does not count is no failure in it.
#[test]
fn junit_has_a_test_for_each_check_and_fails_as_the_exit_status_does() {
    let only = ["--only", "server-is-ec2ws", "--only", "path-unknown-is-not-found", "--only", "token-invalid-is-401"];
    let (report, _, _) = conform(&[&[&*page(), "--format", "junit"], &only[..]].concat());
    let mut reader = quick_xml::Reader::from_str(&report);
    let (mut tests, mut failures, mut skipped, mut texts) = (0, 0, 0, String::new());
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) | Event::Empty(start) => match start.name().as_ref() {
                "testcase" => tests += 1,
                "failure" => failures += 1,
                "skipped" => skipped += 1,
                _ => {}
            },
            Event::Text(part) => texts += &part,
            Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!((tests, failures, skipped), (3, 1, 2), "{report}");
    assert!(report.contains("tests=\"3\" failures=\"1\" errors=\"0\" skipped=\"2\""), "{report}");
    assert!(texts.contains("got: Server: a|b"), "{texts}");
    assert!(report.contains("classname=\"imds conform.heads\""), "{report}");
}

#[test]
fn tap_has_a_plan_a_line_for_each_check_and_yaml_for_what_is_broken() {
    let only = ["--only", "server-is-ec2ws", "--only", "path-unknown-is-not-found", "--only", "token-invalid-is-401"];
    let (report, _, _) = conform(&[&[&*page(), "--format", "tap"], &only[..]].concat());
    let tests: Vec<&str> = report.lines().filter(|line| !line.starts_with(' ')).collect();
    assert_eq!(
        tests,
        [
            "TAP version 14",
            "1..3",
            "ok 1 - token-invalid-is-401 # SKIP tokens are optional",
            "not ok 2 - server-is-ec2ws",
            "not ok 3 - path-unknown-is-not-found # TODO inferred, which --fail-on leaves out",
        ]
    );
    assert_eq!(report.matches("\n  ---\n").count(), 2, "{report}");
    assert_eq!(report.matches("\n  ...\n").count(), 2, "{report}");
    assert!(report.contains("\n  got: \"Server: a|b<c>#\"\n"), "{report}");
    // Texts of YAML that JSON has, too.
    for line in report.lines().filter(|line| line.starts_with("  ") && line.contains(": ")) {
        let (_, value) = line.split_once(": ").unwrap();
        assert!(serde_json::from_str::<String>(value).is_ok(), "{line}");
    }
}

#[test]
fn markdown_is_a_table_in_which_nothing_of_the_endpoint_is_marked_up() {
    let endpoint = page();
    let (report, _, _) = conform(&[&endpoint, "--format", "markdown", "--only", "server-is-ec2ws"]);
    assert_eq!(
        report,
        format!(
            "# Conformance of {endpoint}\n\n\
             | area | held | broken | n/a | score |\n| --- | ---: | ---: | ---: | ---: |\n\
             | heads | 0 | 1 | 0 | 0% |\n| **total** | 0 | 1 | 0 | 0% |\n\n\
             ## Broken\n\n\
             | check | evidence | rule | request | expected | got |\n| --- | --- | --- | --- | --- | --- |\n\
             | `server-is-ec2ws` | recorded | Every answer has `Server: EC2ws`, by which SDKs and proxies \
             recognize the service. \
             | GET /latest/meta-data/instance-id<br>X-aws-ec2-metadata-token: &lt;5 bytes> | Server: EC2ws | Server: a\\|b&lt;c>\\# |\n"
        )
    );
}

#[test]
fn what_is_sent_elsewhere_is_told_first() {
    // A name of this machine that does not look like it, at a port where nothing listens.
    let (printed, errors, status) = conform(&["http://0.0.0.0:1", "--timeout", "1s", "--hostile"]);
    assert_eq!((&*printed, status), ("", 3));
    assert!(errors.starts_with("imds: judging http://0.0.0.0:1 by "), "{errors}");
    assert!(errors.contains(": at most 1000 requests, at most 50 a second\n"), "{errors}");
    assert!(errors.contains("nothing is changed\nimds: --hostile adds broken and oversized requests"), "{errors}");
    assert!(errors.contains("\nimds: no answer from http://0.0.0.0:1: "), "{errors}");
}

#[test]
fn the_checks_are_listed_without_a_request() {
    let (list, errors, status) = conform(&["--list", "--only", "order"]);
    assert_eq!((&*errors, status), ("", 0));
    assert!(list.starts_with("order      recorded   order-token-before-path\n"), "{list}");
    let (list, _, _) = conform(&["--list", "--hostile", "--format", "json"]);
    let list: Value = serde_json::from_str(&list).unwrap();
    assert!(list.as_array().unwrap().iter().any(|check| check["area"] == "hostile"));
}

#[test]
fn the_list_is_written_to_the_file() {
    let file = File::new("conform.list", "of an earlier run");
    let (printed, errors, status) = conform(&["--list", "--only", "order", "--out", file.path.to_str().unwrap()]);
    assert_eq!((&*printed, &*errors, status), ("", "", 0));
    assert!(fs::read_to_string(&file.path).unwrap().starts_with("order      recorded   order-token-before-path\n"));
}

#[test]
fn what_is_no_metadata_service_gets_a_sentence_and_no_report() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let _ = client.read(&mut [0; 4096]);
            let _ = client
                .write_all(b"HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nContent-Length: 9\r\n\r\n<p>no</p>");
        }
    });
    let (printed, errors, status) = conform(&[&endpoint]);
    assert_eq!((&*printed, status), ("", 3));
    assert_eq!(
        errors,
        format!(
            "imds: what answers at {endpoint} is no metadata service: \
             GET /latest/meta-data/instance-id gets 404 Not Found with the content type text/html\n"
        )
    );
}

#[test]
fn where_no_containers_answer_nothing_is_judged() {
    let endpoint = page();
    let (_, errors, status) =
        conform(&[&endpoint, "--only", "containers", "--containers", "http://127.0.0.1:1/v2/credentials/task"]);
    assert_eq!((&*errors, status), ("imds: no service answers at --containers\n", 3));
}

#[test]
fn wrong_use_is_told() {
    let no_certificate = File::new("conform.pem", "none");
    for (arguments, wrong) in [
        (
            &["--only", "tokes"][..],
            "imds: --only: no check and no area is called tokes\nhelp: did you mean tokens? --list has all of them",
        ),
        (
            &["--only", "tokens,heads"],
            "imds: --only: no check and no area is called tokens,heads\nhelp: repeat --only for each name\n",
        ),
        (
            &["--skip", "hostile"],
            "imds: --skip: hostile is not in this suite: hostile checks must be asked for\nhelp: add --hostile\n",
        ),
        (&["--only", "tokens", "--skip", "tokens"], "imds: --only and --skip leave no check to run\n"),
        (&["http://127.0.0.1:1", "--out", "no/such/report"], "imds: cannot write the report no/such/report: "),
        (&["--list", "--out", "no/such/list"], "imds: cannot write the list no/such/list: "),
        (&["127.0.0.1:1338"], "error: invalid value '127.0.0.1:1338' for '[ENDPOINT]': expected a URL such as"),
        (&["--certificates", no_certificate.path.to_str().unwrap()], "imds: --certificates "),
        (&["--container-token-file", "x"], "error: the following required arguments were not provided"),
        (&["http://127.0.0.1:1", "--containers", "v2/x"], "imds: --containers: expected a URL such as"),
    ] {
        let (printed, errors, status) = conform(arguments);
        assert_eq!((&*printed, status), ("", 2), "{arguments:?}");
        assert!(errors.starts_with(wrong), "{errors}");
    }
}
