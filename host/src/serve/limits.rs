use std::time::Duration;

/// What a connection may take of a [`Server`](crate::Server), with the default of
/// each limit and its reason.
///
/// | limit | default | why |
/// | --- | --- | --- |
/// | `connections` | 900 | the usual limit of open files of a process, 1024, less some; of all listeners of a server. When so many are open, one that waits for its client is closed for each new one, the one that has waited longest first, if for 100 ms at least; until then more wait in the listener's backlog |
/// | `connections_per_caller` | 100 | of those, the share of one address. Programs of one machine and guests behind one proxy have one address, so more are served while there are places; but then a caller's surplus is the first to be closed, and at once for who lacks its share; for a new connection of who has it, nothing is closed that is in another's share or has waited for less than 100 ms |
/// | `head_time` | 10 s | from the first moment of a connection, or the end of the last answer, to a complete request head |
/// | `head_bytes` | 16 KiB | what EC2's clients send is below 1 KiB; proxies add some |
/// | `head_fields` | 64 | likewise |
/// | `body_bytes` | 64 KiB | of a request's body, which no rule looks at: so much is read and thrown away, so that closing does not reset the connection under the answer; with more the answer is sent at once |
/// | `body_time` | 1 s | for the same body: a client that announces one and sends none gets its answer before it gives up. As long, where its system has not acknowledged the last answer or it sent more, it may take to close its side: what comes until then resets nothing |
/// | `write_time` | 10 s | for the client to take the whole answer, from when it first lets it wait; the largest usual one is user data of 16 KiB. After that, and after as long without progress on a connection that was closed, the connection is reset |
/// | `buffer_bytes` | 64 KiB | what the operating system keeps for a connection in each direction: four of the largest usual answers. Linux takes as much again for its own records. Without a bound it takes some megabytes for a client that sends requests and reads no answer |
/// | `stop_time` | 5 s | for open requests when a server is told to stop |
///
/// What a call of the component may take is [`RuntimeLimits`](crate::RuntimeLimits).
///
/// ```
/// use std::time::Duration;
/// use imds_host::ConnectionLimits;
///
/// let limits = ConnectionLimits::default().connections(16).head_time(Duration::from_secs(2));
/// assert_eq!((limits.connections, limits.head_fields), (16, 64));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectionLimits {
    /// The connections that a server has at once, on all of its listeners; at
    /// least 1.
    pub connections: usize,
    /// How many of these one address is sure of when there are no more; at least
    /// 1. Those under an IPv6 address that stands for an IPv4 one are its.
    pub connections_per_caller: usize,
    /// How long a request head may take to arrive, and a kept connection may idle.
    pub head_time: Duration,
    /// The size of a request head; above it the answer is 431.
    pub head_bytes: usize,
    /// The number of header fields; above it the answer is 431.
    pub head_fields: usize,
    /// How much of a request's body is read before the answer, in bytes.
    pub body_bytes: usize,
    /// How long a request's body is read before the answer, and what comes behind
    /// the last answer.
    pub body_time: Duration,
    /// How long a client may take for a whole answer, from when it first lets it
    /// wait.
    pub write_time: Duration,
    /// How much the operating system keeps for a connection in each direction, in
    /// bytes. It may round, and has bounds of its own.
    pub buffer_bytes: usize,
    /// How long open requests may take after the signal to stop.
    pub stop_time: Duration,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            connections: 900,
            connections_per_caller: 100,
            head_time: Duration::from_secs(10),
            head_bytes: 16 << 10,
            head_fields: 64,
            body_bytes: 64 << 10,
            body_time: Duration::from_secs(1),
            write_time: Duration::from_secs(10),
            buffer_bytes: 64 << 10,
            stop_time: Duration::from_secs(5),
        }
    }
}

/// Each method returns the limits with one field changed.
impl ConnectionLimits {
    /// Sets how many connections a server has at once.
    #[must_use]
    pub const fn connections(self, connections: usize) -> Self {
        Self { connections, ..self }
    }

    /// Sets how many of these one address is sure of.
    #[must_use]
    pub const fn connections_per_caller(self, connections_per_caller: usize) -> Self {
        Self { connections_per_caller, ..self }
    }

    /// Sets how long a request head may take to arrive.
    #[must_use]
    pub const fn head_time(self, head_time: Duration) -> Self {
        Self { head_time, ..self }
    }

    /// Sets the size of a request head, in bytes.
    #[must_use]
    pub const fn head_bytes(self, head_bytes: usize) -> Self {
        Self { head_bytes, ..self }
    }

    /// Sets the number of header fields.
    #[must_use]
    pub const fn head_fields(self, head_fields: usize) -> Self {
        Self { head_fields, ..self }
    }

    /// Sets how much of a request's body is read, in bytes.
    #[must_use]
    pub const fn body_bytes(self, body_bytes: usize) -> Self {
        Self { body_bytes, ..self }
    }

    /// Sets how long a request's body is read.
    #[must_use]
    pub const fn body_time(self, body_time: Duration) -> Self {
        Self { body_time, ..self }
    }

    /// Sets how long a client may take for an answer.
    #[must_use]
    pub const fn write_time(self, write_time: Duration) -> Self {
        Self { write_time, ..self }
    }

    /// Sets how much the operating system keeps for a connection, in bytes.
    #[must_use]
    pub const fn buffer_bytes(self, buffer_bytes: usize) -> Self {
        Self { buffer_bytes, ..self }
    }

    /// Sets how long open requests may take after the signal to stop.
    #[must_use]
    pub const fn stop_time(self, stop_time: Duration) -> Self {
        Self { stop_time, ..self }
    }
}
