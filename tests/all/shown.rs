//! What a log may show of a target: the table that the JavaScript package holds to as
//! well.

use crate::case::tests_directory;

#[test]
fn no_secret_of_the_table_is_shown_and_no_path_is_hidden() {
    let table = std::fs::read_to_string(tests_directory().join("shown-targets.txt")).expect("the table can be read");
    let (mut hidden, mut kept) = (0, 0);
    for line in table.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some((secret, target)) = line.strip_prefix("- ").and_then(|rest| rest.split_once(' ')) {
            let shown = imds_host::shown::target(target);
            let found =
                secret.as_bytes().windows(12).any(|part| shown.as_bytes().windows(12).any(|other| other == part));
            assert!(!found, "{target} is shown as {shown}");
            hidden += 1;
        } else {
            let target = line.strip_prefix("+ ").unwrap_or_else(|| panic!("what is this: {line}"));
            assert_eq!(imds_host::shown::target(target), target);
            kept += 1;
        }
    }
    assert!(hidden > 10 && kept > 3, "{hidden} and {kept}");
}
