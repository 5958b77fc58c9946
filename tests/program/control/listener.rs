//! Where the control listener is, and who reaches it.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;

use super::*;

#[test]
fn the_command_of_run_finds_where_to_give_orders() {
    let path = socket("run");
    for place in [&["--control"][..], &["--control", path.path.to_str().unwrap()]] {
        let mut imds = Command::new(IMDS);
        imds.args(["run", "--log", "off", "--clock-start", "2026-10-01T00:00:00Z", "--clock-paused"]).args(place);
        imds.args(["--", "sh", "-c", "\"$0\" ctl interrupt && \"$0\" ctl reload && cd / && \"$0\" ctl show", IMDS]);
        let output = imds.env("IMDS_CONTROL", "127.0.0.1:1").output().unwrap();
        let (printed, errors) = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "{printed}{errors}");
        assert!(
            printed.contains("in 2m         2026-10-01T00:02:00.000Z  state = terminated\n")
                && printed.contains("\nrevision 3\n"),
            "{printed}"
        );
        assert!(errors.contains("imds: control on "), "{errors}");
    }
    assert!(!path.path.exists());
    let mut imds = Command::new(IMDS);
    imds.args(["run", "--", "sh", "-c", "test -z \"$IMDS_CONTROL\""]).env("IMDS_CONTROL", "127.0.0.1:1");
    assert!(imds.output().unwrap().status.success(), "another instance's listener is not the command's");
}

#[test]
fn sockets_belong_to_their_owner_and_go_with_the_program() {
    let path = socket("owner");
    let name = path.path.to_str().unwrap();
    let mut controlled = Controlled::at(name, &[]);
    assert_eq!(fs::metadata(name).unwrap().permissions().mode() & 0o777, 0o600);

    // A live one is left alone.
    let second = imds(&["serve", "--listen", "127.0.0.1:0", "--control", name]);
    assert_eq!(second.status.code(), Some(1));
    assert!(text(&second.stderr).contains("help: another process listens there"), "{}", text(&second.stderr));
    assert_eq!(controlled.told(&["clock", "system"]).lines().count(), 1);
    assert!(controlled.served.terminate().success());
    assert!(!path.path.exists());

    // One that a killed server left is replaced.
    drop(UnixListener::bind(name).unwrap());
    assert!(path.path.exists());
    let controlled = Controlled::at(name, &[]);
    assert_eq!(controlled.shown()["revision"], 1);
    drop(controlled);
}

#[test]
fn what_is_no_socket_is_never_replaced() {
    let file = File::new("control-no-socket", "precious");
    let output = imds(&["serve", "--listen", "127.0.0.1:0", "--control", file.path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("is there and no socket"), "{}", text(&output.stderr));
    assert_eq!(fs::read_to_string(&file.path).unwrap(), "precious");
}

#[test]
fn the_listener_is_for_this_machine() {
    for (flags, advice) in [
        (&["--control", "0.0.0.0:1340"][..], "a loopback address with a port, such as 127.0.0.1:1340"),
        (&["--control", "169.254.169.254:80"], "instances and other machines must not"),
        (&["--control", "1340"], "or the path of a Unix socket"),
    ] {
        let output = imds(&[&["serve", "--listen", "127.0.0.1:0"], flags].concat());
        assert_eq!(output.status.code(), Some(2), "{flags:?}");
        assert!(text(&output.stderr).contains(advice), "{}", text(&output.stderr));
    }
}

#[test]
fn who_is_not_there_is_named_with_what_to_do() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    drop(taken);
    for place in [address.as_str(), "/no/such/socket"] {
        let output = ctl("nonsense", &["--control", place, "show"]);
        assert_eq!(output.status.code(), Some(1));
        let errors = text(&output.stderr);
        assert!(
            errors.contains(place) && errors.contains("help: start it with --control: imds serve --control"),
            "{errors}"
        );
    }
    assert_eq!(ctl("nonsense", &["show"]).status.code(), Some(2));
    // Somebody else's server.
    let served = Served::start(&[]);
    let output = ctl(&served.addresses[0], &["show"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("is no control listener of imds"), "{}", text(&output.stderr));
}

#[test]
fn silent_clients_keep_no_operator_out() {
    let controlled = Controlled::start(&[]);
    let address = controlled.place.strip_prefix("http://").unwrap();
    let silent: Vec<_> = (0..200).map(|_| connect(address)).collect();
    assert_eq!(controlled.shown()["revision"], 1);
    drop(silent);
}
