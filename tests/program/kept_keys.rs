//! The keys of identity documents that are kept for a user where no flag names a
//! file of them.

use super::certificates::Folder;
use super::*;

/// An instance whose document is the same at each start.
const INSTANCE: &str = "launch-time = '2026-10-01T00:00:00Z'\n";

/// The command `imds` for a user whose state directory is this one.
fn imds_of(state: &Folder) -> Command {
    let mut imds = Command::new(IMDS);
    imds.env("XDG_STATE_HOME", &state.path).current_dir(&state.path);
    imds
}

/// The signature that a client gets from `imds serve` with these flags.
fn signature(mut imds: Command, flags: &[&str]) -> String {
    let file = File::new(&format!("launched-{:?}.toml", thread::current().id()), INSTANCE);
    imds.args(["serve", "--listen", "127.0.0.1:0", "--instance"]).arg(&file.path).args(flags);
    let served = Served::spawn(imds, 1);
    let answer = served.request(
        "GET /latest/dynamic/instance-identity/signature HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    );
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    answer.split("\r\n\r\n").nth(1).unwrap().to_owned()
}

#[test]
fn a_first_start_keeps_its_keys_for_the_next() {
    let state = Folder::new("kept");
    let first = signature(imds_of(&state), &[]);
    let kept = state.read("imds/identity-keys.pem");
    assert_eq!(fs::read_dir(state.path.join("imds")).unwrap().count(), 1, "nothing is left over");
    #[cfg(unix)]
    for (name, mode) in [("imds", 0o700), ("imds/identity-keys.pem", 0o600)] {
        use std::os::unix::fs::PermissionsExt;
        let found = fs::metadata(state.path.join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(found, mode, "{name}");
    }
    assert_eq!(signature(imds_of(&state), &[]), first);

    // Certificates are those of these keys.
    let output = imds_of(&state).arg("certificates").output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("identity-keys.pem"), "{}", text(&output.stderr));
    let by_name = imds_of(&state)
        .args(["certificates", "--identity-keys", "imds/identity-keys.pem", "--out", "imds"])
        .output()
        .unwrap();
    assert!(by_name.status.success(), "{}", text(&by_name.stderr));
    assert_eq!(state.read("rsa.pem"), state.read("imds/rsa.pem"));

    // A flag wins, and nothing is kept where nobody wants it.
    let other =
        imds_of(&state).args(["certificates", "--identity-keys", "other.pem", "--out", "imds"]).output().unwrap();
    assert!(other.status.success(), "{}", text(&other.stderr));
    assert_ne!(signature(imds_of(&state), &["--identity-keys", "other.pem"]), first);
    assert_ne!(signature(imds_of(&state), &["--forget-identity-keys"]), first);
    assert_eq!(state.read("imds/identity-keys.pem"), kept);
}

// Its command is one of Unix.
#[cfg(unix)]
#[test]
fn nothing_is_kept_where_it_is_not_wanted() {
    let state = Folder::new("forgotten");
    signature(imds_of(&state), &["--forget-identity-keys"]);
    let output = imds_of(&state).args(["run", "--identity-keys", "keys.pem", "--", "true"]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(!state.path.join("imds").exists());
}

#[cfg(unix)]
#[test]
fn without_a_home_keys_end_with_the_process_and_nobody_is_bothered() {
    let state = Folder::new("homeless");
    // One that is not absolute counts as none, a directory that cannot be written is as good as none.
    for home in [None, Some("state"), Some("/proc/imds-state"), Some("/dev/null/state")] {
        let mut imds = imds_of(&state);
        imds.env_remove("HOME").env_remove("XDG_STATE_HOME");
        if let Some(home) = home {
            imds.env("XDG_STATE_HOME", home);
        }
        // It would fail at a line before the one that says where it listens.
        signature(imds, &[]);
    }
    assert_eq!(fs::read_dir(&state.path).unwrap().count(), 0);
    let output = imds_of(&state).env_remove("HOME").env_remove("XDG_STATE_HOME").arg("certificates").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let errors = text(&output.stderr);
    assert!(
        errors.contains("there is no directory to keep keys in: ") && errors.contains("--identity-keys"),
        "{errors}"
    );
}

/// With `sudo`, HOME may be that of the user who called it.
#[cfg(target_os = "linux")]
#[test]
fn nothing_is_written_into_a_directory_of_another_user() {
    let state = Folder::new("foreign");
    if std::os::unix::fs::chown(&state.path, Some(12_345), None).is_err() {
        skipped("only root gives directories away");
        return;
    }
    signature(imds_of(&state), &[]);
    let mut home = imds_of(&state);
    home.env_remove("XDG_STATE_HOME").env("HOME", &state.path);
    signature(home, &[]);
    assert_eq!(fs::read_dir(&state.path).unwrap().count(), 0);

    // With keys in it, whoever made certificates from them is warned.
    let run = || text(&imds_of(&state).args(["run", "--", "true"]).output().unwrap().stderr).to_owned();
    assert!(!run().contains("belong to another user"));
    fs::create_dir(state.path.join("imds")).unwrap();
    fs::write(state.path.join("imds/identity-keys.pem"), "").unwrap();
    let errors = run();
    assert!(errors.contains("belong to another user") && errors.contains("--identity-keys "), "{errors}");
}

#[cfg(unix)]
#[test]
fn the_state_directory_of_a_unit_comes_first_and_a_home_last() {
    let [unit, state] = ["unit", "state"].map(Folder::new);
    let run = |imds: &mut Command| imds.arg("certificates").current_dir(&unit.path).output().unwrap();
    let output = run(imds_of(&state).env("STATE_DIRECTORY", &unit.path));
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(unit.path.join("imds/identity-keys.pem").exists());
    assert!(!state.path.join("imds").exists());
    let output = run(imds_of(&state).env_remove("XDG_STATE_HOME").env("HOME", &state.path));
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(state.path.join(".local/state/imds/identity-keys.pem").exists());
}

#[cfg(unix)]
#[test]
fn damaged_keys_are_named_and_left_alone() {
    use std::os::unix::fs::PermissionsExt;

    let state = Folder::new("damaged");
    let file = state.path.join("imds/identity-keys.pem");
    fs::create_dir(state.path.join("imds")).unwrap();
    let wrong = |content: Option<&str>| {
        content.iter().for_each(|content| fs::write(&file, content).unwrap());
        if content.is_some() {
            fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
        }
        let output = imds_of(&state).args(["run", "--", "true"]).output().unwrap();
        assert!(output.status.success());
        let errors = text(&output.stderr);
        assert!(errors.starts_with("imds: warning: ") && errors.contains("Remove the file"), "{errors}");
        assert_eq!(errors.lines().count(), 1, "{errors}");
        errors
    };
    let errors = wrong(Some("hunter2"));
    assert!(errors.contains("identity-keys.pem: ") && errors.contains("there is no DSA key"), "{errors}");
    assert!(!errors.contains("hunter2"), "{errors}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "hunter2");
    fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink("gone.pem", &file).unwrap();
    let errors = wrong(None);
    assert!(errors.contains("is a symbolic link to ") && errors.contains("imds/gone.pem, which does not"), "{errors}");
}
