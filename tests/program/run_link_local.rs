//! `imds run --link-local`: a command in a network of its own, in which EC2's
//! addresses are the service.

use super::*;

const USER: &str = "65534";

/// Who runs it: the words before the program's name, and what `id -u` prints.
struct Who {
    words: Vec<&'static str>,
    id: String,
}

/// All who can: this process, and if that is root an ordinary user too. Says aloud
/// why somebody cannot.
fn everybody() -> Vec<Who> {
    let id = text(&Command::new("id").arg("-u").output().unwrap().stdout).trim().to_owned();
    let mut everybody = Vec::new();
    if id == "0" {
        let user = vec!["setpriv", "--reuid", USER, "--regid", USER, "--clear-groups"];
        everybody.extend(able(Who { words: user, id: USER.into() }, "--user"));
        everybody.extend(able(Who { words: vec!["env"], id }, "--net"));
    } else {
        everybody.extend(able(Who { words: vec!["env"], id }, "--user"));
    }
    everybody
}

/// What the system lets them do, as `unshare` finds it.
fn able(who: Who, namespace: &str) -> Option<Who> {
    let probe = |words: &[&str]| {
        let output = who.command(words).output();
        output.is_ok_and(|output| output.status.success())
    };
    let why = match () {
        () if !probe(&["test", "-x", IMDS]) => "the program is where they cannot run it",
        () if !probe(&["unshare", namespace, "--net", "true"]) => "`unshare` makes no namespace for them",
        () => return Some(who),
    };
    skipped(&format!("imds run --link-local by user {}: {why}", who.id));
    None
}

impl Who {
    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(self.words[0]);
        // Where they are allowed to look.
        command.args(&self.words[1..]).args(words).current_dir("/").env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        command
    }

    /// `imds run` with flags and a shell script for bash, which opens connections.
    fn imds(&self, flags: &[&str], script: &str) -> Command {
        let start = ["run", "--log", "off", "--link-local"];
        let mut imds = self.command(&[&[IMDS][..], &start, flags, &["--", "bash", "-c", script]].concat());
        imds.stdin(Stdio::null());
        imds
    }
}

/// A script that asks for the instance type at an address that it has from nobody.
fn ask(address: &str, field: &str) -> String {
    format!(
        "exec 3<>/dev/tcp/{address}/80 && \
         printf 'GET /latest/meta-data/instance-type HTTP/1.1\\r\\nHost: 169.254.169.254\\r\\n{field}\\r\\n' >&3 && cat <&3"
    )
}

#[test]
fn a_command_that_knows_one_address_alone_gets_answers() {
    for who in everybody() {
        let script = format!(
            "id -u; grep -c : /proc/net/dev; echo \"${{AWS_EC2_METADATA_SERVICE_ENDPOINT-unset}} $NO_PROXY\"; {}; exit 7",
            ask("169.254.169.254", "")
        );
        let mut imds = who.imds(&[], &script);
        imds.env("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://192.0.2.1").env("NO_PROXY", "a").env_remove("no_proxy");
        let output = imds.output().unwrap();
        let printed = text(&output.stdout);
        assert_eq!(output.status.code(), Some(7), "{printed}{}", text(&output.stderr));
        // The same user, and no interface but `lo`.
        let wanted =
            format!("{}\n1\nunset a,169.254.169.254,fd00:ec2::254,[fd00:ec2::254]\nHTTP/1.1 200 OK\r\n", who.id);
        assert!(printed.starts_with(&wanted) && printed.ends_with("\r\n\r\nt3.micro"), "{printed}");
    }
}

#[test]
fn ipv6_is_there_where_it_is_enabled() {
    for who in everybody() {
        let script = ask("fd00:ec2::254", "");
        let output = who.imds(&["--http-protocol-ipv6", "enabled"], &script).output().unwrap();
        assert!(text(&output.stdout).ends_with("\r\n\r\nt3.micro"), "{}", text(&output.stderr));
        let output = who.imds(&[], &script).output().unwrap();
        assert!(!output.status.success() && output.stdout.is_empty());
    }
}

