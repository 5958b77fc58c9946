//! Reading a description again while it is served.

use std::io;
use std::net::Ipv4Addr;
use std::path::Path;

use super::*;

const TYPE: &str = "GET /latest/meta-data/instance-type HTTP/1.1\r\nHost: localhost\r\n\r\n";

fn instance_type(served: &Served) -> String {
    let answer = served.request(TYPE);
    answer.split("\r\n\r\n").nth(1).unwrap_or_default().to_owned()
}

#[test]
fn sighup_reads_the_description_again_and_a_wrong_one_changes_nothing() {
    if !is_delivered("HUP") {
        return;
    }
    let file = File::new("read-again.toml", "instance-type = 'm7g.large'\n");
    let name = file.path.to_str().unwrap();
    let served = Served::start(&["--instance", name, "--http-tokens", "optional"]);
    let token = served.token();
    assert_eq!(instance_type(&served), "m7g.large");

    fs::write(&file.path, "instance-type = 'c7i.xlarge'\n").unwrap();
    assert_eq!(instance_type(&served), "m7g.large", "nobody asked for it yet");
    kill(&served.child, "HUP");
    assert_eq!(served.line_with("again: "), format!("imds: read {name} again: revision 2"));
    assert_eq!(instance_type(&served), "c7i.xlarge");
    assert!(served.get_with_token("/latest/", &token).starts_with("HTTP/1.1 200 "), "tokens stay good");

    fs::write(&file.path, "\ninstnace-type = 't3.nano'\n").unwrap();
    kill(&served.child, "HUP");
    served.line_with("error: unknown field `instnace-type`");
    served.line_with(&format!(" --> {name}:2:1"));
    served.line_with("imds: nothing was changed");
    assert_eq!(instance_type(&served), "c7i.xlarge");

    fs::remove_file(&file.path).unwrap();
    kill(&served.child, "HUP");
    served.line_with(&format!("cannot read {name}"));
    fs::write(&file.path, "instance-type = 't3.nano'\n").unwrap();
    kill(&served.child, "HUP");
    served.line_with("again: revision 3");
    assert_eq!(instance_type(&served), "t3.nano");
}

#[test]
fn a_file_that_is_watched_is_read_when_it_changes() {
    let file = File::new("watched.toml", "instance-type = 'm7g.large'\n");
    let served = Served::start(&["--instance", file.path.to_str().unwrap(), "--watch"]);
    for (text, told) in [
        ("instance-type = 'c7i.xlarge' # longer\n", "again: revision 2"),
        ("instance-type = \n", "imds: nothing was changed"),
        ("instance-type = 't3.nano' # and longer again\n", "again: revision 3"),
    ] {
        fs::write(&file.path, text).unwrap();
        served.line_with(told);
    }
    // As editors replace a file.
    let other = File::new("watched.toml~", "instance-type = 't3.large'\n");
    fs::rename(&other.path, &file.path).unwrap();
    served.line_with("again: revision 4");
    assert_eq!(instance_type(&served), "t3.large");

    // Of the same size and from the same time, as `cp --preserve` makes it.
    let modified = fs::metadata(&file.path).unwrap().modified().unwrap();
    let set_back = |path: &Path| fs::File::options().write(true).open(path).unwrap().set_modified(modified).unwrap();
    let other = File::new("watched.toml~", "instance-type = 'm7i.large'\n");
    set_back(&other.path);
    fs::rename(&other.path, &file.path).unwrap();
    served.line_with("again: revision 5");
    assert_eq!(instance_type(&served), "m7i.large");
    // Or in its place.
    fs::write(&file.path, "instance-type = 'c7i.large'\n").unwrap();
    set_back(&file.path);
    served.line_with("again: revision 6");
    assert_eq!(instance_type(&served), "c7i.large");
}

