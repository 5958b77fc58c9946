//! `imds certificates`: keys and certificates of identity documents.

use super::*;

fn certificates(folder: &Folder, keys: &str) -> Output {
    Command::new(IMDS).args(["certificates", "--identity-keys", keys]).current_dir(&folder.path).output().unwrap()
}

#[test]
fn keys_are_made_once_and_for_their_owner_alone() {
    let folder = Folder::new("keys");
    let first = certificates(&folder, "keys.pem");
    assert_eq!(text(&first.stdout), "./dsa.pem\n./rsa.pem\n./rsa2048.pem\n");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(folder.path.join("keys.pem")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let files = ["keys.pem", "dsa.pem", "rsa.pem", "rsa2048.pem"];
    let made = files.map(|name| folder.read(name));
    assert!(made[0].starts_with("-----BEGIN PRIVATE KEY-----\n"));
    assert!(made[1..].iter().all(|file| file.starts_with("-----BEGIN CERTIFICATE-----\n")));

    assert!(certificates(&folder, "keys.pem").status.success());
    assert_eq!(files.map(|name| folder.read(name)), made);
    assert_eq!(fs::read_dir(&folder.path).unwrap().count(), files.len());
}

#[test]
fn a_file_that_is_no_certificate_is_not_replaced() {
    let folder = Folder::new("replaced");
    let output = certificates(&folder, "rsa.pem");
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("rsa.pem exists and is no certificate"));
    assert!(folder.read("rsa.pem").starts_with("-----BEGIN PRIVATE KEY-----\n"));
}

#[test]
fn keys_that_cannot_be_read_end_with_2() {
    let folder = Folder::new("unreadable");
    fs::write(folder.path.join("empty.pem"), "").unwrap();
    fs::write(folder.path.join("pkcs1.pem"), "-----BEGIN RSA PRIVATE KEY-----\n").unwrap();
    for (keys, said) in [
        (
            "empty.pem",
            "imds: cannot read the keys in empty.pem: the identity document cannot be signed: there is no DSA key",
        ),
        ("pkcs1.pem", "in the form RSA PRIVATE KEY"),
        (".", "imds: cannot read .: "),
    ] {
        let output = certificates(&folder, keys);
        assert_eq!(output.status.code(), Some(2), "{keys}");
        let errors = text(&output.stderr);
        assert!(errors.contains(said), "{errors}");
    }
}

#[cfg(unix)]
#[test]
fn what_a_process_left_behind_is_in_nobodys_way() {
    let folder = Folder::new("left-behind");
    // In a container every start is process 1.
    let script = "touch keys.pem.$$; exec \"$0\" certificates --identity-keys keys.pem";
    let output = Command::new("sh").args(["-c", script, IMDS]).current_dir(&folder.path).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(folder.read("keys.pem").starts_with("-----BEGIN PRIVATE KEY-----\n"));
}

#[test]
fn starts_at_the_same_time_have_the_same_keys() {
    let folder = Folder::new("at-once");
    let start = |out: &str| {
        fs::create_dir(folder.path.join(out)).unwrap();
        let mut imds = Command::new(IMDS);
        imds.args(["certificates", "--identity-keys", "keys.pem", "--out", out]).current_dir(&folder.path);
        imds.stdout(Stdio::null()).spawn().unwrap()
    };
    let outs = ["1", "2", "3"];
    let processes = outs.map(start);
    for mut process in processes {
        assert!(process.wait().unwrap().success());
    }
    let [first, second, third] = outs.map(|out| folder.read(&format!("{out}/rsa2048.pem")));
    assert!(first == second && second == third);
    assert_eq!(fs::read_dir(&folder.path).unwrap().count(), 4, "nothing is left over");
}

#[cfg(unix)]
#[test]
fn a_link_to_nothing_is_called_that() {
    let folder = Folder::new("dangling");
    std::os::unix::fs::symlink("secret/keys.pem", folder.path.join("keys.pem")).unwrap();
    let output = certificates(&folder, "keys.pem");
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        text(&output.stderr),
        "imds: keys.pem is a symbolic link to secret/keys.pem, which does not exist; remove the link, or have the keys \
         made where it points: --identity-keys secret/keys.pem\n"
    );
    assert_eq!(fs::read_dir(&folder.path).unwrap().count(), 1);
}

/// A directory of this test run; removed when dropped.
pub struct Folder {
    pub path: PathBuf,
}

impl Folder {
    pub fn new(name: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("program").join(name);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self { path }
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path.join(name)).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}
