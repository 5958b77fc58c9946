//! Compiles the component: the same bytes from the same sources and toolchain,
//! wherever these lie, with its name, version, description and licence in it.
//!
//! The host's build script and `components/build` include this file.

use std::borrow::Cow;
use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use wasm_encoder::{CustomSection, Section};
use wasm_metadata::{AddMetadata, AddMetadataField};

use super::Result;

const TARGET: &str = "wasm32-unknown-unknown";
/// The wrapper around the WebAssembly linker, which rustc finds beside itself.
const LINKER: &str = "wasm-component-ld";

/// Compiles the component of a workspace and returns the path of the finished file,
/// `imds.wasm` in `target_dir`.
pub fn compile(workspace: &Path, target_dir: &Path) -> Result<PathBuf> {
    let compiled = fs::read(compile_package(workspace, target_dir, "imds-core", "")?)?;
    let contract = fs::read_to_string(workspace.join("wit/imds.wit"))?;
    let described = described(&compiled, &contract)?;
    let finished = target_dir.join("imds.wasm");
    write(&finished, &described)?;
    Ok(finished)
}

/// Compiles a package of a workspace into a component with a nested cargo, and returns
/// the path of what came out. An outer cargo that waits for this must not hold the lock
/// of `target_dir`.
pub fn compile_package(workspace: &Path, target_dir: &Path, package: &str, features: &str) -> Result<PathBuf> {
    provide_target()?;
    has_linker()?;

    let mut cargo = scrubbed(&env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .current_dir(workspace)
        .args(["rustc", "--package", package, "--features", features, "--lib"])
        .args(["--profile", "component", "--crate-type", "cdylib"])
        .args(["--target", TARGET, "--config"])
        // This linker makes a component of the module; the target's usual one would leave a module.
        .arg(format!("target.{TARGET}.linker={LINKER:?}"))
        .arg("--config")
        .arg(format!("target.{TARGET}.rustflags={:?}", [without_paths()?, vec![stack()]].concat()))
        .arg("--target-dir")
        .arg(target_dir);
    // A clone has a lock file, and then the component is built from it and nothing else.
    if workspace.join("Cargo.lock").is_file() {
        cargo.arg("--locked");
    }
    let status = cargo.status()?;
    if !status.success() {
        return Err(format!("building the component failed: {cargo:?}").into());
    }
    Ok(target_dir.join(TARGET).join("component").join(format!("{}.wasm", package.replace('-', "_"))))
}

/// How large the stack is, which stands at the beginning of the memory. Engines that
/// make an instance for each request clear its memory each time, so that the linker's own
/// 1 MiB is dear. The deepest description that is read takes 50 KB.
fn stack() -> String {
    format!("-Clink-arg=-zstack-size={}", 128 << 10)
}

/// Writes a file in one step, unless it is there as it is to be: what depends on it is
/// not built again then.
pub fn write(file: &Path, bytes: &[u8]) -> Result<()> {
    if !fs::read(file).is_ok_and(|before| before == bytes) {
        let new = file.with_extension("new");
        fs::write(&new, bytes)?;
        fs::rename(&new, file)?;
    }
    Ok(())
}

/// Flags by which no path of this machine gets into the component: where cargo keeps
/// sources of dependencies, and where rustup keeps those of the standard library.
fn without_paths() -> Result<Vec<String>> {
    let mut flags = Vec::new();
    let home = env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".cargo")));
    // Missing where all dependencies are vendored.
    if let Some(registries) = home.and_then(|home| fs::read_dir(home.join("registry/src")).ok()) {
        for registry in registries {
            flags.push(format!("--remap-path-prefix={}=registry", registry?.path().display()));
        }
    }
    let version = rustc(&["-vV"])?;
    if let Some(commit) = version.lines().find_map(|line| line.strip_prefix("commit-hash: ")) {
        let library = PathBuf::from(rustc(&["--print", "sysroot"])?).join("lib/rustlib/src/rust");
        flags.push(format!("--remap-path-prefix={}=/rustc/{commit}", library.display()));
    }
    // The order of a directory is no order.
    flags.sort();
    Ok(flags)
}

