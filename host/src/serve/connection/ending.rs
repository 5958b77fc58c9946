//! How connections end: in order, so that no client loses an answer that it has not
//! read yet.

use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;

use socket2::SockRef;
use tokio::io::AsyncWriteExt;
use tokio::time::Instant;

use super::{Came, Connection, WITHHELD_MAX};
use crate::serve::socket_options;
use crate::serve::timer::after;

/// Ends of connections.
impl Connection {
    /// Tells the client that nothing more comes, and throws away what still does, until
    /// it closes its side too.
    pub(super) async fn end(&mut self) {
        if self.may_be_closed() {
            return;
        }
        let _ = self.stream.shutdown().await;
        self.place.end();
        let deadline = after(self.limits.body_time);
        self.discard_until(deadline, self.limits.body_bytes).await;
    }

    /// Whether closing the connection takes no answer from its client. A socket that is
    /// closed resets the connection where input is unread, or still comes: the line end
    /// behind a body, or one more request. The client may lose then what its system has
    /// not acknowledged (RFC 9112, section 9.6).
    fn may_be_closed(&self) -> bool {
        if !self.was_whole || !self.input.is_empty() {
            return false;
        }
        let mut byte = [MaybeUninit::uninit()];
        // Asks the system: what came since the last wait is news to nobody else.
        match SockRef::from(&self.stream).peek(&mut byte) {
            // It closed its side: nothing more comes.
            Ok(0) => true,
            Ok(_) => false,
            // Nothing came so far. To wait for the client's side would cost each
            // connection a turn of its thread, and a client on this machine has its
            // answer by now.
            Err(_) => socket_options::is_acknowledged(&self.stream),
        }
    }

    /// Throws away what comes until the client closes its side, which is true, or is
    /// gone, or the deadline is past, or more came than `most` bytes.
    async fn discard_until(&mut self, deadline: Instant, most: usize) -> Option<Came> {
        let mut bytes = self.input.bytes().len();
        loop {
            self.input.consume(self.input.bytes().len());
            if bytes > most {
                return None;
            }
            match Self::more(&mut self.stream, &mut self.input, &mut self.timer, deadline).await {
                Ok(Came::More) => bytes += self.input.bytes().len(),
                Ok(came) => return Some(came),
                Err(_) => return Some(Came::TooLate),
            }
        }
    }

    /// Sends nothing until the client gives up, for a while at most.
    ///
    /// Who closes its side may wait for the answer all the same, but nearly always
    /// it is gone, and nobody can tell: so it is the first to leave its place, and
    /// keeps it no longer than one that does not take its answer.
    pub(super) async fn withhold(&mut self) -> io::Result<()> {
        self.place.wait();
        let mut stopped = self.stopped.clone();
        let until_given_up = async {
            let deadline = after(WITHHELD_MAX);
            match self.discard_until(deadline, self.limits.body_bytes).await {
                // It closed its side.
                Some(Came::Nothing) => {
                    self.place.end();
                    let deadline = deadline.min(after(self.limits.write_time));
                    poll_fn(|cx| self.timer.poll(deadline, cx)).await;
                }
                Some(Came::More | Came::TooLate) => {}
                // It says more than any request has; that stays where it is.
                None => poll_fn(|cx| self.timer.poll(deadline, cx)).await,
            }
        };
        tokio::select! {
            () = until_given_up => {}
            // Nobody waits for what does not come.
            _ = stopped.changed() => {}
        }
        Ok(())
    }
}
