//! Where the component comes from.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::{Result, compile};

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
        for path in ["components/imds", "wit", "Cargo.toml", "Cargo.lock"] {
            // A path that does not exist would run this script at every build.
            let path = workspace.join(path);
            if path.exists() {
                watch(&path);
            }
        }
        return compile::compile(&workspace, &target_dir(out)?);
    }
    let packaged = package.join("assets/imds.wasm");
    if packaged.is_file() {
        watch(&packaged);
        return Ok(packaged);
    }
    Err("the component is missing: neither components/imds beside this package nor assets/imds.wasm in it; set IMDS_COMPONENT to the path of a component".into())
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

fn watch(path: &Path) {
    println!("cargo:rerun-if-changed={}", path.display());
}
