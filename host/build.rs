//! Provides the component and its translation for the target, both embedded by
//! the library, `OUT_DIR/imds.wasm` and `OUT_DIR/imds.cwasm`, the contract as Rust
//! types, `OUT_DIR/bindings.rs`, and which fields are secrets, `OUT_DIR/secrets.rs`.

use std::env;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

#[path = "build/compile.rs"]
mod compile;
#[path = "build/component.rs"]
mod component;
#[path = "src/engine/config.rs"]
mod config;
#[path = "build/contract.rs"]
mod contract;
#[path = "build/secrets.rs"]
mod secrets;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() {
    if let Err(error) = run() {
        // `cargo` shows a build script's standard error only when it fails.
        eprintln!("error: {error}");
        std::process::exit(1);
    }
}

fn run() -> Result<()> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=build");
    println!("cargo:rerun-if-changed=src/engine/config.rs");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    contract::bind(&out.join("bindings.rs"))?;
    // A clone has the one, the crate as packaged the other.
    let schema = ["../components/imds/description.schema.json", "assets/description.schema.json"];
    secrets::list(&schema, &out.join("secrets.rs"))?;
    let wasm = fs::read(component::locate_or_build(&out)?)?;
    fs::write(out.join("imds.wasm"), &wasm)?;
    translate(&wasm, &out.join("imds.cwasm"))
}

/// Translates the component to machine code, so that the program carries no
/// compiler and starts in milliseconds.
fn translate(wasm: &[u8], to: &Path) -> Result<()> {
    let mut config = config::config();
    // Names the target even when it is this machine: the code then needs no
    // more than that target's baseline processor.
    let target = env::var("TARGET")?;
    config.target(&target)?;
    // Nobody unwinds through the component; Windows wants it all the same. Without,
    // there is less to load.
    config.native_unwind_info(target.contains("windows"));
    let engine = wasmtime::Engine::new(&config)?;
    fs::write(to, engine.precompile_component(wasm)?)?;
    Ok(())
}
