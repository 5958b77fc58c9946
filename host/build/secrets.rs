//! What the schema of a description says of secrets, so that no crate that
//! hides them keeps a list of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::Result;

/// Writes the names of all fields, by what they are, for the crate to include. The
/// schema is in the first of these places, seen from the package, where there is one.
pub fn list(places: &[&str], to: &Path) -> Result<()> {
    let package = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let Some(file) = places.iter().map(|place| package.join(place)).find(|file| file.is_file()) else {
        return Err(format!("the schema of a description is missing: there is none of {places:?}").into());
    };
    println!("cargo:rerun-if-changed={}", file.display());
    let schema: Value = serde_json::from_str(&fs::read_to_string(&file)?)?;
    let mut names = Names::default();
    names.add(&schema, &schema);
    if names.secrets.is_empty() {
        return Err(format!("no field is `writeOnly` in {}", file.display()).into());
    }
    fs::write(to, names.to_rust())?;
    Ok(())
}

#[derive(Default)]
struct Names {
    /// Fields that are secrets, wherever they are declared so.
    secrets: BTreeSet<String>,
    /// Fields whose tables hold secrets, each with those fields there that are none.
    holders: BTreeMap<String, BTreeSet<String>>,
    all: BTreeSet<String>,
}

impl Names {
    /// Adds the properties of every object in a part of the schema.
    fn add(&mut self, part: &Value, schema: &Value) {
        for (name, property) in properties(part) {
            self.all.insert(name.clone());
            if is_secret(property) {
                self.secrets.insert(name.clone());
            }
            let mut tables = Vec::new();
            referred(property, schema, &mut tables);
            for table in tables.into_iter().filter(|table| properties(table).any(|(_, field)| is_secret(field))) {
                let plain = properties(table).filter(|(_, field)| !is_secret(field)).map(|(name, _)| name.clone());
                let plain: BTreeSet<_> = plain.collect();
                // Of two tables under one name, a field is plain where it is so in both.
                self.holders
                    .entry(name.clone())
                    .and_modify(|known| known.retain(|name| plain.contains(name)))
                    .or_insert(plain);
            }
        }
        children(part).for_each(|child| self.add(child, schema));
    }

    fn to_rust(&self) -> String {
        let Self { secrets, holders, all } = self;
        let holders: Vec<_> = holders.iter().map(|(name, plain)| (name, plain.iter().collect::<Vec<_>>())).collect();
        let is_plain = |name: &&String| !secrets.contains(*name) && !self.holders.contains_key(*name);
        let plain: Vec<_> = all.iter().filter(is_plain).collect();
        let secrets: Vec<_> = secrets.iter().collect();
        let holders = format!("{holders:?}").replace(", [", ", &[");
        format!(
            "const SECRETS: &[&str] = &{secrets:?};\n\
             const HOLDERS: &[(&str, &[&str])] = &{holders};\n\
             const PLAIN: &[&str] = &{plain:?};\n"
        )
    }
}

fn properties(part: &Value) -> impl Iterator<Item = (&String, &Value)> {
    part["properties"].as_object().into_iter().flatten()
}

fn is_secret(property: &Value) -> bool {
    property["writeOnly"] == true
}

/// Adds the definitions that a property refers to.
fn referred<'s>(property: &Value, schema: &'s Value, tables: &mut Vec<&'s Value>) {
    let place = property["$ref"].as_str().and_then(|place| place.strip_prefix("#/$defs/"));
    tables.extend(place.and_then(|place| schema["$defs"].get(place)));
    children(property).for_each(|child| referred(child, schema, tables));
}

fn children(part: &Value) -> impl Iterator<Item = &Value> {
    let members = part.as_object().into_iter().flat_map(|members| members.values());
    members.chain(part.as_array().into_iter().flatten())
}
