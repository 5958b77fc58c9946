use std::time::Duration;

/// What a [`Runtime`](crate::Runtime) gives the component, with the default of each
/// limit and its reason.
///
/// | limit | default | why |
/// | --- | --- | --- |
/// | `call` | 1 s | an answer takes microseconds, and the largest description that is valid opens in a fraction of this. What counts is the time for which the call runs, not what passes while it waits for a processor. A call keeps its thread: as many that never end as a server has threads keep the other clients waiting so long |
/// | `memory_bytes` | 64 MiB | a worker with the default instance open works within 3 MiB; large descriptions fit many times |
/// | `instances_per_worker` | 512 | open instances that one worker keeps; one that was not used lately is closed, and opened again when it is needed. So many of the size of the default one take 8 MiB, which leaves room in `memory_bytes` for larger ones; with more, each thread would hold much for little, since to open one again takes a fraction of a millisecond |
///
/// What a connection may take is [`ConnectionLimits`](crate::ConnectionLimits).
///
/// ```
/// use std::time::Duration;
/// use imds_host::{Runtime, RuntimeLimits};
///
/// let limits = RuntimeLimits::default().memory_bytes(16 << 20).call(Duration::from_secs(5));
/// assert_eq!(limits.instances_per_worker, 512);
/// Runtime::with_limits(limits)?;
/// # Ok::<_, imds_host::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RuntimeLimits {
    /// For how long one call into the component may run, on the processor.
    pub call: Duration,
    /// The memory of one worker, in bytes.
    pub memory_bytes: usize,
    /// The instances that one worker keeps open; at least 1.
    pub instances_per_worker: usize,
}

impl Default for RuntimeLimits {
    fn default() -> Self {
        Self { call: Duration::from_secs(1), memory_bytes: 64 << 20, instances_per_worker: 512 }
    }
}

/// Each method returns the limits with one field changed.
impl RuntimeLimits {
    /// Sets for how long one call into the component may run.
    #[must_use]
    pub const fn call(self, call: Duration) -> Self {
        Self { call, ..self }
    }

    /// Sets the memory of one worker, in bytes.
    #[must_use]
    pub const fn memory_bytes(self, memory_bytes: usize) -> Self {
        Self { memory_bytes, ..self }
    }

    /// Sets how many instances one worker keeps open.
    #[must_use]
    pub const fn instances_per_worker(self, instances_per_worker: usize) -> Self {
        Self { instances_per_worker, ..self }
    }
}
