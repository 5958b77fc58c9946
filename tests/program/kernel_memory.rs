//! What the kernel keeps for connections, as `ss` of iproute2 tells of each
//! socket: no process has it in its own memory.

use std::net::SocketAddr;

use super::namespaces::wait_until;
use super::*;

const GET: &str = "GET /latest/user-data HTTP/1.1\r\nHost: localhost\r\n\r\n";

const CLIENTS: usize = 16;

/// Of one socket, both directions. Linux keeps twice `--buffer-bytes` for each, and
/// lets it go somewhat above, for a packet that begins below is taken whole.
const PAGES_MAX: usize = 2 * (128 + 64) / 4;

#[test]
fn a_client_that_asks_and_never_reads_pins_little_and_not_for_long() {
    if !has_ss() {
        return;
    }
    let user_data = File::new("kernel-memory", "x".repeat(16 << 10));
    let flags = ["--keep-alive", "--user-data", user_data.path.to_str().unwrap()];
    let served = Served::start(&[&flags[..], &["--write-time", "1h"]].concat());
    let _clients = never_reading(&served, CLIENTS);
    wait_until("the server waits for its clients", || pages(&served) > CLIENTS * 16);
    for _ in 0..3 {
        let pages = pages(&served);
        assert!(pages <= CLIENTS * PAGES_MAX, "{pages} pages for {CLIENTS} clients");
    }

    let served = Served::start(&[&flags[..], &["--write-time", "200ms"]].concat());
    let _clients = never_reading(&served, CLIENTS);
    wait_until("nothing is kept", || pages(&served) == 0);
}

/// Without `--keep-alive` the server closes at once, and only the kernel still has
/// an answer that its client does not take.
#[test]
fn what_outlives_its_connection_is_forgotten_after_the_time_to_write() {
    if !has_ss() {
        return;
    }
    let user_data = File::new("kernel-memory-after", "x".repeat(16 << 10));
    let flags = ["--user-data", user_data.path.to_str().unwrap(), "--write-time", "300ms", "--body-time", "50ms"];
    let served = Served::start(&flags);
    let _clients: Vec<TcpStream> = (0..CLIENTS)
        .map(|_| {
            let mut client = with_small_window(&served);
            client.write_all(GET.as_bytes()).unwrap();
            client
        })
        .collect();
    wait_until("answers are kept", || pages(&served) > CLIENTS);
    wait_until("nothing is kept", || pages(&served) == 0);
}

/// Clients that send requests until the server reads no more.
fn never_reading(served: &Served, number: usize) -> Vec<TcpStream> {
    let mut clients: Vec<TcpStream> = (0..number).map(|_| connect(&served.addresses[0])).collect();
    let requests = GET.repeat(64);
    for client in &mut clients {
        client.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
        // Far more than any buffer has room for.
        for _ in 0..10_000 {
            if client.write_all(requests.as_bytes()).is_err() {
                break;
            }
        }
    }
    clients
}

/// A client whose own end has room for hardly anything.
fn with_small_window(served: &Served) -> TcpStream {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(1).unwrap();
    socket.connect(&served.addresses[0].parse::<SocketAddr>().unwrap().into()).unwrap();
    socket.into()
}

/// The pages that the kernel keeps for the server's connections.
fn pages(served: &Served) -> usize {
    let port = served.addresses[0].parse::<SocketAddr>().unwrap().port();
    let output = Command::new("ss").args(["-tnmOH", "state", "all"]).arg(format!("sport = :{port}")).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout).lines().map(pages_of_socket).sum()
}

/// As in `skmem:(r0,rb131072,t0,tb131072,f4096,w126976,o0,bl0,d0)`: what is
/// received, in reserve, and waits to be sent.
fn pages_of_socket(line: &str) -> usize {
    let Some((_, memory)) = line.split_once("skmem:(") else { return 0 };
    let memory = memory.split(')').next().unwrap();
    let bytes = |kind: char| {
        let values = memory.split(',').filter_map(|value| value.strip_prefix(kind));
        values.filter_map(|value| value.parse::<usize>().ok()).sum::<usize>()
    };
    (bytes('r') + bytes('f') + bytes('w')).div_ceil(4096)
}

fn has_ss() -> bool {
    let has_ss = Command::new("ss").arg("-V").output().is_ok_and(|output| output.status.success());
    if !has_ss {
        skipped("it takes `ss` of the package iproute2");
    }
    has_ss
}
