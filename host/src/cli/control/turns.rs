// Whose turn it is: calls that take the component's time come a few at a time.

use std::sync::Arc;
use std::time::Duration;

use hyper::StatusCode;
use hyper::header::RETRY_AFTER;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::reply::{Refusal, error, failed};

/// Hands out turns in the order in which they are asked for.
pub struct Turns {
    free: Arc<Semaphore>,
    wait: Duration,
}

/// One caller's, which ends when it is dropped.
#[derive(Debug)]
pub struct Turn {
    _permit: OwnedSemaphorePermit,
}

/// One that changes the instance, and one that looks at it meanwhile. Each takes a
/// thread and a worker with its memory, which clients of the instance need too.
const AT_ONCE: usize = 2;

/// `imds ctl` waits ten seconds for an answer.
const WAIT: Duration = Duration::from_secs(5);

impl Default for Turns {
    fn default() -> Self {
        Self { free: Arc::new(Semaphore::new(AT_ONCE)), wait: WAIT }
    }
}

impl Turns {
    /// A turn; or the answer to a caller whose turn does not come in time.
    pub async fn take(&self) -> Result<Turn, Refusal> {
        match timeout(self.wait, Arc::clone(&self.free).acquire_owned()).await {
            Ok(Ok(permit)) => Ok(Turn { _permit: permit }),
            // It is never closed.
            Ok(Err(_)) | Err(_) => {
                let message = "too many operators look at the instance or change it at once; ask again in a second";
                Err(error(StatusCode::SERVICE_UNAVAILABLE, message).with(RETRY_AFTER, "1"))
            }
        }
    }
}

impl Turn {
    /// Makes a call that takes milliseconds of a processor, in which others are
    /// answered; then it is the caller's turn still. It lasts as long as the call,
    /// though the caller goes meanwhile.
    ///
    /// A thread for blocking calls makes it. If the caller's own did, that would first
    /// hand its other tasks over, and where processors are busy each call would start
    /// one more thread for them, however few calls there are at once.
    pub async fn call<T: Send + 'static>(
        self,
        call: impl FnOnce() -> T + Send + 'static,
    ) -> Result<(Self, T), Refusal> {
        spawn_blocking(move || (self, call())).await.map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use std::future::{Future, poll_fn};
    use std::task::Poll;

    use super::*;

    #[tokio::test]
    async fn a_caller_whose_turn_does_not_come_is_told_when_to_ask_again() {
        let turns = Turns { wait: Duration::from_millis(1), ..Turns::default() };
        let (one, _other) = (turns.take().await.unwrap(), turns.take().await.unwrap());
        let refused = turns.take().await.unwrap_err();
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(refused.headers()["retry-after"], "1");
        assert!(refused.body().contains("ask again"), "{}", refused.body());
        drop(one);
        assert!(turns.take().await.is_ok());
    }

    #[tokio::test]
    async fn a_turn_lasts_as_long_as_its_call_though_its_caller_goes() {
        let turns = Turns { wait: Duration::from_millis(1), ..Turns::default() };
        let (one, _other) = (turns.take().await.unwrap(), turns.take().await.unwrap());
        let (begins, begun) = tokio::sync::oneshot::channel();
        let (end, ends) = std::sync::mpsc::channel();
        let mut call = Box::pin(one.call(move || {
            begins.send(()).unwrap();
            ends.recv().unwrap();
        }));
        tokio::select! {
            _ = &mut call => panic!("it waits"),
            begun = begun => begun.unwrap(),
        }
        drop(call);
        assert!(turns.take().await.is_err());
        end.send(()).unwrap();
        let turns = Turns { wait: Duration::from_secs(20), ..turns };
        assert!(turns.take().await.is_ok());
    }

    #[tokio::test]
    async fn turns_come_in_the_order_in_which_they_are_asked_for() {
        let turns = Turns::default();
        let (held, _other) = (turns.take().await.unwrap(), turns.take().await.unwrap());
        let order = std::cell::RefCell::new(Vec::new());
        let caller = |number| {
            let (turns, order) = (&turns, &order);
            async move {
                let _turn = turns.take().await.unwrap();
                order.borrow_mut().push(number);
            }
        };
        let mut callers = [1, 2, 3].map(|number| Box::pin(caller(number)));
        let mut done = [false; 3];
        let mut held = Some(held);
        // They ask in their order, and look whether it is their turn in the reverse one.
        poll_fn(|context| {
            for (caller, done) in callers.iter_mut().zip(&mut done) {
                *done = caller.as_mut().poll(context).is_ready();
            }
            Poll::Ready(())
        })
        .await;
        held.take();
        for _ in 0..3 {
            poll_fn(|context| {
                for (caller, done) in callers.iter_mut().zip(&mut done).rev() {
                    *done = *done || caller.as_mut().poll(context).is_ready();
                }
                Poll::Ready(())
            })
            .await;
        }
        assert_eq!((*order.borrow()).as_slice(), [1, 2, 3]);
    }
}
