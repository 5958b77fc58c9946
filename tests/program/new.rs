//! `imds new`: a description to start from.

use super::*;

#[test]
fn what_new_prints_is_valid() {
    let new = imds(&["new"]);
    assert!(new.status.success());
    let mut check =
        Command::new(IMDS).args(["check", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    check.stdin.take().unwrap().write_all(&new.stdout).unwrap();
    let output = check.wait_with_output().unwrap();
    assert_eq!(text(&output.stdout), "standard input: valid\n");
    assert!(output.status.success());
}

#[test]
fn every_example_of_new_is_valid() {
    let new = text(&imds(&["new"]).stdout);
    let lines: Vec<&str> = new.lines().collect();
    let examples = examples(&lines);
    assert!(examples.len() > 10, "{examples:?}");
    let all: Vec<usize> = examples.iter().flatten().copied().collect();
    for example in examples.into_iter().chain([all]) {
        let spot = example.iter().any(|index| lines[*index] == "# [spot-interruption]");
        let set = |(index, line): (usize, &&str)| match line.strip_prefix("# ").unwrap_or("") {
            of_example if example.contains(&index) => of_example.to_owned(),
            // What the text beside this one says.
            _ if spot => line.replace("instance-lifecycle = \"on-demand\"", "instance-lifecycle = \"spot\""),
            _ => (*line).to_owned(),
        };
        let changed: Vec<String> = lines.iter().enumerate().map(set).collect();
        assert_ne!(changed, lines);
        let file = File::new("example.toml", changed.join("\n"));
        let output = imds(&["check", file.path.to_str().unwrap()]);
        assert!(output.status.success(), "{}\n{}", changed.join("\n"), text(&output.stderr));
    }
}

/// The indexes of lines that are examples behind `# `: one for a field that
/// stands alone, all for a table, a list of tables or a text of several lines.
fn examples(lines: &[&str]) -> Vec<Vec<usize>> {
    let mut examples: Vec<Vec<usize>> = Vec::new();
    let (mut in_table, mut in_text) = (false, false);
    for (index, line) in lines.iter().enumerate() {
        let code = line.strip_prefix("# ").unwrap_or_default();
        let name = code.split(" = ").next().unwrap_or_default();
        let is_field = name.len() < code.len() && !name.contains([' ', '`']);
        let is_table = code.starts_with('[') && code.ends_with(']');
        let goes_on = in_text || (in_table && (is_field || is_table || *line == "#"));
        match examples.last_mut() {
            Some(example) if goes_on => example.push(index),
            _ if is_field || is_table => examples.push(vec![index]),
            _ => {}
        }
        in_table = is_table || (in_table && goes_on);
        in_text ^= code.contains("\"\"\"");
    }
    examples
}
