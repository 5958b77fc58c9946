//! `imds serve --link-local`, in network namespaces.

use std::net::TcpListener;

use super::namespaces::{Namespace, Network, wait_until};
use super::*;

const V4: &str = "169.254.169.254";
const V6: &str = "fd00:ec2::254";
const GET: &str = "GET /latest/meta-data/instance-type HTTP/1.1\r\nHost: localhost\r\n\r\n";

#[test]
fn addresses_are_there_only_while_they_are_served() {
    let Some(namespace) = Namespace::new("added") else { return };
    let mut served = Served::spawn(serve(&namespace, &["--add-addresses"]), 1);
    assert_eq!(served.addresses, [format!("{V4}:80")]);
    assert_eq!(addresses(&namespace), [V4]);
    assert!(namespace.enter(|| request("169.254.169.254:80", GET)).ends_with("\r\n\r\nt3.micro"));
    assert!(namespace.enter(|| TcpStream::connect("127.0.0.1:1338").is_err()));
    assert_eq!(served.terminate().code(), Some(0));
    assert_eq!(addresses(&namespace), [""; 0]);

    let mut served = Served::spawn(serve(&namespace, &["--add-addresses", "--http-protocol-ipv6", "enabled"]), 2);
    assert_eq!(served.addresses, [format!("{V4}:80"), format!("[{V6}]:80")]);
    assert_eq!(addresses(&namespace), [V4, V6]);
    assert!(namespace.enter(|| request(&served.addresses[1], GET)).ends_with("\r\n\r\nt3.micro"));
    kill(&served.child, "TERM");
    assert_eq!(served.child.wait().unwrap().code(), Some(0));
    assert_eq!(addresses(&namespace), [""; 0]);
}

#[test]
fn other_listeners_and_interfaces_can_be_named() {
    let Some(namespace) = Namespace::new("named") else { return };
    namespace.ip("link add other type veth peer name peer");
    for interface in ["other", "peer"] {
        namespace.ip(&format!("link set {interface} up"));
    }
    let flags = ["--add-addresses=other", "--http-protocol-ipv6", "enabled", "--listen", "127.0.0.1:0"];
    let mut served = Served::spawn(serve(&namespace, &flags), 3);
    assert!(served.addresses[0].starts_with("127.0.0.1:"));
    assert!(namespace.ip("-o address show dev other").contains(V6));
    assert!(namespace.enter(|| request(&served.addresses[2], GET)).ends_with("\r\n\r\nt3.micro"));
    assert!(served.terminate().success());
    assert_eq!(addresses(&namespace), [""; 0]);
}

#[test]
fn who_asks_twice_to_end_leaves_no_address() {
    let Some(namespace) = Namespace::new("twice") else { return };
    let flags = ["--add-addresses", "--body-time", "1h", "--stop-time", "1h"];
    let mut served = Served::spawn(serve(&namespace, &flags), 1);
    let mut waiting = namespace.enter(|| connect("169.254.169.254:80"));
    waiting
        .write_all(b"PUT / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n")
        .unwrap();
    // It is asked for the body: the request is there.
    waiting.read_exact(&mut [0; 1]).unwrap();
    kill(&served.child, "TERM");
    // It takes no more connections once it has seen the signal.
    wait_until("it stops", || namespace.enter(|| TcpStream::connect((V4, 80)).is_err()));
    assert_eq!(served.terminate().code(), Some(0));
    assert_eq!(addresses(&namespace), [""; 0]);
}

#[test]
fn an_address_that_was_there_stays() {
    let Some(namespace) = Namespace::new("stays") else { return };
    namespace.ip(&format!("address add {V4}/32 dev lo"));
    for flags in [&[][..], &["--add-addresses"]] {
        let mut served = Served::spawn(serve(&namespace, flags), 1);
        let noted = format!("imds: note: {V4} is on lo already, and stays there at the end");
        assert_eq!(served.notes, if flags.is_empty() { vec![] } else { vec![noted] });
        assert!(served.terminate().success());
        assert_eq!(addresses(&namespace), [V4]);
    }
}

#[test]
fn what_a_kill_left_behind_is_taken_over() {
    let Some(namespace) = Namespace::new("killed") else { return };
    let flags = ["--add-addresses", "--http-protocol-ipv6", "enabled"];
    let mut killed = Served::spawn(serve(&namespace, &flags), 2);
    // While it serves, its addresses are nobody else's.
    let errors = fails(&mut serve(&namespace, &flags));
    assert!(errors.contains(&format!("{V4} is on lo already, and stays there at the end")), "{errors}");
    assert!(errors.contains(&format!("cannot listen on {V4}:80: Address already in use")), "{errors}");
    assert_eq!(addresses(&namespace), [V4, V6]);
    kill(&killed.child, "KILL");
    assert_eq!(killed.child.wait().unwrap().code(), None);
    assert_eq!(addresses(&namespace), [V4, V6]);

    let mut served = Served::spawn(serve(&namespace, &flags), 2);
    let taken_over = |ip| format!("imds: note: took over {ip}, which a killed imds left on lo");
    assert_eq!(served.notes, [V4, V6].map(taken_over));
    for address in &served.addresses {
        assert!(namespace.enter(|| request(address, GET)).ends_with("\r\n\r\nt3.micro"), "{address}");
    }
    assert!(served.terminate().success());
    assert_eq!(addresses(&namespace), [""; 0]);
}

