//! `imds-compose ADAPTER CORE OUTPUT`: writes the adapter with the core inside.

use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [adapter, core, output] = arguments.as_slice() else {
        return Err("usage: imds-compose ADAPTER CORE OUTPUT".into());
    };
    std::fs::write(output, imds_compose::composed(Path::new(adapter), Path::new(core))?)?;
    Ok(())
}
