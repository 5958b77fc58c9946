// Shared with the build script: code translated under one configuration loads
// only into an engine with the same.

/// How the component is translated and run.
pub(crate) fn config() -> wasmtime::Config {
    let mut config = wasmtime::Config::new();
    config
        .wasm_component_model(true)
        // The contract is synchronous; without this a call costs a third less.
        .concurrency_support(false)
        // Lets a deadline stop a call.
        .epoch_interruption(true)
        // Else a variable of the environment decides, and the translated component
        // loads only where it had the same value when this was built.
        .wasm_backtrace_details(wasmtime::WasmBacktraceDetails::Disable);
    config
}