#[test]
fn an_instance_that_does_not_run_is_served_where_its_options_say() {
    let Some(namespace) = Namespace::new("stopped") else { return };
    for (options, addresses) in [
        ("", &["169.254.169.254:80"][..]),
        ("metadata-options.http-protocol-ipv6 = 'enabled'\n", &["169.254.169.254:80", "[fd00:ec2::254]:80"]),
    ] {
        let file = File::new("link-local-stopped.toml", format!("state = 'stopped'\n{options}"));
        let flags = ["--add-addresses", "--instance", file.path.to_str().unwrap()];
        let mut served = Served::spawn(serve(&namespace, &flags), addresses.len());
        assert_eq!(served.addresses, addresses);
        assert!(served.terminate().success());
    }
}

#[test]
fn a_start_that_fails_leaves_no_address() {
    let Some(namespace) = Namespace::new("fails") else { return };
    let taken = namespace.enter(|| TcpListener::bind("0.0.0.0:80").unwrap());
    let errors = fails(&mut serve(&namespace, &["--add-addresses"]));
    assert!(errors.contains("cannot listen on 169.254.169.254:80: Address already in use"), "{errors}");
    assert_eq!(addresses(&namespace), [""; 0]);
    drop(taken);
}

#[test]
fn what_is_missing_is_said() {
    let Some(namespace) = Namespace::new("missing") else { return };
    let add = format!("ip address add {V4}/32 dev lo scope link");
    let says = |command: &mut Command, wanted: &[&str]| {
        let errors = fails(command);
        for wanted in wanted {
            assert!(errors.contains(wanted), "no {wanted} in {errors}");
        }
    };
    says(
        &mut serve(&namespace, &[]),
        &["cannot listen on 169.254.169.254:80", "no network interface", &add, "--link-local --add-addresses"],
    );
    says(
        &mut serve(&namespace, &["--add-addresses=none0"]),
        &["cannot add 169.254.169.254 to none0", "does not exist"],
    );
    let mut without_ip = namespace.command("env");
    without_ip.args(["PATH=/", IMDS, "serve", "--link-local", "--add-addresses"]);
    says(&mut without_ip, &["no program `ip`", "iproute2"]);
    let weak = |flags: &[&str]| {
        let mut weak = namespace.command("setpriv");
        weak.args(["--bounding-set", "-net_admin,-net_bind_service", "--inh-caps", "-all", IMDS, "serve"]);
        weak.arg("--link-local").args(flags);
        weak
    };
    says(&mut weak(&["--add-addresses"]), &["CAP_NET_ADMIN", &add]);
    namespace.ip(&format!("address add {V4}/32 dev lo"));
    says(&mut weak(&[]), &["ports below 1024", "CAP_NET_BIND_SERVICE", "setcap cap_net_bind_service=+ep "]);

    // As in a new namespace, where Linux lets a socket have any address.
    namespace.ip(&format!("address del {V4}/32 dev lo"));
    namespace.ip("link set lo down");
    says(&mut serve(&namespace, &[]), &["no network interface that is up", "ip link set lo up", &add]);
    says(&mut serve(&namespace, &["--add-addresses"]), &["lo: it is down", "ip link set lo up"]);
    assert_eq!(addresses(&namespace), [""; 0]);
}

#[test]
fn a_real_service_is_not_hidden() {
    let Some(network) = Network::new("real") else { return };
    let served = Served::spawn(serve(&network.server, &["--add-addresses"]), 1);
    let reaches =
        || TcpStream::connect_timeout(&served.addresses[0].parse().unwrap(), Duration::from_millis(50)).is_ok();
    network.client.enter(|| wait_until("the client reaches the server", reaches));
    let errors = fails(&mut serve(&network.client, &["--add-addresses"]));
    assert!(errors.contains("something answers at 169.254.169.254:80 already"), "{errors}");
    assert_eq!(addresses(&network.client), [""; 0]);
}

fn serve(namespace: &Namespace, flags: &[&str]) -> Command {
    let mut imds = namespace.command(IMDS);
    imds.args(["serve", "--link-local"]).args(flags);
    imds
}

/// What it says when it ends with 1.
fn fails(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    text(&output.stderr)
}

/// Which of the service's addresses the namespace has.
fn addresses(namespace: &Namespace) -> Vec<&'static str> {
    let lines = namespace.ip("-o address show");
    [V4, V6].into_iter().filter(|address| lines.contains(&format!(" {address}/"))).collect()
}
