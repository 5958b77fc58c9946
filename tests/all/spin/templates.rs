//! What `spin new` and `spin add` write, from the template in
//! `components/spin/templates`.

use std::fs;

use super::engine::spin_toml;
use crate::shell::workspace;

/// So that nobody adds a variable or a component to the manifest and forgets the
/// template.
#[test]
fn a_new_application_is_that_of_the_manifest() {
    let manifest = spin_toml();
    let new = parse(&rendered("content/spin.toml"));
    assert_eq!(new["variables"], manifest["variables"]);
    assert_eq!(new["trigger"], manifest["trigger"]);
    assert_eq!(names(&new["component"]), names(&manifest["component"]));
    for component in names(&new["component"]) {
        let of = |application: &toml::Table, part: &str| application["component"][&component][part].clone();
        for part in ["variables", "key_value_stores"] {
            assert_eq!(of(&new, part), of(&manifest, part), "{component}, {part}");
        }
        assert_eq!(names(&of(&new, "dependencies")), names(&of(&manifest, "dependencies")), "{component}");
    }
}

/// Where an application has several components, each has variables of its own.
#[test]
fn an_added_component_is_that_of_a_new_application_with_variables_of_its_own() {
    let mut new = parse(&rendered("content/spin.toml"));
    let added = parse(&rendered("metadata/snippets/component.txt"));
    for component in names(&new["component"]) {
        let values = new["component"][&component]["variables"].as_table_mut().expect("a table");
        for (_, value) in values {
            *value = value.as_str().expect("text").replace("{{ ", "{{ imds_").into();
        }
    }
    assert_eq!(added["component"], new["component"]);
    assert_eq!(added["trigger"], new["trigger"]);

    let variables = parse(&rendered("metadata/snippets/variables.txt"));
    let prefixed: toml::Table = new["variables"]
        .as_table()
        .expect("a table")
        .iter()
        .map(|(name, variable)| (format!("imds_{name}"), variable.clone()))
        .collect();
    assert_eq!(variables, prefixed);
}

fn names(table: &toml::Value) -> Vec<String> {
    table.as_table().expect("a table").keys().cloned().collect()
}

fn parse(text: &str) -> toml::Table {
    text.parse().unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// A file of the template for a project `imds` that takes a release's files: as
/// much of Spin's template language as it uses.
fn rendered(file: &str) -> String {
    let path = workspace().join("components/spin/templates/imds").join(file);
    let mut text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{file}: {error}"));
    for (written, meant) in [
        ("{{ project-name | kebab_case }}", "imds"),
        ("{{ name }}", "imds"),
        ("{{ http-path }}", "/..."),
        ("{{ '{{' }}", "{{"),
        ("{% assign name = project-name | snake_case -%}", ""),
        ("{%- if components == \"\" %}", ""),
        ("{%- raw %}", ""),
        ("{% endraw %}", ""),
    ] {
        text = text.replace(written, meant);
    }
    while let Some((before, rest)) = text.split_once("{%- else %}") {
        let (_, after) = rest.split_once("{%- endif %}").expect("a condition ends");
        text = format!("{before}{after}");
    }
    text
}
