//! Unmodified clients: boto3 with its waiters, and the AWS CLI; and the script of the
//! guide.

use super::*;

/// A Python with the packages of `tests/clients/ec2.txt`: the one that
/// `IMDS_CLIENTS_PYTHON` names, or one that is made below cargo's folder, once; none
/// where no packages can be had, of which it tells.
fn python() -> Option<PathBuf> {
    if let Some(python) = std::env::var_os("IMDS_CLIENTS_PYTHON") {
        return Some(python.into());
    }
    static MADE: std::sync::OnceLock<Option<PathBuf>> = std::sync::OnceLock::new();
    let made = MADE.get_or_init(|| {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("ec2-clients");
        let python = folder.join("bin/python");
        let succeeds = |command: &mut Command| command.output().is_ok_and(|output| output.status.success());
        let has_them = || succeeds(Command::new(&python).args(["-c", "import boto3, awscli"]));
        if !has_them() {
            succeeds(Command::new("python3").args(["-m", "venv"]).arg(&folder));
            let packages = clients().join("ec2.txt");
            let mut pip = Command::new(&python);
            pip.args(["-m", "pip", "install", "--quiet", "--timeout", "5", "--retries", "1", "--requirement"]);
            succeeds(pip.arg(packages));
        }
        has_them().then_some(python)
    });
    if made.is_none() {
        skipped("NOT RUN: boto3 and the AWS CLI cannot be had here; IMDS_CLIENTS_PYTHON can name a Python with both");
    }
    made.clone()
}

fn clients() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/clients")
}

fn fleet(name: &str, caller: &str, files: &[(&str, &str)]) -> Operated {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("program").join(format!("ec2-{name}"));
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).unwrap();
    files.iter().for_each(|(name, text)| fs::write(directory.join(name), text).unwrap());
    Operated::start(&["--instances", directory.to_str().unwrap(), "--caller", caller])
}

/// Runs a script against a fleet, with the variables that `imds run` sets too.
fn run(python: &PathBuf, ec2: &Operated, script: &PathBuf, arguments: &[&str]) -> String {
    let mut command = Command::new(python);
    command.arg(script).args(arguments);
    command
        .env("AWS_ENDPOINT_URL_EC2", format!("http://{}", ec2.address))
        .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", format!("http://{}", ec2.served.addresses[0]))
        .env("AWS_REGION", "us-east-1")
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", "any")
        .env("AWS_SECRET_ACCESS_KEY", "any")
        .env("NO_PROXY", "127.0.0.1")
        .env("PYTHONDONTWRITEBYTECODE", "1");
    let output = command.output().unwrap();
    let printed = text(&output.stdout);
    assert!(output.status.success(), "{printed}{}", text(&output.stderr));
    printed
}

/// All calls that the table of `docs/ec2-api.md` has.
fn calls() -> Vec<String> {
    let docs = fs::read_to_string(clients().join("../../docs/ec2-api.md")).unwrap();
    let row =
        |line: &str| line.strip_prefix("| `").and_then(|rest| rest.split_once('`')).map(|(call, _)| call.to_owned());
    let calls: Vec<_> =
        docs.lines().filter_map(row).filter(|call| call.starts_with(|c: char| c.is_ascii_uppercase())).collect();
    assert!(calls.len() > 20, "{calls:?}");
    calls
}

fn every_call_by(client: &str) {
    let Some(python) = python() else { return };
    let maintained = "events = [{ code = 'instance-reboot', not-before = '2099-12-01T00:00:00Z' }]";
    let ec2 = fleet(client, "header:x-guest", &[("maintained.toml", maintained)]);
    let printed = run(&python, &ec2, &clients().join("ec2_calls.py"), &[client]);
    let done: std::collections::BTreeSet<_> = printed.lines().collect();
    for call in calls() {
        assert!(done.contains(&*call), "{call} was not made by {client}: {printed}");
    }
}

#[test]
fn boto3_makes_every_call_and_its_waiters_end() {
    every_call_by("boto3");
}

#[test]
fn the_aws_cli_makes_every_call() {
    every_call_by("aws-cli");
}

#[test]
fn the_script_of_the_guide_runs() {
    let Some(python) = python() else { return };
    let guide = fs::read_to_string(clients().join("../../docs/guides/ec2-api.md")).unwrap();
    let script = guide.split("```python\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a script");
    let file = File::new("ec2-guide.py", script);
    let printed = run(&python, &fleet("guide", "client-address", &[]), &file.path, &[]);
    assert!(printed.ends_with("terminated\n"), "{printed}");
}

#[test]
fn every_action_is_in_the_table_and_no_other() {
    let (_, message) = Operated::start(&[]).refused("NoSuchAction", &[]);
    let offered = message.split_once("Offered are: ").unwrap().1;
    let mut calls = calls();
    calls.sort();
    assert_eq!(calls.join(", "), offered);
}
