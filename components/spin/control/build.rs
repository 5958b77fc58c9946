//! Provides which fields of a description are secrets, `OUT_DIR/secrets.rs`, as the
//! host's build script does.

use std::env;
use std::error::Error;
use std::path::Path;

#[path = "../../../host/build/secrets.rs"]
mod secrets;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=../../../host/build/secrets.rs");
    secrets::list(&["../../imds/description.schema.json"], &Path::new(&env::var("OUT_DIR")?).join("secrets.rs"))
}
