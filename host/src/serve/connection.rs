//! The life of a connection: read a head, ask, throw away the body, write the
//! answer, close or go on.

mod ending;
mod interruption;

use std::future::{pending, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::engine::{Delivery, RequestBody, RequestHead, Verdict};
use crate::observe::Trouble;
use crate::serve::admission::Place;
use crate::serve::caller::Caller;
use crate::serve::input::{Found, Input};
use crate::serve::limits::ConnectionLimits;
use crate::serve::request_body::{Rest, Taken};
use crate::serve::service::Service;
use crate::serve::socket_options;
use crate::serve::timer::{Timer, after, later};

/// A connection that has its place, and its one buffer in each direction.
pub(crate) struct Connection {
    stream: TcpStream,
    caller: Caller,
    service: Service,
    limits: Arc<ConnectionLimits>,
    input: Input,
    output: Vec<u8>,
    timer: Timer,
    /// The lowest hop limit of all answers so far; none is the system's default.
    hop_limit: Option<u8>,
    /// Tells when the server stops.
    stopped: watch::Receiver<()>,
    /// Whether the server stops, as far as the conversation was told.
    is_stopping: Arc<AtomicBool>,
    has_answered: bool,
    /// Whether the last request was read to its end.
    was_whole: bool,
    /// Since when it waits for its client.
    idle_since: Instant,
    /// Last, so that the place is free only when all else is gone.
    place: Place,
}

/// How a connection goes on.
enum Next {
    /// With another request.
    Request,
    /// With its end, behind the last answer.
    End,
    /// Nothing more is sent, and what is on its way is given up.
    Abandon,
}

/// What became of a wait for input.
enum Came {
    More,
    /// The client closed its side.
    Nothing,
    TooLate,
}

/// How long a connection without an answer stays open: above the time after
/// which clients that have a time-out by default give up, of which the longest
/// are of five minutes. Who has none is not to be kept for ever.
const WITHHELD_MAX: Duration = Duration::from_secs(330);

/// What a connection keeps for another answer.
const KEPT: usize = 64 << 10;

/// A request of which not even the head is there gets so long to come when the
/// server stops.
const STOPPING_HEAD_TIME: Duration = Duration::from_secs(1);

impl Connection {
    pub(crate) fn new(
        stream: TcpStream,
        caller: Caller,
        place: Place,
        service: Service,
        limits: Arc<ConnectionLimits>,
        stopped: watch::Receiver<()>,
    ) -> Self {
        service.connected();
        Self {
            stream,
            caller,
            service,
            limits,
            input: Input::default(),
            output: Vec::new(),
            timer: Timer::default(),
            hop_limit: None,
            stopped,
            is_stopping: Arc::default(),
            has_answered: false,
            was_whole: true,
            idle_since: Instant::now(),
            place,
        }
    }

    /// Answers requests until the client or the service ends the connection, or its
    /// place is needed.
    pub(crate) async fn run(mut self) {
        if self.service.keeps_alive() {
            // An answer behind another must not wait until that one is acknowledged.
            let _ = self.stream.set_nodelay(true);
        }
        let (seat, stopped, is_stopping) = (self.place.seat(), self.stopped.clone(), Arc::clone(&self.is_stopping));
        let has_ended = interruption::to_its_end(self.converse(), &seat, stopped, &is_stopping).await;
        // Of who only lingers behind the last answer nothing is told.
        if !has_ended && self.place.is_open() {
            self.service.trouble(&Trouble::SentAway);
        }
    }

    async fn converse(&mut self) {
        let next = loop {
            let Some(found) = self.head().await else { return };
            match self.answer(found).await {
                Ok(Next::Request) => {}
                Ok(next) => break next,
                // The peer's or the network's failure: nobody is left to hear of it.
                Err(_) => return,
            }
        };
        match next {
            Next::Abandon => drop(socket_options::abandon(&self.stream)),
            Next::Request | Next::End => self.end().await,
        }
    }

    /// Waits for the head of a request; none where no other comes.
    async fn head(&mut self) -> Option<Found> {
        let mut deadline = later(self.idle_since, self.limits.head_time);
        let mut was_stopping = false;
        loop {
            if !self.input.is_empty() {
                match self.input.find(&self.limits) {
                    Found::Part => {}
                    found => return Some(found),
                }
            }
            let came = poll_fn(|cx| {
                let came = poll_more(&mut self.stream, &mut self.input, cx);
                if came.is_pending() && !was_stopping && self.is_stopping.load(Ordering::Relaxed) {
                    // A kept connection is idle; on another the first request is on its way.
                    if self.has_answered && self.input.is_empty() {
                        return Poll::Ready(Ok(Came::Nothing));
                    }
                    was_stopping = true;
                    deadline = deadline.min(after(self.limits.stop_time.min(STOPPING_HEAD_TIME)));
                }
                match came {
                    Poll::Pending => self.timer.poll(deadline, cx).map(|()| Ok(Came::TooLate)),
                    came => came,
                }
            });
            match came.await {
                Ok(Came::More) => {}
                Ok(Came::Nothing | Came::TooLate) | Err(_) => return None,
            }
        }
    }

    /// Answers the request whose head was found.
    async fn answer(&mut self, found: Found) -> io::Result<Next> {
        let (Found::Head(length) | Found::Broken(length)) = found else { return Ok(Next::End) };
        if !self.place.work() {
            // Sent away before: the other half of `run` ends this one.
            return pending().await;
        }
        // Who asks again and again would never wait for long enough to lose its place.
        let keeps_alive =
            self.service.keeps_alive() && !self.place.is_wanted() && !self.is_stopping.load(Ordering::Relaxed);
        self.has_answered = true;
        self.output.clear();
        let head = RequestHead::new(&self.input.bytes()[..length]);
        let turn = self.service.answer(&self.caller, head, keeps_alive, &mut self.output).await;
        let mut verdict = turn.verdict;
        self.was_whole = true;
        let closes = if verdict.request_body == RequestBody::None {
            // A newcomer that came meanwhile counts too.
            let closes = verdict.keep_alive && self.place.is_wanted();
            let head = closes.then(|| self.input.bytes()[..length].to_vec());
            self.input.consume(length);
            head
        } else {
            let head = self.input.bytes()[..length].to_vec();
            self.input.consume(length);
            self.was_whole = self.discard(verdict.request_body).await;
            // What is left of a body must not be taken for the next request.
            (verdict.keep_alive && (!self.was_whole || self.place.is_wanted())).then_some(head)
        };
        if let Some(head) = closes {
            let mut again = Vec::new();
            // Where that fails, the answer goes out as it is, and the connection ends all the same.
            if let Ok(other) = self.service.answer_again(RequestHead::new(&head), &turn, &mut again) {
                (verdict, self.output) = (other, again);
            }
            verdict.keep_alive = false;
        }
        self.deliver(verdict).await
    }

    /// Does with the answer what its verdict says.
    async fn deliver(&mut self, verdict: Verdict) -> io::Result<Next> {
        match verdict.delivery {
            None | Some(Delivery::Cut) => {}
            Some(Delivery::Delayed(delay)) => {
                if !self.hold_back(delay).await? {
                    return Ok(Next::End);
                }
            }
            Some(Delivery::Closed) => return Ok(Next::End),
            Some(Delivery::Withheld) => {
                self.withhold().await?;
                return Ok(Next::End);
            }
        }
        self.apply_hop_limit(verdict.hop_limit)?;
        if !self.write().await? {
            return Ok(Next::Abandon);
        }
        self.output.shrink_to(KEPT);
        Ok(if verdict.keep_alive { Next::Request } else { Next::End })
    }

    /// Reads what is there, or waits for it until the deadline.
    async fn more(stream: &mut TcpStream, input: &mut Input, timer: &mut Timer, deadline: Instant) -> io::Result<Came> {
        poll_fn(|cx| match poll_more(stream, input, cx) {
            Poll::Pending => timer.poll(deadline, cx).map(|()| Ok(Came::TooLate)),
            came => came,
        })
        .await
    }

    /// Throws away a request's body, within the limits. False where it is not read to
    /// its end. The client may have to leave its place meanwhile.
    async fn discard(&mut self, body: RequestBody) -> bool {
        let Some(mut rest) = Rest::of(body) else { return false };
        let deadline = after(self.limits.body_time);
        let mut bytes = 0;
        let mut waits = false;
        let is_whole = loop {
            match rest.take(self.input.bytes()) {
                Taken::All(length) => {
                    self.input.consume(length);
                    break true;
                }
                Taken::Wrong => break false,
                Taken::Part(length) => {
                    self.input.consume(length);
                    bytes += length;
                }
            }
            if bytes > self.limits.body_bytes || self.input.bytes().len() > self.limits.body_bytes {
                break false;
            }
            if !waits {
                waits = true;
                self.place.wait();
            }
            match Self::more(&mut self.stream, &mut self.input, &mut self.timer, deadline).await {
                Ok(Came::More) => {}
                Ok(Came::Nothing | Came::TooLate) | Err(_) => break false,
            }
        };
        if waits && !self.place.work() {
            return pending().await;
        }
        is_whole
    }

    /// Waits before the answer is sent, unless the client goes meanwhile, which is
    /// false. Who closed its side gets its answer, unless its place is needed.
    async fn hold_back(&mut self, delay: Duration) -> io::Result<bool> {
        self.place.wait();
        let until = after(delay);
        let mut is_open = true;
        poll_fn(|cx| {
            if is_open {
                match poll_peek(&mut self.stream, cx) {
                    Poll::Ready(Ok(0)) => {
                        is_open = false;
                        self.place.end();
                    }
                    // One that says more is there.
                    Poll::Ready(Ok(_)) | Poll::Pending => {}
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                }
            }
            self.timer.poll(until, cx).map(Ok)
        })
        .await?;
        if !self.place.work() {
            return pending().await;
        }
        Ok(true)
    }

    /// Sets the hop limit that what is sent must have. It is never raised: what was
    /// sent before may have to be sent again, and then the limit of the whole
    /// connection is what counts.
    fn apply_hop_limit(&mut self, wanted: Option<u8>) -> io::Result<()> {
        let Some(wanted) = wanted.filter(|wanted| self.hop_limit.is_none_or(|set| *wanted < set)) else {
            return Ok(());
        };
        if let Err(error) = socket_options::set_hop_limit(&self.stream, wanted) {
            self.service.trouble(&Trouble::HopLimit(error));
            // A token that could travel further than it may is not sent at all.
            return Err(io::Error::other("the hop limit cannot be set"));
        }
        self.hop_limit = Some(wanted);
        Ok(())
    }

    /// Writes the answer. False where the client takes too long to take it, however
    /// it goes on in small pieces.
    async fn write(&mut self) -> io::Result<bool> {
        let mut written = 0;
        let mut deadline = None;
        let is_taken = poll_fn(|cx| {
            while written < self.output.len() {
                match Pin::new(&mut self.stream).poll_write(cx, &self.output[written..]) {
                    Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                    Poll::Ready(Ok(count)) => written += count,
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                    Poll::Pending => {
                        let deadline = *deadline.get_or_insert_with(|| {
                            // It waits for its client from here on, and may have to leave.
                            self.place.wait();
                            after(self.limits.write_time)
                        });
                        return self.timer.poll(deadline, cx).map(|()| Ok(false));
                    }
                }
            }
            Poll::Ready(Ok(true))
        })
        .await;
        // Its wait for the client begins anew, unless it was sent away.
        if deadline.is_none() || (matches!(is_taken, Ok(true)) && self.place.work()) {
            self.idle_since = Instant::now();
            self.place.wait_from(self.idle_since);
        }
        is_taken
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.service.disconnected();
    }
}

fn poll_more(stream: &mut TcpStream, input: &mut Input, cx: &mut Context<'_>) -> Poll<io::Result<Came>> {
    let read = pin!(stream.read_buf(input.room())).poll(cx);
    read.map_ok(|count| if count == 0 { Came::Nothing } else { Came::More })
}

fn poll_peek(stream: &mut TcpStream, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
    let mut byte = [0];
    stream.poll_peek(cx, &mut ReadBuf::new(&mut byte))
}

#[cfg(test)]
mod tests;
