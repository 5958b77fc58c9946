//! `imds ctl` and the component, with a small HTTP server between them.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::thread;

use super::super::{Application, INSTANCE_ID, get};
use super::{Control, SECRET, controlled, controlled_many};

/// The program, which is built with the tests of its package.
fn program() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its file");
    let program = test.ancestors().nth(2).expect("a folder of the profile").join("imds");
    assert!(program.is_file(), "there is no program imds beside the tests; cargo test --workspace builds it");
    program
}

/// Serves a control below `/imds-control`, as Spin routes to it.
fn serve(control: Control) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it has an address");
    let control = Arc::new(control);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let control = Arc::clone(&control);
            thread::spawn(move || forward(&control, &stream));
        }
    });
    address
}

fn forward(control: &Control, stream: &TcpStream) {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a head");
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let mut words = lines[0].split(' ');
    let (method, path) = (words.next().expect("a method"), words.next().expect("a target"));
    let fields: Vec<(String, String)> = lines[1..]
        .iter()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let field = |wanted: &str| fields.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone());
    let length = field("content-length").map_or(0, |length| length.parse().expect("a length"));
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("a body");
    let sent: Vec<(&str, &str)> = ["authorization", "content-type", "if-match"]
        .into_iter()
        .filter_map(|name| Some((name, fields.iter().find(|(other, _)| other == name)?.1.as_str())))
        .chain([("spin-component-route", "/imds-control"), ("spin-client-addr", "127.0.0.1:50000")])
        .collect();
    let answer = control.send(method, path, &sent, std::str::from_utf8(&body).expect("text"));
    let (status, length) = (answer.status, answer.body.len());
    let head = format!("HTTP/1.1 {status} \r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    let mut stream = stream;
    // A client that has gone misses nothing.
    let _ = stream.write_all((head + &answer.body).as_bytes());
}

/// An application and the program that operates it.
struct Operated {
    application: Application,
    program: PathBuf,
    url: String,
    folder: PathBuf,
}

impl Operated {
    fn start(name: &str, application: Application) -> Operated {
        let program = program();
        let address = serve(Control::of(&application));
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("ctl-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder can be made");
        std::fs::write(folder.join("secret"), format!("{SECRET}\n")).expect("a file can be written");
        Operated { application, program, url: format!("http://{address}/imds-control"), folder }
    }

    fn ctl(&self, arguments: &[&str]) -> (i32, String, String) {
        let mut imds = Command::new(&self.program);
        imds.args(["ctl", "--control", &self.url]).args(arguments).current_dir(&self.folder);
        let output = imds.env("IMDS_CONTROL_TOKEN_FILE", "secret").output().expect("it starts");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
    }

    fn told(&self, arguments: &[&str]) -> String {
        let (code, told, error) = self.ctl(arguments);
        assert_eq!(code, 0, "{arguments:?}: {error}");
        told
    }
}

impl Drop for Operated {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[test]
fn the_program_operates_the_one_instance() {
    let operated = Operated::start("one", controlled(&[]));
    let shown = operated.told(&["show"]);
    assert!(
        shown.starts_with("instance  i-0123456789abcdef0, t3.micro in us-east-1a, on-demand, running\n"),
        "{shown}"
    );
    assert!(operated.told(&["edit", "metadata-options.http-tokens = 'required'"]).starts_with("revision "));
    let interrupted = operated.told(&["interrupt", "--action", "stop"]);
    assert!(interrupted.contains("instance-lifecycle was on-demand and is spot now\n"), "{interrupted}");
    assert!(operated.told(&["rebalance"]).contains("rebalance recommendation"));
    assert!(operated.told(&["stop"]).starts_with("the instance is stopped\n"));
    assert!(operated.told(&["start"]).starts_with("the instance is running\n"));
    assert!(operated.told(&["reboot"]).starts_with("the instance is running; it was rebooted"));
    assert_eq!(operated.told(&["fault", "refuse", "--path", "/latest/user-data"]), "1  refuse, /latest/user-data\n");
    assert_eq!(operated.told(&["fault", "off"]), "no faults\n");
    assert!(operated.told(&["terminate"]).contains("to have it back: imds ctl put"));
    std::fs::write(operated.folder.join("i.toml"), "timeline = [{ at = '+5m', state = 'stopped' }]\n").expect("a file");
    let put = operated.told(&["put", "i.toml"]);
    let revision = put.trim().strip_prefix("revision ").expect("a revision");
    assert!(operated.told(&["show"]).contains("state = stopped"));
    let (code, _, error) = operated.ctl(&["edit", "--revision", "7", "tags.a = 'b'"]);
    assert!(code == 1 && error.contains(revision) && error.contains("imds ctl show tells the revision"), "{error}");
    operated.told(&["edit", "--revision", revision, "tags.a = 'b'"]);
    let (code, _, error) = operated.ctl(&["edit", "metadata-options.http-tokens = \"optoinal\""]);
    assert!(code == 2 && error.contains("--> the change:1:32"), "{error}");
    for (verb, word) in
        [("clock", "clock"), ("follow", "requests"), ("explain", "requests"), ("usage", "count"), ("reload", "store")]
    {
        let (code, _, error) = operated.ctl(&[verb]);
        assert!(code == 1 && error.contains(word) && error.contains("404"), "{verb}: {error}");
    }
}

#[test]
fn the_program_operates_many_instances() {
    let operated = Operated::start("many", controlled_many());
    let adapter = operated.application.replica();
    assert_eq!(operated.told(&["list"]), "no instances\n");
    std::fs::write(operated.folder.join("i.toml"), "instance-type = 'm7g.large'\n").expect("a file");
    assert_eq!(adapter_status(&adapter), 403);
    operated.told(&["--instance", "a/b", "put", "i.toml"]);
    operated.application.wait(1000);
    assert_eq!(adapter_status(&adapter), 200);
    assert!(operated.told(&["--instance", "a/b", "show"]).contains("m7g.large"));
    let list = operated.told(&["list"]);
    assert!(list.starts_with("a/b  ") && list.contains("  revision "), "{list}");
    operated.told(&["--instance", "a/b", "remove"]);
    assert_eq!(operated.told(&["list"]), "no instances\n");
    for (arguments, words) in [
        (&["remove"][..], "remove takes the key of an instance"),
        (&["--instance", "a b", "show"], "a key is printable ASCII"),
        (&["--instance", "a/b", "show"], "the store has no key `instances/a/b`"),
        (&["show"], "/v1/instances/{key}"),
    ] {
        let (code, _, error) = operated.ctl(arguments);
        assert!(code != 0 && error.contains(words), "{arguments:?}: {error}");
    }
}

fn adapter_status(adapter: &super::Replica) -> u16 {
    get(adapter, INSTANCE_ID, &[("x-guest", "a/b")]).0
}

#[test]
fn the_program_says_why_it_is_not_let_in() {
    let operated = Operated::start("refused", controlled(&[]));
    std::fs::write(operated.folder.join("wrong"), "another secret of operators").expect("a file");
    let (code, told, error) = operated.ctl(&["--token-file", "wrong", "show"]);
    assert!(code == 1 && error.contains("the secret is wrong (401") && error.contains("control_secret"), "{error}");
    assert!(!format!("{told}{error}").contains("another secret"));
    let off = Operated::start("off", Application::new(&[]));
    let (code, _, error) = off.ctl(&["show"]);
    assert!(code == 1 && error.contains("is no control of imds") && error.contains("control_secret"), "{error}");
}
