//! `imds get` and `imds wait`: the service as its clients see it.

use super::*;

/// Runs `imds get` or `imds wait` against a service.
fn ask(served: &Served, arguments: &[&str]) -> Output {
    let endpoint = format!("http://{}", served.addresses[0]);
    let mut imds = Command::new(IMDS);
    imds.args(arguments).env("AWS_EC2_METADATA_SERVICE_ENDPOINT", endpoint).stdin(Stdio::null());
    imds.output().unwrap()
}

/// What was printed, and the exit status.
fn printed(output: &Output) -> (String, String, i32) {
    (text(&output.stdout), text(&output.stderr), output.status.code().unwrap())
}

#[test]
fn get_asks_with_a_token() {
    let served = Served::start(&["--http-tokens", "required"]);
    let at = |arguments: &[&str]| printed(&ask(&served, &[&["get"], arguments].concat()));
    let nothing = String::new();
    assert_eq!(at(&["meta-data/instance-type"]), ("t3.micro".to_owned(), nothing.clone(), 0));
    assert_eq!(at(&["/2009-04-04/meta-data/instance-type"]), ("t3.micro".to_owned(), nothing.clone(), 0));
    assert_eq!(at(&[]), ("dynamic\nmeta-data".to_owned(), nothing, 0));
}

#[test]
fn get_tells_why_there_is_nothing() {
    let served = Served::start(&["--http-tokens", "required"]);
    for (arguments, message) in [
        (
            &["--version1", "meta-data/"][..],
            "/latest/meta-data/: 401 Unauthorized\nhelp: tokens are required; ask without --version1",
        ),
        (
            &["instance-id"],
            "/latest/instance-id: 404 Not Found\nhelp: items are below meta-data/ and dynamic/: imds get lists what there is",
        ),
        (
            &["meta-data/nothing"],
            "/latest/meta-data/nothing: 404 Not Found\nhelp: a path that ends with a slash lists what there is",
        ),
        (
            &["--tree", "meta-data/ami-id/x"],
            "/latest/meta-data/ami-id/x/: 404 Not Found\nhelp: --tree wants a path that lists",
        ),
    ] {
        let (stdout, stderr, status) = printed(&ask(&served, &[&["get"], arguments].concat()));
        assert_eq!((&*stdout, &*stderr, status), ("", &*format!("imds: {message}\n"), 1), "{arguments:?}");
    }
    let refused = Served::start(&["--http-endpoint", "disabled"]);
    let (_, stderr, status) = printed(&ask(&refused, &["get"]));
    assert_eq!((&*stderr, status), ("imds: no token: 403 Forbidden\nhelp: --version1 asks without one\n", 1));
}

#[test]
fn get_prints_a_head_as_it_came() {
    let served = Served::start(&["--clock-start", "2026-10-01T00:00:00Z", "--clock-paused"]);
    let (head, _, status) = printed(&ask(&served, &["get", "--version1", "--head", "meta-data/ami-launch-index"]));
    assert_eq!(status, 0);
    let expected = "HTTP/1.1 200 OK\nContent-Type: text/plain\nAccept-Ranges: none\nLast-Modified: *\nContent-Length: 1\n\
                    Date: Thu, 01 Oct 2026 00:00:00 GMT\nServer: EC2ws\nConnection: close\n";
    let (before, after) = expected.split_once('*').unwrap();
    assert!(head.starts_with(before) && head.ends_with(after), "{head}");
}

#[test]
fn get_writes_bytes_as_they_are() {
    let bytes: Vec<u8> = (0..=255).collect();
    let file = File::new("bytes", &bytes);
    let served = Served::start(&["--user-data", file.path.to_str().unwrap()]);
    assert_eq!(ask(&served, &["get", "user-data"]).stdout, bytes);
    // Not on a screen.
    let tree = text(&ask(&served, &["get", "--tree"]).stdout);
    assert!(tree.ends_with("└─ user-data: 256 bytes\n"), "{tree}");
}

