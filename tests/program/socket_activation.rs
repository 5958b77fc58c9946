//! What a service manager passes to `imds serve`, and what it is told.

use std::net::{TcpListener, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;

use super::*;

#[test]
fn a_listener_that_is_passed_is_served_alone() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    // A client may come before the server.
    let mut early = connect(&address);
    early.write_all(b"GET /latest/meta-data/instance-type HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut served = Served::spawn(passing(listener.into(), "serve"), 1);
    assert_eq!(served.addresses, [address]);
    assert!(served.line_with("curl ").contains(&served.addresses[0]));
    let mut answer = String::new();
    early.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("\r\n\r\nt3.micro"), "{answer}");
    assert_eq!(served.terminate().code(), Some(0));
}

#[test]
fn other_listeners_are_served_beside_one_that_is_passed() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let served = Served::spawn(passing(listener.into(), "serve --listen 127.0.0.1:0"), 2);
    assert_eq!(served.addresses[0], address);
    for address in &served.addresses {
        assert!(TcpStream::connect(address).is_ok());
    }
}

#[test]
fn what_is_passed_and_cannot_be_listened_on_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let connected = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let file = fs::File::open("/dev/null").unwrap();
    for passed in [connected.into(), UdpSocket::bind("127.0.0.1:0").unwrap().into(), OwnedFd::from(file)] {
        let output = passing(passed, "serve").output().unwrap();
        let errors = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{errors}");
        assert!(errors.contains("socket 1 of those in LISTEN_FDS is no listening TCP socket"), "{errors}");
    }
}

#[test]
fn what_is_passed_to_another_process_is_not_taken() {
    let mut imds = Command::new(IMDS);
    imds.args(["serve", "--listen", "127.0.0.1:0"]).envs([("LISTEN_FDS", "1"), ("LISTEN_PID", "1")]);
    assert!(Served::spawn(imds, 1).terminate().success());
}

#[test]
fn what_is_passed_to_no_process_is_not_taken() {
    for process in ["unset LISTEN_PID", "export LISTEN_PID="] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let imds = passing_to(process, listener.into(), "serve --listen 127.0.0.1:0");
        assert_ne!(Served::spawn(imds, 1).addresses, [address], "{process}");
    }
}

#[test]
fn run_passes_no_listeners_on() {
    // What it has open: its input, and where a listener would be.
    let script = "env; for number in 0 3; do (: <&$number) 2>/dev/null && echo descriptor $number; done";
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut imds = passing(listener.into(), &format!("run -- sh -c '{script}'"));
    let printed = text(&imds.output().unwrap().stdout);
    assert!(printed.contains("AWS_EC2_METADATA_SERVICE_ENDPOINT=") && !printed.contains("LISTEN_"), "{printed}");
    assert!(printed.contains("descriptor 0\n") && !printed.contains("descriptor 3\n"), "{printed}");
}

#[test]
fn the_service_manager_hears_of_start_and_end() {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("notify-{}", std::process::id()));
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(DEADLINE)).unwrap();
    let hears = || {
        let mut bytes = [0; 64];
        let count = manager.recv(&mut bytes).unwrap();
        text(&bytes[..count])
    };
    let mut imds = Command::new(IMDS);
    imds.args(["serve", "--listen", "127.0.0.1:0"]).env("NOTIFY_SOCKET", &path);
    let mut served = Served::spawn(imds, 1);
    assert_eq!(hears(), "READY=1\n");
    assert!(served.terminate().success());
    assert_eq!(hears(), "STOPPING=1\n");

    // Who cannot be told keeps nobody from being served.
    drop(manager);
    fs::remove_file(&path).unwrap();
    let mut imds = Command::new(IMDS);
    imds.args(["serve", "--listen", "127.0.0.1:0"]).env("NOTIFY_SOCKET", &path);
    let served = Served::spawn(imds, 1);
    served.line_with("warning: cannot tell the service manager");
}

/// `imds` with one descriptor passed as systemd does: the shell keeps its process.
fn passing(descriptor: OwnedFd, words: &str) -> Command {
    passing_to("export LISTEN_PID=$$", descriptor, words)
}

/// The same, with a shell command that says to whom.
fn passing_to(process: &str, descriptor: OwnedFd, words: &str) -> Command {
    let mut shell = Command::new("sh");
    let script = format!("{process}; LISTEN_FDS=1 LISTEN_FDNAMES=x exec \"$0\" {words} 3<&0 </dev/null");
    shell.args(["-c", &script, IMDS]).stdin(descriptor);
    shell
}