#[test]
fn a_deadline_does_not_slide_when_the_file_is_read_again() {
    if !is_delivered("HUP") {
        return;
    }
    let spot = "instance-lifecycle = 'spot'\nspot-interruption.time = '+90s'\n";
    let file = File::new("deadline.toml", spot);
    let clock = ["--clock-start", "2026-10-01T00:00:00Z", "--clock-speed", "0.001"];
    let served = Served::start(&[&["--instance", file.path.to_str().unwrap()][..], &clock].concat());
    let notice = || served.request("GET /latest/meta-data/spot/instance-action HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let expected = r#"{"action":"terminate","time":"2026-10-01T00:01:30Z"}"#;
    assert!(notice().ends_with(expected), "{}", notice());
    kill(&served.child, "HUP");
    served.line_with("again: revision 2");
    assert!(notice().ends_with(expected), "{}", notice());
}

#[test]
fn many_instances_are_read_again_as_a_whole() {
    if !is_delivered("HUP") {
        return;
    }
    let file = File::new("many-again.jsonl", line("127.0.0.1", "m7g.large"));
    let served = Served::start(&["--instances", file.path.to_str().unwrap(), "--caller", "client-address"]);
    assert_eq!(instance_type(&served), "m7g.large");
    fs::write(&file.path, line("127.0.0.1", "c7i.xlarge") + &line("127.0.0.2", "")).unwrap();
    kill(&served.child, "HUP");
    served.line_with("imds: nothing was changed");
    assert_eq!(instance_type(&served), "m7g.large");
    fs::write(&file.path, line("127.0.0.1", "c7i.xlarge") + &line("127.0.0.2", "t3.nano")).unwrap();
    kill(&served.child, "HUP");
    served.line_with("again: 2 instances");
    assert_eq!(instance_type(&served), "c7i.xlarge");
    fs::write(&file.path, line("127.0.0.2", "t3.nano")).unwrap();
    kill(&served.child, "HUP");
    served.line_with("again: 1 instance");
    assert!(served.request(TYPE).starts_with("HTTP/1.1 403 "));
}

/// So many lines take minutes, and the signal comes in the first moments.
#[cfg(target_os = "linux")]
#[test]
fn a_stop_does_not_wait_for_a_description_that_is_being_read() {
    if !is_delivered("HUP") {
        return;
    }
    let file = File::new("long-again.jsonl", line("127.0.0.1", "m7g.large"));
    let mut served = Served::start(&["--instances", file.path.to_str().unwrap(), "--caller", "client-address"]);
    let lines = (0..200_000).map(|number: u32| line(&Ipv4Addr::from(number).to_string(), "c7i.xlarge"));
    fs::write(&file.path, lines.collect::<String>()).unwrap();
    kill(&served.child, "HUP");
    let open_files = format!("/proc/{}/fd", served.child.id());
    let is_open =
        |entry: io::Result<fs::DirEntry>| fs::read_link(entry.unwrap().path()).is_ok_and(|to| to == file.path);
    while !fs::read_dir(&open_files).unwrap().any(is_open) {
        assert!(served.child.try_wait().unwrap().is_none());
        thread::sleep(Duration::from_millis(1));
    }
    // Others are answered meanwhile.
    assert_eq!(instance_type(&served), "m7g.large");
    let started = Instant::now();
    assert_eq!(served.terminate().code(), Some(0));
    assert!(started.elapsed() < DEADLINE);
    assert!(served.lines.iter().all(|line| !line.contains(" again: ")), "it read all of them");
}

fn line(caller: &str, instance_type: &str) -> String {
    format!("{{\"caller\": \"{caller}\", \"instance\": {{\"instance-type\": \"{instance_type}\"}}}}\n")
}

#[test]
fn the_clock_starts_stands_and_runs_as_told() {
    let date = |served: &Served| {
        let answer = served.request(TYPE);
        answer.lines().find_map(|line| line.strip_prefix("Date: ")).unwrap().to_owned()
    };
    let served = Served::start(&["--clock-start", "2030-01-01T00:00:00Z", "--clock-paused"]);
    assert_eq!([date(&served), date(&served)], ["Tue, 01 Jan 2030 00:00:00 GMT"; 2]);
    let served = Served::start(&["--clock-start", "2030-01-01T00:00:00Z", "--clock-speed", "1000000"]);
    assert_ne!(date(&served), date(&served));
    for wrong in [["--clock-start", "tomorrow"], ["--clock-speed", "0"], ["--clock-speed", "fast"]] {
        let output = imds(&["serve", wrong[0], wrong[1]]);
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
        assert!(text(&output.stderr).contains("expected"), "{}", text(&output.stderr));
    }
}

/// Who closes the terminal wants the server gone.
#[cfg(target_os = "linux")]
#[test]
fn a_terminal_that_is_closed_ends_it() {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    if !is_delivered("HUP") {
        return;
    }
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap().into_string().unwrap();
    let side = fs::File::options().read(true).write(true).open(name).unwrap();
    // A session of its own, of which this is the terminal.
    let mut imds = Command::new("setsid");
    imds.args(["--ctty", IMDS, "serve", "--listen", "127.0.0.1:0"]).stdin(side);
    let mut served = Served::spawn(imds, 1);
    assert_eq!(instance_type(&served), "t3.micro");
    drop(terminal);
    assert_eq!(served.child.wait().unwrap().code(), Some(0));
}
