//! Where the contract is.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use super::Result;

/// Writes the call that makes Rust types of the contract, for the library to
/// include: the macro takes nothing but a literal path, and the contract is in
/// the workspace around this package, else in the package.
pub fn bind(to: &Path) -> Result<()> {
    let package = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let places = ["../wit", "assets/wit"].map(|place| package.join(place));
    let Some(contract) = places.iter().find(|place| place.join("imds.wit").is_file()) else {
        return Err("the contract is missing: neither wit beside this package nor assets/wit in it".into());
    };
    // Requests are lent to the component, not copied for it.
    let call = format!(
        "wasmtime::component::bindgen!({{ world: \"imds\", path: {contract:?}, \
         ownership: Borrowing {{ duplicate_if_necessary: true }} }});\n"
    );
    fs::write(to, call)?;
    Ok(())
}
