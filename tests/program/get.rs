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
            "/latest/meta-data/ami-id/x/: 404 Not Found\nhelp: a path that ends with a slash lists what there is",
        ),
    ] {
        let (stdout, stderr, status) = printed(&ask(&served, &[&["get"], arguments].concat()));
        assert_eq!((&*stdout, &*stderr, status), ("", &*format!("imds: {message}\n"), 1), "{arguments:?}");
    }
    let refused = Served::start(&["--http-endpoint", "disabled"]);
    let (_, stderr, status) = printed(&ask(&refused, &["get"]));
    assert_eq!(
        (&*stderr, status),
        ("imds: no token: 403 Forbidden\nhelp: the service may be disabled, or not for the name in the URL\n", 1)
    );
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

#[test]
fn the_tree_of_a_folder_or_of_an_item() {
    let served = Served::start(&["--set", "tags.a=1", "--set", "metadata-options.instance-metadata-tags=enabled"]);
    let tree = |path: &str| printed(&ask(&served, &["get", "--tree", path]));
    let nothing = String::new();
    for path in ["meta-data/instance-type", "meta-data/instance-type/"] {
        assert_eq!(tree(path), ("/latest/meta-data/\n└─ instance-type: t3.micro\n".to_owned(), nothing.clone(), 0));
    }
    let services = "/latest/meta-data/services/\n├─ domain: amazonaws.com\n└─ partition: aws\n".to_owned();
    assert_eq!(tree("meta-data/services"), (services.clone(), nothing.clone(), 0));
    assert_eq!(tree("meta-data/services/"), (services, nothing.clone(), 0));
    assert_eq!(tree("meta-data/tags/instance").0, "/latest/meta-data/tags/instance/\n└─ a: 1\n");
    let key = tree("meta-data/public-keys/0");
    assert!(key.0.starts_with("/latest/meta-data/public-keys/0/\n└─ openssh-key: "), "{key:?}");
    // Everything below the root, in every version.
    assert!(tree("/").0.contains("\n├─ 2007-01-19\n"));
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
        (&["get", "latest/meta-data/"], 2),
        (&["get", "2021-07-15/meta-data/"], 2),
        (&["get", "http://127.0.0.1:1338/latest/"], 2),
        (&["get", "--tree", "meta-data?x"], 2),
        (&["wait", "--endpoint", "http://127.0.0.1", "--timeout", "nonsense"], 2),
    ] {
        let (stdout, stderr, status) = printed(&imds(arguments));
        assert_eq!((&*stdout, status), ("", expected), "{arguments:?}: {stderr}");
        assert_eq!(stderr.contains("no answer from http://127.0.0.1:1"), expected == 3, "{stderr}");
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
    assert_eq!((stderr, status), (format!("imds: no answer from {endpoint} within 100ms\n"), 3));
}

/// A server that answers everything with this body, on a thread that ends with the
/// process.
fn answering(body: impl Into<String>) -> String {
    let body = body.into();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut stream = stream;
            let _ = stream.read(&mut [0; 4096]);
            let _ =
                write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
        }
    });
    endpoint
}

#[test]
fn a_connection_that_stays_open_costs_no_answer() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let kept = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]);
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello").unwrap();
        stream
    });
    let output = imds(&["get", "--version1", "--endpoint", &endpoint, "meta-data/x"]);
    assert_eq!(printed(&output), ("hello".to_owned(), String::new(), 0));
    drop(kept.join());
}

#[test]
fn an_interim_answer_is_not_the_answer() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]);
        stream.write_all(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n").unwrap();
        // The answer comes in a packet of its own.
        thread::sleep(Duration::from_millis(100));
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello").unwrap();
        thread::sleep(DEADLINE);
    });
    let output = imds(&["get", "--version1", "--endpoint", &endpoint, "meta-data/x"]);
    assert_eq!(printed(&output), ("hello".to_owned(), String::new(), 0));
}

#[test]
fn a_tree_without_end_is_given_up() {
    let wide = "x\n".repeat(200);
    for (body, expected) in [
        ("a/", "no service has folders as deep as this"),
        ("a/\nb", "deep"),
        (&wide, "no service has more than 10000 items"),
        ("x", ""),
    ] {
        let output = imds(&["get", "--tree", "--version1", "--endpoint", &answering(body)]);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.success(), expected.is_empty(), "{stderr}");
        assert!(stderr.contains(expected), "{stderr}");
    }
}

#[test]
fn wait_ends_when_a_service_answers() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut wait = Command::new(IMDS);
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let mut wait = wait.args(["wait", "--endpoint", &endpoint]).stdin(Stdio::null()).spawn().unwrap();
    // What closes without an answer is no service yet: it asks again.
    drop(listener.accept().unwrap());
    let (mut stream, _) = listener.accept().unwrap();
    // That a service refuses is an answer.
    let _ = stream.read(&mut [0; 4096]);
    stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n").unwrap();
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
