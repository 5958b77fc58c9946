//! Puts an adapter and the component `imds:service` into one file.

use std::error::Error;
use std::path::Path;

use wac_graph::types::Package;
use wac_graph::{CompositionGraph, EncodeOptions, plug};

/// The component `adapter` with its import of the service filled by `core`.
///
/// Fails where one of the files cannot be read or is no component, or where the
/// adapter does not import what the other exports.
pub fn composed(adapter: &Path, core: &Path) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut graph = CompositionGraph::new();
    let mut register = |name, path| -> Result<_, Box<dyn Error>> {
        let package = Package::from_file(name, None, path, graph.types_mut())?;
        Ok(graph.register_package(package)?)
    };
    let (socket, core) = (register("adapter", adapter)?, register("imds:service", core)?);
    plug(&mut graph, vec![core], socket)?;
    Ok(graph.encode(EncodeOptions::default())?)
}
