//! The component imports nothing and exports the pinned interface.

use wit_component::{DecodedWasm, OutputToString, WitPrinter, decode};

use crate::case::tests_directory;

#[test]
fn the_component_imports_nothing() {
    let DecodedWasm::Component(resolve, world) = decode(imds_host::COMPONENT).expect("the component can be read")
    else {
        panic!("this is no component");
    };
    let imports: Vec<_> = resolve.worlds[world].imports.keys().collect();
    assert!(imports.is_empty(), "imports: {imports:?}");
}

/// What registries and `wasm-tools metadata` show of it.
#[test]
fn the_component_says_what_it_is() {
    let mut sections = std::collections::BTreeMap::new();
    let mut depth = 0;
    for payload in wasmparser::Parser::new(0).parse_all(imds_host::COMPONENT) {
        match payload.expect("the component can be read") {
            wasmparser::Payload::Version { .. } => depth += 1,
            wasmparser::Payload::End(_) => depth -= 1,
            wasmparser::Payload::CustomSection(section) if depth == 1 => {
                let data = String::from_utf8_lossy(section.data()).into_owned();
                assert!(sections.insert(section.name(), data).is_none(), "{} twice", section.name());
            }
            _ => {}
        }
    }
    assert_eq!(sections["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(sections["licenses"], env!("CARGO_PKG_LICENSE"));
    assert!(sections["description"].starts_with("The EC2 Instance Metadata Service"));
    let decoded = decode(imds_host::COMPONENT).expect("the component can be read");
    let (_, world) = decoded.resolve().worlds.iter().next().expect("it has a world");
    let words = world.docs.contents.as_deref().expect("its world has a text");
    assert!(words.starts_with("The EC2 Instance Metadata Service (IMDS) as a pure component.\n\n"), "{words}");
}

#[test]
fn no_path_of_the_machine_that_built_it_is_in_the_component() {
    let places = [env!("CARGO_MANIFEST_DIR").strip_suffix("tests").expect("this package is tests"), "/registry/src/"];
    for place in places {
        let found = imds_host::COMPONENT.windows(place.len()).any(|bytes| bytes == place.as_bytes());
        assert!(!found, "{place}");
    }
}

/// The interface as the component has it, printed: a change here is a change
/// of the contract. `BLESS=1` writes the new one, to be read in the diff.
#[test]
fn the_component_exports_the_pinned_interface() {
    let decoded = decode(imds_host::COMPONENT).expect("the component can be read");
    let mut printer = WitPrinter::new(OutputToString::default());
    printer.emit_docs(false);
    let (resolve, world) = (decoded.resolve(), decoded.package());
    let others: Vec<_> = resolve.packages.iter().map(|(id, _)| id).filter(|id| *id != world).collect();
    printer.print(resolve, world, &others).expect("the interface can be printed");
    pinned("exported.wit", &printer.output.to_string());
}

/// The schema that the component hands out is made from the types that read
/// descriptions.
#[test]
fn the_schema_is_that_of_the_types() {
    pinned("../components/imds/description.schema.json", &imds_core::description::schema::text());
}

/// Compares with a file in the repository, or writes it where `BLESS` is set.
pub fn pinned(file: &str, text: &str) {
    let path = tests_directory().join(file);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, text).expect("the file can be written");
    }
    let pinned = std::fs::read_to_string(&path).unwrap_or_default();
    let line = pinned.lines().zip(text.lines()).position(|(pinned, text)| pinned != text);
    let line = line.unwrap_or_else(|| pinned.lines().count().min(text.lines().count())) + 1;
    assert!(pinned == text, "{}:{line} differs from what is printed now; BLESS=1 writes it", path.display());
}
