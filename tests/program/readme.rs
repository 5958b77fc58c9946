//! The first commands that a reader types do what the README says.

use super::*;

/// Each block of commands in "The first minute" succeeds, and prints the block of text behind it.
#[test]
fn the_first_minute_of_the_readme_works() {
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md")).unwrap();
    let section = readme.split("\n## The first minute\n").nth(1).and_then(|rest| rest.split("\n## ").next()).unwrap();
    let mut path = PathBuf::from(IMDS).parent().unwrap().as_os_str().to_owned();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    let blocks: Vec<&str> = section.split("```sh\n").skip(1).collect();
    assert!(blocks.len() >= 3, "{section}");
    for block in blocks {
        let (commands, rest) = block.split_once("```").unwrap();
        let (expected, _) =
            rest.trim_start().strip_prefix("```text\n").and_then(|text| text.split_once("```")).unwrap();
        let is_of_aws = commands.contains(" aws ");
        if is_of_aws && !Command::new("sh").args(["-c", "command -v aws"]).output().unwrap().status.success() {
            println!("SKIPPED: there is no program aws");
            continue;
        }
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("exec 2>&1\n{commands}")]).env("PATH", &path).stdin(Stdio::null());
        for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"] {
            shell.env_remove(name);
        }
        shell.env("AWS_CONFIG_FILE", "/dev/null").env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
        let output = shell.output().unwrap();
        let printed = text(&output.stdout);
        assert!(output.status.success(), "{commands}{printed}");
        if is_of_aws {
            // Its versions print other tables.
            assert!(printed.contains("iam-role"), "{printed}");
        } else {
            assert_eq!(without_digits(&printed), without_digits(expected), "{commands}");
        }
    }
}

/// A text with 0 for each number: times and processes are others each time.
fn without_digits(text: &str) -> String {
    let mut zeroed: Vec<char> = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    zeroed.dedup_by(|one, other| *one == '0' && *other == '0');
    zeroed.into_iter().collect()
}