#[test]
fn version_1_is_counted_there_too() {
    for who in everybody() {
        let output = who.imds(&["--require-v2"], &ask("169.254.169.254", "")).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let errors = text(&output.stderr);
        assert!(errors.contains("imds: 1 request used version 1, 0 used version 2:\n"), "{errors}");

        let put =
            "PUT /latest/api/token HTTP/1.1\\r\\nHost: localhost\\r\\nX-aws-ec2-metadata-token-ttl-seconds: 60\\r\\n";
        let script = format!("exec 3<>/dev/tcp/169.254.169.254/80; printf '{put}\\r\\n' >&3; cat <&3");
        let output = who.imds(&["--require-v2"], &script).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));

        let output = who.imds(&["--require-v2"], "true").output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let errors = text(&output.stderr);
        assert!(errors.contains("imds: the command made no request"), "{errors}");
        assert!(!errors.contains("--link-local"), "{errors}");
    }
}

#[test]
fn it_ends_as_without_and_leaves_nothing_behind() {
    for who in everybody() {
        let namespace = |output: &Output| text(&output.stdout).lines().next().unwrap_or_default().to_owned();
        let show = "readlink /proc/self/ns/net";
        let output = who.imds(&[], &format!("{show}; kill -9 $$")).output().unwrap();
        assert_eq!(output.status.code(), Some(128 + 9));
        let inside = namespace(&output);
        let outside = namespace(&who.command(&["sh", "-c", show]).output().unwrap());
        assert!(inside.starts_with("net:[") && inside != outside, "{inside} {outside}");
        let processes = fs::read_dir("/proc").unwrap().flatten();
        let in_it = processes.filter_map(|process| fs::read_link(process.path().join("ns/net")).ok());
        assert_eq!(in_it.filter(|link| link.to_str() == Some(&inside)).count(), 0);

        let status = |command: &[&str]| {
            let words = [&[IMDS, "run", "--link-local", "--"], command].concat();
            who.command(&words).stdin(Stdio::null()).output().unwrap().status.code()
        };
        assert_eq!(status(&["no-such-command-anywhere"]), Some(127));
        assert_eq!(status(&["/"]), Some(126));

        let mut child = who
            .imds(&[], "trap 'exit 9' TERM; echo ready; while :; do read -r line; done")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n");
        kill(&child, "TERM");
        drop(child.stdin.take());
        assert_eq!(child.wait().unwrap().code(), Some(9));
    }
}

#[test]
fn it_is_controlled_from_inside_and_from_outside() {
    let socket = File { path: std::env::temp_dir().join(format!("imds-{}.sock", std::process::id())) };
    let path = format!("--control={}", socket.path.display());
    for who in everybody() {
        for flag in ["--control", "--control=[::1]:0", &path] {
            let ctl = format!("'{IMDS}' ctl");
            let edit = "edit 'instance-type = \"m7g.large\"'";
            let script = format!("{ctl} stop && {ctl} {edit} && {ctl} start && echo \"at $IMDS_CONTROL\"; cat");
            let mut child = who.imds(&[flag], &script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
            let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
            let place = lines.find_map(|line| line.strip_prefix("at ").map(str::to_owned)).unwrap();
            let mut ctl = who.command(&[IMDS, "ctl", "--control", &place, "show"]);
            let output = ctl.output().unwrap();
            assert!(text(&output.stdout).contains("m7g.large"), "{flag}: {}", text(&output.stderr));
            drop(child.stdin.take());
            assert_eq!(child.wait().unwrap().code(), Some(0));
        }
    }
}

/// In a user namespace, whose root limits what is made in it and nowhere else.
#[test]
fn what_the_system_does_not_allow_is_said_with_the_reason() {
    let limited = |limit: &str, words: &str| {
        let script = format!("echo 0 > /proc/sys/user/{limit} && exec {words} {IMDS} run --link-local -- true");
        Command::new("unshare").args(["--user", "--map-root-user", "sh", "-c", &script]).output()
    };
    let probe = Command::new("unshare")
        .args(["--user", "--map-root-user", "test", "-w", "/proc/sys/user/max_net_namespaces"])
        .output();
    if !probe.is_ok_and(|output| output.status.success()) {
        skipped("why there is no namespace: `unshare` makes no user namespace in which limits are set");
        return;
    }
    let without = "setpriv --bounding-set -all --inh-caps -all";
    for (limit, words, wanted) in [
        ("max_net_namespaces", "", "cannot make a network namespace for the command: user.max_net_namespaces is 0"),
        (
            "max_user_namespaces",
            without,
            "cannot make a user namespace, which --link-local takes without root: user.max_user_namespaces is 0",
        ),
    ] {
        let output = limited(limit, words).unwrap();
        let errors = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{errors}");
        assert!(errors.contains(wanted) && errors.contains(&format!("sudo sysctl user.{limit}=")), "{errors}");
    }
}
