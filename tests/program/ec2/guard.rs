//! Who may call: programs on this machine, and no web page.

use super::*;

const CALL: &str = "Action=TerminateInstances&Version=2016-11-15&InstanceId.1=i-0123456789abcdef0";

#[test]
fn what_a_web_page_can_send_changes_nothing() {
    let ec2 = Operated::start(&[]);
    let host = format!("Host: {}\r\n", ec2.address);
    for fields in [
        // A form, which browsers send without asking.
        format!("{host}{FORM}"),
        format!("{host}{FORM}Origin: https://attacker.example\r\n"),
        format!("{host}{FORM}{SIGNED}Origin: https://attacker.example\r\n"),
        format!("{host}{FORM}{SIGNED}Origin: null\r\n"),
        format!("{host}{FORM}{SIGNED}Sec-Fetch-Site: cross-site\r\n"),
        format!("{host}{FORM}{SIGNED}Sec-Fetch-Site: same-origin\r\n"),
        // A name that was given this address.
        format!("Host: attacker.example\r\n{FORM}{SIGNED}"),
    ] {
        let length = CALL.len();
        let told = ec2.send(&format!("POST / HTTP/1.1\r\n{fields}Content-Length: {length}\r\n\r\n{CALL}"));
        assert_eq!(told.status, 403, "{fields}: {}", told.body);
        let told = ec2.send(&format!("GET /?{CALL} HTTP/1.1\r\n{}\r\n", fields.replace(FORM, "")));
        assert_eq!(told.status, 403, "{fields}: {}", told.body);
    }
    // It is asked whether it may send more, and hears nothing of a permission.
    let asked = format!(
        "OPTIONS / HTTP/1.1\r\n{host}Origin: https://attacker.example\r\nAccess-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: authorization\r\n\r\n"
    );
    let answer = request(&ec2.address, &asked);
    assert!(answer.starts_with("HTTP/1.1 403 ") && !answer.to_ascii_lowercase().contains("access-control"), "{answer}");
    assert_eq!(ec2.done("DescribeInstances", &[]).field("name"), "running");
}

#[test]
fn bodies_have_bounds_and_are_forms() {
    let ec2 = Operated::start(&[]);
    let large = format!("Action=DescribeInstances&Version=2016-11-15&NextToken={}", "x".repeat(1 << 20));
    assert_eq!(ec2.post(&format!("{SIGNED}{FORM}"), &large).field("Message"), "The body has more than 1 MiB");
    let json = "Content-Type: application/x-amz-json-1.0\r\n";
    assert_eq!(ec2.post(&format!("{SIGNED}{json}"), "{}").status, 400);
    let many = "a=1&".repeat(5000);
    assert_eq!(ec2.post(&format!("{SIGNED}{FORM}"), &many).status, 400);
    assert_eq!(ec2.done("DescribeInstances", &[]).field("name"), "running");
}

#[test]
fn it_listens_where_other_machines_do_not_come() {
    for place in ["0.0.0.0:0", "169.254.169.254:80", "./ec2.sock"] {
        let output = imds(&["serve", "--listen", "127.0.0.1:0", "--ec2-api", place]);
        assert_eq!(output.status.code(), Some(2), "{place}: {}", text(&output.stderr));
    }
}

#[cfg(unix)]
#[test]
fn no_signature_and_no_user_data_reaches_the_log() {
    let served = Served::start(&["--ec2-api", "127.0.0.1:0", "--log", "all", "--log-format", "json"]);
    let line = served.line_with("imds: EC2 API on ");
    let ec2 = Operated { address: line.strip_prefix("imds: EC2 API on http://").unwrap().to_owned(), served };
    let key = "AKIAIOSFODNN7EXAMPLE";
    let secret = "wJalrXUtnFEMIK7MDENGbPxRfiCYzEXAMPLEKEY";
    let signed = format!(
        "Authorization: AWS4-HMAC-SHA256 Credential={key}, Signature={secret}\r\nX-Amz-Security-Token: {secret}\r\n"
    );
    let form = format!("Action=ModifyInstanceAttribute&Version=2016-11-15&InstanceId={ID}&UserData.Value={secret}");
    assert_eq!(ec2.post(&format!("{signed}{FORM}"), &form).status, 400);
    let form = format!("Action=CreateTags&Version=2016-11-15&ResourceId.1={ID}&Tag.1.Key={secret}%00");
    ec2.post(&format!("{signed}{FORM}"), &form);
    let log = ec2.served.end_of_log();
    assert!(!log.contains(key) && !log.contains(secret), "{log}");
}

#[test]
fn a_command_finds_it() {
    let script = "echo \"$AWS_ENDPOINT_URL_EC2 $AWS_REGION $AWS_DEFAULT_REGION\"";
    let run = |region: Option<&str>| {
        let mut imds = Command::new(IMDS);
        imds.args(["run", "--ec2-api", "--set", "placement.region=eu-west-1", "--", "sh", "-c", script]);
        imds.env_remove("AWS_REGION").env_remove("AWS_DEFAULT_REGION");
        if let Some(region) = region {
            imds.env("AWS_REGION", region);
        }
        text(&imds.stdin(Stdio::null()).output().unwrap().stdout)
    };
    let printed = run(None);
    assert!(printed.starts_with("http://127.0.0.1:") && printed.ends_with(" eu-west-1 eu-west-1\n"), "{printed}");
    assert!(run(Some("us-west-2")).ends_with(" us-west-2 \n"));
}

#[test]
fn it_shares_the_listener_of_control() {
    let served = Served::start(&["--control", "127.0.0.1:0", "--ec2-api", "--log", "off"]);
    let place = served.line_with("imds: control on ").strip_prefix("imds: control on ").unwrap().to_owned();
    assert_eq!(served.line_with("imds: EC2 API on "), format!("imds: EC2 API on {place}"));
    let ec2 = Operated { address: place.strip_prefix("http://").unwrap().to_owned(), served };
    ec2.done("StopInstances", &[("InstanceId.1", ID)]);
    let host = format!("Host: {}\r\n", ec2.address);
    let shown = request(&ec2.address, &format!("GET /v1/instance HTTP/1.1\r\n{host}\r\n"));
    assert!(shown.starts_with("HTTP/1.1 200 ") && shown.contains("stopped"), "{shown}");
    // The root belongs to both.
    let root = request(&ec2.address, &format!("GET / HTTP/1.1\r\n{host}\r\n"));
    assert!(root.starts_with("HTTP/1.1 200 ") && root.contains("/v1/instance"), "{root}");
    let told = ec2.send(&format!("GET /?Action=DescribeInstances&Version=2016-11-15 HTTP/1.1\r\n{host}{SIGNED}\r\n"));
    assert_eq!(told.field("name"), "stopped");
    // Each has its guard.
    let told = ec2.send(&format!("POST / HTTP/1.1\r\n{host}{FORM}Content-Length: {}\r\n\r\n{CALL}", CALL.len()));
    assert_eq!((told.status, told.field("Code")), (403, "MissingAuthenticationToken"));
}
