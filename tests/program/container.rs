//! `imds run --container`: a command that finds credentials as a container does.

use super::*;

/// Runs a script with these flags; what it printed.
fn run(flags: &[&str], script: &str) -> Output {
    let mut imds = Command::new(IMDS);
    imds.arg("run").args(flags).args(["--", "sh", "-c", script]);
    // Those of who runs this are not the command's.
    imds.env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/inherited")
        .env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/inherited");
    imds.output().unwrap()
}

const SHOW: &str = "echo $AWS_CONTAINER_CREDENTIALS_FULL_URI; echo $AWS_CONTAINER_CREDENTIALS_RELATIVE_URI; \
                    echo $AWS_CONTAINER_AUTHORIZATION_TOKEN; echo $AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";

/// The variables of a container, in the order of [`SHOW`].
fn variables(flags: &[&str]) -> [String; 4] {
    let output = run(flags, SHOW);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let lines: Vec<String> = text(&output.stdout).lines().map(str::to_owned).collect();
    lines.try_into().unwrap()
}

#[test]
fn a_task_is_told_of_a_path_that_nobody_guesses() {
    let [full, relative, token, file] = variables(&["--container"]);
    let id = full.rsplit_once("/v2/credentials/").unwrap().1;
    assert_eq!(id.len(), 32, "{full}");
    assert!(full.starts_with("http://127.0.0.1:"), "{full}");
    assert_eq!([relative, token, file], [""; 3]);
    assert_ne!(variables(&["--container"])[0].rsplit_once('/').unwrap().1, id, "another run has another");
}

#[test]
fn a_pod_is_told_of_its_token() {
    let [full, relative, token, file] = variables(&["--container=eks"]);
    assert!(full.starts_with("http://127.0.0.1:") && full.ends_with("/v1/credentials"), "{full}");
    assert_eq!(token.len(), 32, "{token}");
    assert_eq!([relative, file], [""; 2]);
}

#[test]
fn a_container_of_the_description_is_taken_as_it_is() {
    let stated = r#"container-credentials=[{"authorization-token":"pod"},{"credentials-id":"task","authorization-token":"of-the-task"}]"#;
    let [full, _, token, _] = variables(&["--container", "--set", stated]);
    assert!(full.ends_with("/v2/credentials/task"), "{full}");
    assert_eq!(token, "of-the-task");
    assert_eq!(variables(&["--container=eks", "--set", stated])[2], "pod");

    let output =
        run(&["--container=eks", "--set", r#"container-credentials=[{"credentials-id":"task"}]"#], "echo not run");
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), String::new()));
    let message = "imds: --container: no entry of container-credentials in the description has authorization-token and no credentials-id\n";
    assert_eq!(text(&output.stderr), message);
}

#[test]
fn the_id_of_a_task_is_in_no_log_and_no_journal() {
    let mut imds = Command::new(IMDS);
    imds.args([
        "run",
        "--log",
        "all",
        "--control",
        "--set",
        r#"container-credentials=[{"credentials-id":"id-of-a-task"}]"#,
        "--container",
    ]);
    imds.args(["--", "sh", "-c", r#"echo "$AWS_CONTAINER_CREDENTIALS_FULL_URI"; echo "$IMDS_CONTROL"; cat"#]);
    let mut child = imds.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut line = || lines.next().unwrap().unwrap();
    let (url, control) = (line(), line());
    let (address, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let answer = request(address, &format!("GET /{path} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    let shown: String = ["/v1/requests", "/v1/instance", "/metrics"]
        .map(|path| {
            request(
                control.strip_prefix("http://").unwrap_or(&control),
                &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"),
            )
        })
        .concat();
    drop(child.stdin.take());
    let output = child.wait_with_output().unwrap();
    let log = text(&output.stderr);
    assert!(log.contains("GET /v2/credentials/…") && shown.contains("/v2/credentials/…"), "{log}{shown}");
    assert!(!log.contains("id-of-a-task") && !shown.contains("id-of-a-task"), "{log}{shown}");
}