/// `BLESS=1` writes the trees, to be read in the diff.
#[test]
fn the_whole_tree_is_the_pinned_one() {
    let tests = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests");
    for (name, flags) in [("default", None), ("everything", Some(tests.join("instances/everything.toml")))] {
        let mut arguments = vec!["--clock-start", "2026-10-01T00:00:00Z", "--clock-paused"];
        if let Some(instance) = &flags {
            arguments.extend(["--instance", instance.to_str().unwrap()]);
        }
        let served = Served::start(&arguments);
        let (tree, stderr, status) = printed(&ask(&served, &["get", "--tree"]));
        assert_eq!((&*stderr, status), ("", 0));
        let (tree, file) = (without_signatures(&tree), tests.join(format!("trees/{name}.tree")));
        if std::env::var_os("BLESS").is_some() {
            fs::write(&file, &tree).unwrap();
        }
        assert_eq!(tree, fs::read_to_string(&file).unwrap(), "{} differs; BLESS=1 writes it", file.display());
    }
}

/// The keys of each user sign otherwise.
fn without_signatures(tree: &str) -> String {
    let mut is_signature = false;
    let mut kept = String::new();
    for line in tree.lines() {
        if let Some((_, name)) = line.split_once("─ ") {
            is_signature = ["pkcs7", "rsa2048", "signature"].contains(&name);
            kept += line;
            kept += if is_signature { " …\n" } else { "\n" };
        } else if !is_signature {
            kept += line;
            kept += "\n";
        }
    }
    kept
}

#[test]
fn get_says_that_no_service_answers() {
    for (arguments, expected) in [
        (&["get", "--endpoint", "http://127.0.0.1:1"][..], 3),
        (&["wait", "--endpoint", "http://127.0.0.1:1", "--timeout", "100ms"], 3),
        (&["get", "--endpoint", "127.0.0.1:1338"], 2),
        (&["get", "--endpoint", "https://127.0.0.1:1338"], 2),
        (&["get", "a b"], 2),
    ] {
        let (stdout, stderr, status) = printed(&imds(arguments));
        assert_eq!((&*stdout, status), ("", expected), "{arguments:?}: {stderr}");
        assert!(stderr.contains(if expected == 3 { "no answer from http://127.0.0.1:1: " } else { "" }), "{stderr}");
    }
    let mut imds = Command::new(IMDS);
    imds.arg("get").env("AWS_EC2_METADATA_SERVICE_ENDPOINT", "nonsense").stdin(Stdio::null());
    let (_, stderr, status) = printed(&imds.output().unwrap());
    assert_eq!(status, 2);
    assert!(stderr.starts_with("imds: AWS_EC2_METADATA_SERVICE_ENDPOINT: expected a URL"), "{stderr}");
}

#[test]
fn get_gives_up_on_a_service_that_hangs() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (_, stderr, status) = printed(&imds(&["get", "--endpoint", &endpoint, "--timeout", "100ms"]));
    assert_eq!((stderr, status), (format!("imds: no answer from {endpoint}: none came within 100ms\n"), 3));
}

#[test]
fn wait_ends_when_a_service_answers() {
    // A port that is free now.
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let mut wait = Command::new(IMDS);
    wait.args(["wait", "--endpoint", &format!("http://{address}")]).stdin(Stdio::null());
    let mut wait = wait.spawn().unwrap();
    thread::sleep(Duration::from_millis(200));
    assert!(wait.try_wait().unwrap().is_none(), "nobody answers yet");
    let mut serve = Command::new(IMDS);
    // That it refuses is an answer.
    serve.args(["serve", "--listen", &address, "--http-endpoint", "disabled"]);
    let _served = Served::spawn(serve, 1);
    assert!(wait.wait().unwrap().success());
}

#[test]
fn wait_is_neither_refused_nor_a_client_of_version_1() {
    let served = Served::start(&["--http-tokens", "required", "--metrics", "127.0.0.1:0"]);
    let metrics = served.line_with("metrics");
    let metrics = metrics.split("http://").nth(1).unwrap().split('/').next().unwrap().to_owned();
    let endpoint = format!("http://{}", served.addresses[0]);
    assert!(imds(&["wait", "--endpoint", &endpoint]).status.success());
    let page = request(&metrics, "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let counted = |line: &&str| line.starts_with("imds_requests_total{") && !line.ends_with(" 0");
    let counted: Vec<&str> = page.lines().filter(counted).collect();
    assert_eq!(counted, [r#"imds_requests_total{kind="methods-listed",version="unknown",status="200"} 1"#]);
}
