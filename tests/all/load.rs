//! Many clients at once: the best known stand-in dies when two ask for a token.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock};

use imds_host::{Caller, RequestHead, Service};

use crate::ways::{RUNTIME, Socket, open_in_component, read_toml, receive};

const CONNECTIONS: usize = 64;
const ROUNDS: usize = 20;

/// Each client asks for a token and then for an item with it, over and over,
/// each time on a new connection.
#[test]
fn sixty_four_clients_at_once_all_get_tokens_and_items() {
    let service = Service::new(open_in_component(&read_toml("metadata-options.http-tokens = \"required\"")));
    let address = Socket::open_service(service).address();
    at_once(CONNECTIONS, || {
        for _ in 0..ROUNDS {
            let issued = receive(
                address,
                b"PUT /latest/api/token HTTP/1.1\r\nHost: x\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\n\r\n",
            );
            assert_eq!((issued.status, issued.body.len()), (200, 56));
            let token = String::from_utf8(issued.body).expect("a token is ASCII");
            let get = format!(
                "GET /latest/meta-data/instance-id HTTP/1.1\r\nHost: x\r\nX-aws-ec2-metadata-token: {token}\r\n\r\n"
            );
            let item = receive(address, get.as_bytes());
            assert_eq!((item.status, &item.body[..]), (200, &b"i-0123456789abcdef0"[..]));
        }
    });
}

/// Kept connections answer one request after the other, also when several
/// requests arrive in one packet.
#[test]
fn kept_connections_answer_pipelined_requests_in_order() {
    let service = Service::new(open_in_component(&read_toml(""))).keep_alive(true);
    let address = Socket::open_service(service).address();
    at_once(8, || {
        let mut stream = connect(address);
        let request = "GET /latest/meta-data/instance-id HTTP/1.1\r\nHost: x\r\n\r\n";
        let last = "GET /latest/meta-data/mac HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        stream.write_all(format!("{}{last}", request.repeat(ROUNDS)).as_bytes()).expect("the server reads");
        let mut received = String::new();
        stream.read_to_string(&mut received).expect("the server answers and closes");
        assert_eq!(received.matches("HTTP/1.1 200 OK").count(), ROUNDS + 1);
        assert_eq!(received.matches("i-0123456789abcdef0").count(), ROUNDS);
    });
}

/// Each answer tells several things of the instance, and all of them are of one
/// description. Tokens stay good, since instance and secret are the same.
#[test]
fn a_description_that_is_replaced_while_requests_run_is_seen_whole_or_not_at_all() {
    let [first, second] = ["t3.micro", "m7g.large"].map(|kind| {
        open_in_component(&read_toml(&format!(
            "instance-type = '{kind}'\nmetadata-options.http-tokens = 'required'\n[extra-entries]\n\"meta-data/x\" = '{}'\n",
            format!("{kind} ").repeat(1000)
        )))
    });
    let current = Arc::new(RwLock::new(first.clone()));
    let picked = Arc::clone(&current);
    let pick = move |_: &Caller, _: &RequestHead<'_>| Some(picked.read().expect("nobody panics").clone());
    let service = Service::picking(&RUNTIME, pick);
    let address = Socket::open_service(service.keep_alive(true)).address();
    let ask = |request: &str| receive(address, request.replace("Host: x", "Host: x\r\nConnection: close").as_bytes());
    let token = ask("PUT /latest/api/token HTTP/1.1\r\nHost: x\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\n\r\n");
    let token = String::from_utf8(token.body).expect("a token is ASCII");
    let get = |item: &str| {
        let fields = format!("Host: x\r\nX-aws-ec2-metadata-token: {token}");
        ask(&format!("GET /latest/{item} HTTP/1.1\r\n{fields}\r\n\r\n"))
    };
    let items = ["meta-data/x", "dynamic/instance-identity/document"];
    let [of_first, of_second] = [first.clone(), second.clone()].map(|instance| {
        *current.write().expect("nobody panics") = instance;
        items.map(|item| get(item).body)
    });
    assert_ne!(of_first, of_second);

    let asking = AtomicBool::new(true);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while asking.load(Ordering::Relaxed) {
                for instance in [&first, &second] {
                    *current.write().expect("nobody panics") = instance.clone();
                }
            }
        });
        let clients = [(); 4].map(|()| {
            scope.spawn(|| {
                for _ in 0..ROUNDS {
                    for (index, item) in items.iter().enumerate() {
                        let answer = get(item);
                        assert_eq!(answer.status, 200);
                        assert!(answer.body == of_first[index] || answer.body == of_second[index], "{item}: a mixture");
                    }
                }
            })
        });
        let ended = clients.map(std::thread::ScopedJoinHandle::join);
        asking.store(false, Ordering::Relaxed);
        assert!(ended.iter().all(Result::is_ok));
    });
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("the server accepts");
    stream.set_read_timeout(Some(std::time::Duration::from_secs(20))).expect("a time-out can be set");
    stream
}

fn at_once(clients: usize, client: impl Fn() + Sync) {
    std::thread::scope(|scope| {
        for _ in 0..clients {
            scope.spawn(&client);
        }
    });
}