/// A component that says what it is, as `wasm-tools metadata` and registries read it,
/// with the words that the contract begins with. The format has no place for those of
/// an interface in a component: they are in the contract alone.
fn described(component: &[u8], contract: &str) -> Result<Vec<u8>> {
    let mut named = AddMetadata::default();
    named.name = AddMetadataField::Set("imds".to_owned());
    let mut component = named.to_wasm(component)?;
    let words: Vec<&str> = contract.lines().map_while(|line| line.strip_prefix("///")).map(str::trim_ascii).collect();
    let words = serde_json::json!({ "worlds": { "root": { "docs": words.join("\n") } } });
    for (name, value) in [
        // The first byte is the version of the form.
        ("package-docs", &*format!("\0{words}")),
        ("version", env!("CARGO_PKG_VERSION")),
        ("description", "The EC2 Instance Metadata Service: description, request head and time in, answer out"),
        ("licenses", env!("CARGO_PKG_LICENSE")),
        ("source", env!("CARGO_PKG_REPOSITORY")),
    ] {
        if !value.is_empty() {
            let data = Cow::Borrowed(value.as_bytes());
            CustomSection { name: name.into(), data }.append_to(&mut component);
        }
    }
    Ok(component)
}

/// Fails where the toolchain lacks the linker, which every one with a
/// WebAssembly target brings.
fn has_linker() -> Result<()> {
    let path = PathBuf::from(rustc(&["--print", "sysroot"])?)
        .join("lib/rustlib")
        .join(rustc(&["--print", "host-tuple"])?)
        .join("bin")
        .join(format!("{LINKER}{}", env::consts::EXE_SUFFIX));
    if path.is_file() {
        return Ok(());
    }
    Err(format!("this toolchain has no {}; use one from rustup", path.display()).into())
}

/// Adds the target through rustup where the toolchain lacks it.
fn provide_target() -> Result<()> {
    let has_target =
        || -> Result<bool> { Ok(Path::new(&rustc(&["--print", "target-libdir", "--target", TARGET])?).is_dir()) };
    if has_target()? {
        return Ok(());
    }
    // rustup sets this for the cargo that it starts; without it, adding to the
    // default toolchain could change one that is not in use here.
    let toolchain = env::var("RUSTUP_TOOLCHAIN").ok();
    let remedy = match &toolchain {
        Some(toolchain) => format!("rustup target add --toolchain {toolchain} {TARGET}"),
        None => format!("rustup target add {TARGET}"),
    };
    if let Some(toolchain) = &toolchain {
        let added = scrubbed(OsStr::new("rustup")).args(["target", "add", "--toolchain", toolchain, TARGET]).status();
        if added.is_ok_and(|status| status.success()) && has_target()? {
            println!("cargo:warning=the target {TARGET} was missing; added it: {remedy}");
            return Ok(());
        }
    }
    Err(format!("the component needs the Rust target {TARGET}, which this toolchain lacks. Type: {remedy}").into())
}

/// What `rustc` prints for `arguments`, without the line end.
fn rustc(arguments: &[&str]) -> Result<String> {
    let program = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = scrubbed(&program).args(arguments).output()?;
    if !output.status.success() {
        return Err(format!("rustc {} failed: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
}

/// A command without what cargo tells this script and what a caller wants for
/// the native build only: coverage or sanitizer flags would break the component.
fn scrubbed(program: &OsStr) -> Command {
    const NAMES: [&str; 14] = [
        "CARGO_BUILD_RUSTFLAGS",
        "CARGO_BUILD_TARGET",
        "CARGO_ENCODED_RUSTFLAGS",
        "CARGO_MANIFEST_DIR",
        "CARGO_TARGET_DIR",
        "HOST",
        "OUT_DIR",
        "RUSTC",
        "RUSTC_LINKER",
        "RUSTC_WORKSPACE_WRAPPER",
        "RUSTC_WRAPPER",
        "RUSTFLAGS",
        "TARGET",
        "__CARGO_DEFAULT_LIB_METADATA",
    ];
    const PREFIXES: [&str; 5] = ["CARGO_CFG_", "CARGO_FEATURE_", "CARGO_PKG_", "CARGO_PROFILE_", "DEP_"];
    let mut command = Command::new(program);
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if NAMES.contains(&&*text) || PREFIXES.iter().any(|prefix| text.starts_with(prefix)) {
            command.env_remove(&name);
        }
    }
    command
}
