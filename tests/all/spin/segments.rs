//! Head and body leave together: a server that gets the head first sends it alone,
//! and a client that keeps its connection waits 40 ms for the rest.

use std::sync::Arc;

use super::engine::{Options, Replica};
use super::{Application, INSTANCE_ID};
use crate::ways::TOKIO;

const ANSWERS: usize = 64;
/// A machine at work may take a thread away between two steps of an engine.
const WHOLE: usize = ANSWERS * 9 / 10;

/// How many answers came in one piece, of so many clients at a time.
fn whole(application: &Application, clients: usize) -> usize {
    let replica = Arc::new(application.replica());
    TOKIO.block_on(async {
        let clients: Vec<_> = (0..clients).map(|_| TOKIO.spawn(ask(Arc::clone(&replica), ANSWERS / clients))).collect();
        let mut whole = 0;
        for client in clients {
            whole += client.await.expect("answers");
        }
        whole
    })
}

/// How many of so many answers came in one piece.
async fn ask(replica: Arc<Replica>, answers: usize) -> usize {
    let mut whole = 0;
    for _ in 0..answers {
        let request = http::Request::get(format!("http://localhost{INSTANCE_ID}")).body(());
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
