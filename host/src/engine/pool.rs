use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use wasmtime::{Engine, Store, StoreLimitsBuilder, Trap, UpdateDeadline};

use crate::engine::bindings::ImdsPre;
use crate::engine::deadline::Deadline;
use crate::engine::limits::RuntimeLimits;
use crate::engine::worker::{Bounds, Worker};

/// `lends`: see [`Worker::new`].
pub(super) fn new_worker(
    engine: &Engine,
    component: &ImdsPre<Bounds>,
    limits: &RuntimeLimits,
    lends: bool,
) -> wasmtime::Result<Box<Worker>> {
    let memory = StoreLimitsBuilder::new()
        .memory_size(limits.memory_bytes)
        .memories(MEMORIES_MAX)
        .tables(TABLES_MAX)
        .table_elements(TABLE_ELEMENTS_MAX)
        .build();
    let mut store = Store::new(engine, Bounds { memory, deadline: Deadline::new(limits.call) });
    store.limiter(|bounds| &mut bounds.memory);
    store.epoch_deadline_callback(|mut call| {
        Ok(if call.data_mut().deadline.is_over() { UpdateDeadline::Interrupt } else { UpdateDeadline::Continue(1) })
    });
    // Strings that are passed out can overlap: copied, they could be far more
    // than the memory that they are in.
    store.set_hostcall_fuel(limits.memory_bytes);
    store.set_epoch_deadline(1);
    let instance = component.instance_pre().instantiate(&mut store)?;
    Worker::new(store, &instance, lends).map(Box::new)
}

/// A component of one module has one memory, and tables for its functions and for
/// those that its adapters pass on.
const MEMORIES_MAX: usize = 1;
const TABLES_MAX: usize = 8;
const TABLE_ELEMENTS_MAX: usize = 1 << 16;

/// Then another try would take as long again.
pub(super) fn took_too_long(error: &wasmtime::Error) -> bool {
    matches!(error.downcast_ref(), Some(Trap::Interrupt))
}

/// Moves the engine's epoch once for every `tick`, until the sender is dropped.
pub(super) fn start_ticker(engine: &Engine, tick: Duration) -> std::io::Result<mpsc::Sender<()>> {
    let (sender, stop) = mpsc::channel();
    let engine = engine.clone();
    let tick = tick.max(Duration::from_millis(1));
    thread::Builder::new().name("imds-deadlines".into()).spawn(move || {
        while stop.recv_timeout(tick) == Err(RecvTimeoutError::Timeout) {
            engine.increment_epoch();
        }
    })?;
    Ok(sender)
}
