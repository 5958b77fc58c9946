//! Where the component comes from.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Result;

const TARGET: &str = "wasm32-unknown-unknown";
/// The wrapper around the WebAssembly linker, which rustc finds beside itself.
const LINKER: &str = "wasm-component-ld";

/// The path of the component: the file that `IMDS_COMPONENT` names, else what
/// the workspace around this package builds, else the file inside the package.
pub fn locate_or_build(out: &Path) -> Result<PathBuf> {
    println!("cargo:rerun-if-env-changed=IMDS_COMPONENT");
    if let Some(path) = env::var_os("IMDS_COMPONENT").filter(|path| !path.is_empty()) {
        let path = PathBuf::from(path);
        watch(&path);
        if !path.is_file() {
            return Err(format!("IMDS_COMPONENT names no file: {}", path.display()).into());
        }
        return Ok(path);
    }
    let package = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let workspace = package.join("..");
    if workspace.join("components/imds/Cargo.toml").is_file() {
        return build(&workspace, out);
    }
    let packaged = package.join("assets/imds.wasm");
    if packaged.is_file() {
        watch(&packaged);
        return Ok(packaged);
    }
    Err("the component is missing: neither components/imds beside this package nor assets/imds.wasm in it; set IMDS_COMPONENT to the path of a component".into())
}

/// Builds the component with a nested cargo.
fn build(workspace: &Path, out: &Path) -> Result<PathBuf> {
    for path in ["components/imds", "wit", "Cargo.toml", "Cargo.lock"] {
        // A path that does not exist would run this script at every build.
        let path = workspace.join(path);
        if path.exists() {
            watch(&path);
        }
    }
    provide_target()?;
    has_linker()?;

    let target_dir = target_dir(out)?;
    let mut cargo = scrubbed(&env::var_os("CARGO").ok_or("CARGO is not set")?);
    cargo
        .current_dir(workspace)
        .args(["rustc", "--package", "imds-core", "--lib"])
        .args(["--profile", "component", "--crate-type", "cdylib"])
        .args(["--target", TARGET, "--config"])
        // This linker makes a component of the module; the target's usual one would leave a module.
        .arg(format!("target.{TARGET}.linker={LINKER:?}"))
        .arg("--target-dir")
        .arg(&target_dir);
    // A clone has a lock file, and then the component is built from it and nothing else.
    if workspace.join("Cargo.lock").is_file() {
        cargo.arg("--locked");
    }
    let status = cargo.status()?;
    if !status.success() {
        return Err(format!("building the component failed: {cargo:?}").into());
    }
    Ok(target_dir.join(TARGET).join("component/imds_core.wasm"))
}

/// `imds-component` beside the profile folders of the target directory that
/// holds `OUT_DIR`: the same for every profile and selection of packages, so
/// the component is built once. Never that directory itself: the outer cargo
/// holds its lock until this script ends.
fn target_dir(out: &Path) -> Result<PathBuf> {
    // <target>/[<triple>/]<profile>/build/<package>/out
    let profile = out.ancestors().nth(3).ok_or("OUT_DIR is too short")?;
    let above = profile.parent().ok_or("OUT_DIR is too short")?;
    let cross = above.file_name() == Some(OsStr::new(&env::var("TARGET")?));
    let target = if cross { above.parent().unwrap_or(above) } else { above };
    Ok(target.join("imds-component"))
}

/// Fails where the toolchain lacks the linker, which every one with a
/// WebAssembly target brings.
fn has_linker() -> Result<()> {
    let path = PathBuf::from(rustc(&["--print", "sysroot"])?)
        .join("lib/rustlib")
        .join(env::var("HOST")?)
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
    let program = env::var_os("RUSTC").ok_or("RUSTC is not set")?;
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

fn watch(path: &Path) {
    println!("cargo:rerun-if-changed={}", path.display());
}
