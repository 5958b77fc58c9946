//! What happens to a process from outside: the system has no more file
//! descriptors, and it is killed.

use super::*;

const GET: &str = "GET /latest/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

#[test]
fn who_speaks_is_answered_when_file_descriptors_run_out() {
    let mut imds = Command::new("sh");
    imds.args(["-c", "ulimit -n 40; exec \"$0\" serve --listen 127.0.0.1:0 --keep-alive", IMDS]);
    let served = Served::spawn(imds, 1);
    for _ in 0..2 {
        let silent: Vec<TcpStream> = (0..100).map(|_| served.connect()).collect();
        assert!(served.request(GET).starts_with("HTTP/1.1 200 OK\r\n"));
        drop(silent);
        assert!(served.request(GET).starts_with("HTTP/1.1 200 OK\r\n"));
    }
    let log = served.end_of_log();
    assert!(log.contains("imds: cannot accept a connection: Too many open files"), "{log}");
    assert!(log.lines().count() < 100, "{log}");
}

/// Below 4 there is no room for the libraries that the system loads.
#[test]
fn with_hardly_any_file_descriptors_it_serves_or_says_why_not() {
    let mut least = None;
    for descriptors in 4..24 {
        let mut imds = Command::new("sh");
        let script = format!("ulimit -n {descriptors}; exec \"$0\" serve --listen 127.0.0.1:0");
        imds.args(["-c", &script, IMDS]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = imds.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let first = lines.next().unwrap();
        if first.starts_with("imds: listening on ") {
            least = least.or(Some(descriptors));
            kill(&child, "TERM");
        }
        let rest: Vec<String> = lines.collect();
        let status = child.wait().unwrap();
        assert!(rest.iter().all(|line| !line.contains("panicked")), "{descriptors}: {first} {rest:?}");
        if least.is_none() {
            assert_eq!(status.code(), Some(1), "{descriptors}: {first}");
            assert!(first.starts_with("imds: ") && first.contains("Too many open files"), "{descriptors}: {first}");
        } else {
            assert_eq!(status.code(), Some(0), "{descriptors}: {first}");
        }
    }
    assert!(least.is_some_and(|descriptors| descriptors < 24), "it never served");
}

#[test]
fn the_log_tells_why_nobody_gets_the_metrics() {
    let mut imds = Command::new("sh");
    imds.args(["-c", "ulimit -n 30; exec \"$0\" serve --listen 127.0.0.1:0 --metrics 127.0.0.1:0", IMDS]);
    let served = Served::spawn(imds, 1);
    let line = served.line_with("imds: metrics on http://");
    let address = line.strip_prefix("imds: metrics on http://").and_then(|rest| rest.strip_suffix("/metrics")).unwrap();
    let _silent: Vec<TcpStream> = (0..30).map(|_| connect(address)).collect();
    served.line_with("imds: cannot accept a connection: Too many open files");
}

#[test]
fn a_token_is_good_at_once_after_a_kill_and_a_start_at_the_same_address() {
    let secret = File::for_owner("secret-kept", "0123456789abcdef0123456789abcdef");
    let flags = ["--token-secret-file", secret.path.to_str().unwrap(), "--http-tokens", "required", "--keep-alive"];
    let mut killed = Served::start(&flags);
    let token = killed.token();
    let address = killed.addresses[0].clone();
    // In the midst of a request, and of an idle connection.
    let mut open = [(); 2].map(|()| killed.connect());
    open[0].write_all(b"GET /latest/ HT").unwrap();
    kill(&killed.child, "KILL");
    assert_eq!(killed.child.wait().unwrap().code(), None);

    let mut imds = Command::new(IMDS);
    imds.args(["serve", "--listen", &address]).args(flags);
    let restarted = Served::spawn(imds, 1);
    let with = |token: &str| {
        let fields = format!("Host: localhost\r\nConnection: close\r\nX-aws-ec2-metadata-token: {token}");
        restarted.request(&GET.replace("Host: localhost\r\nConnection: close", &fields))
    };
    let answer = with(&token);
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    let mut wrong = token.clone().into_bytes();
    wrong[20] = if wrong[20] == b'A' { b'B' } else { b'A' };
    let answer = with(&text(&wrong));
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
}
