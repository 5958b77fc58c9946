use std::time::Duration;

/// Every limit of a runtime and of a server, with its default and its reason.
///
/// | limit | default | why |
/// | --- | --- | --- |
/// | `call` | 1 s | an answer takes microseconds, and the largest description that is valid opens in a fraction of this. What counts is the time for which the call runs, not what passes while it waits for a processor. A call keeps its thread: as many that never end as a server has threads keep the other clients waiting so long |
/// | `memory_bytes` | 64 MiB | a worker with the default instance open works within 3 MiB; large descriptions fit many times |
/// | `instances_per_worker` | 512 | open instances that one worker keeps; one that was not used lately is closed, and opened again when it is needed. So many of the size of the default one take 8 MiB, which leaves room in `memory_bytes` for larger ones; with more, each thread would hold much for little, since to open one again takes a fraction of a millisecond |
/// | `connections` | 900 | the usual limit of open files of a process, 1024, less some; of all listeners of a [`Service`](crate::Service). When so many are open, one that waits for its client is closed for each new one, the one that has waited longest first, if for 100 ms at least; until then more wait in the listener's backlog |
/// | `connections_per_caller` | 100 | of those, the share of one address. Programs of one machine and guests behind one proxy have one address, so more are served while there are places; but then a caller's surplus is the first to be closed, and at once, and for a new connection of who has its share no other's is closed |
/// | `head_time` | 10 s | from the first moment of a connection, or the end of the last answer, to a complete request head |
/// | `head_bytes` | 16 KiB | what EC2's clients send is below 1 KiB; proxies add some |
/// | `head_fields` | 64 | likewise |
/// | `body_bytes` | 64 KiB | of a request's body, which no rule looks at: so much is read and thrown away, so that closing does not reset the connection under the answer; with more the answer is sent at once |
/// | `body_time` | 1 s | for the same body: a client that announces one and sends none gets its answer before it gives up |
/// | `write_time` | 10 s | for the client to take the whole answer, from when it first lets it wait; the largest usual one is user data of 16 KiB. After that, and after as long without progress on a connection that was closed, the connection is reset |
/// | `buffer_bytes` | 64 KiB | what the operating system keeps for a connection in each direction: four of the largest usual answers. Linux takes as much again for its own records. Without a bound it takes some megabytes for a client that sends requests and reads no answer |
/// | `stop_time` | 5 s | for open requests when a server is told to stop |
///
/// ```
/// use std::time::Duration;
/// use imds_host::Limits;
///
/// let limits = Limits { connections: 16, head_time: Duration::from_secs(2), ..Limits::default() };
/// assert_eq!(limits.head_fields, 64);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For how long one call into the component may run, on the processor.
    pub call: Duration,
    /// The memory of one worker, in bytes.
    pub memory_bytes: usize,
    /// The instances that one worker keeps open; at least 1.
    pub instances_per_worker: usize,
    /// The connections that a service has at once, on all of its listeners; at
    /// least 1.
    pub connections: usize,
    /// How many of these one address is sure of when there are no more; at least
    /// 1. Those under an IPv6 address that stands for an IPv4 one are its.
    pub connections_per_caller: usize,
    /// How long a request head may take to arrive, and a kept connection may idle.
    pub head_time: Duration,
    /// The size of a request head; above it the answer is 431.
    pub head_bytes: usize,
    /// The number of header fields; above it the answer is 431. More than 4096 are
    /// 4096.
    pub head_fields: usize,
    /// How much of a request's body is read before the answer, in bytes.
    pub body_bytes: usize,
    /// How long a request's body is read before the answer.
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

impl Default for Limits {
    fn default() -> Self {
        Self {
            call: Duration::from_secs(1),
            memory_bytes: 64 << 20,
            instances_per_worker: 512,
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
