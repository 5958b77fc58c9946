//! Head and body leave together: a server that gets the head first sends it alone,
//! and a client that keeps its connection waits 40 ms for the rest.

use std::ops::Range;
use std::sync::Arc;

use super::engine::{Options, Replica};
use super::store::Health;
use super::{Application, INSTANCE_ID};
use crate::ways::TOKIO;

const ANSWERS: usize = 64;
/// A machine at work may take a thread away between two steps of an engine.
const WHOLE: usize = ANSWERS * 9 / 10;

/// How many answers came in one piece, of so many clients at a time.
fn whole(application: &Application, clients: usize) -> usize {
    let replica = Arc::new(application.replica());
    let each = ANSWERS / clients;
    TOKIO.block_on(async {
        let guests = (0..clients).map(|client| client * each..(client + 1) * each);
        let clients: Vec<_> = guests.map(|guests| TOKIO.spawn(ask(Arc::clone(&replica), guests))).collect();
        let mut whole = 0;
        for client in clients {
            whole += client.await.expect("answers");
        }
        whole
    })
}

/// How many answers came in one piece, each of another guest.
async fn ask(replica: Arc<Replica>, guests: Range<usize>) -> usize {
    let mut whole = 0;
    for guest in guests {
        let request = http::Request::get(format!("http://localhost{INSTANCE_ID}")).header("x-guest", guest.to_string());
        let request = request.body(());
        whole += usize::from(replica.answers_in_one_piece(request.expect("a request")).await);
    }
    whole
}

/// Every request is the first of its instance of the adapter, and reads variables and
/// the store before it is answered.
#[test]
fn the_first_answer_of_an_instance_comes_in_one_piece() {
    let application = Application::new(&[]);
    let application = Application(Options { reuse: 1, ..application.0 });
    let whole = whole(&application, 1);
    assert!(whole >= WHOLE, "{whole} of {ANSWERS}");
}

/// Each look at the clock takes 10 ms here, so that what is known is read again behind
/// many answers.
#[test]
fn answers_from_memory_come_in_one_piece_while_it_is_read_again() {
    let application = Application::new(&[]);
    let application = Application(Options { tick_ms: 10, ..application.0 });
    for clients in [1, 8] {
        let whole = whole(&application, clients);
        assert!(whole >= WHOLE, "{whole} of {ANSWERS} with {clients} clients");
    }
    assert!(application.store().asked() > 10);
}

/// As with Redis: no two requests are of the same guest, and each is suspended until
/// its description has come.
#[test]
fn answers_that_waited_for_a_store_elsewhere_come_in_one_piece() {
    let application = Application::new(&[("callers", "header:x-guest"), ("token_secret", "0123456789abcdef")]);
    (0..ANSWERS).for_each(|guest| application.store().set(&format!("instances/{guest}"), "{}"));
    application.store().turn(Health::Remote);
    for clients in [1, 8] {
        let whole = whole(&application, clients);
        assert!(whole >= WHOLE, "{whole} of {ANSWERS} with {clients} clients");
    }
}
