// The contract as Rust types; only `worker.rs` uses them.

wasmtime::component::bindgen!({
    world: "imds",
    path: "wit",
    // Requests are lent to the component, not copied for it.
    ownership: Borrowing { duplicate_if_necessary: true },
});
