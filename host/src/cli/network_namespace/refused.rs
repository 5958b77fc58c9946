// Why the system makes no namespace, and what to do about it.

use std::io::{self, ErrorKind};
use std::{env, fs};

use rustix::io::Errno;
use rustix::process::Uid;

use super::linux::Kind;

/// The error of a namespace that could not be made for a user.
pub fn refused(kind: Kind, user: Uid, error: io::Error) -> anyhow::Error {
    let read = |file: &str| fs::read_to_string(file).ok();
    let program = env::current_exe().map_or_else(|_| "imds".into(), |program| program.display().to_string());
    let Refusal { reason, mut help } = Refusal::of(kind, &error, &program, read);
    if !user.is_root() {
        help = format!("{help}, or run it as root: sudo imds run --link-local");
    }
    let what = match kind {
        Kind::User => "a user namespace, which --link-local takes without root",
        Kind::Network => "a network namespace for the command",
    };
    anyhow::anyhow!(
        "cannot make {what}: {reason} ({error})\n\
         help: {help}. Where neither can be, docs/networks.md has recipes with containers"
    )
}

#[derive(Debug, PartialEq)]
struct Refusal {
    reason: String,
    help: String,
}

const USERNS_CLONE: &str = "/proc/sys/kernel/unprivileged_userns_clone";
const APPARMOR: &str = "/proc/sys/kernel/apparmor_restrict_unprivileged_userns";
const STATUS: &str = "/proc/self/status";

impl Refusal {
    /// `read` gives the text of a file.
    fn of(kind: Kind, error: &io::Error, program: &str, read: impl Fn(&str) -> Option<String>) -> Self {
        let is = |file: &str, value: &str| read(file).is_some_and(|text| text.trim() == value);
        let has_filter = || {
            let status = read(STATUS).unwrap_or_default();
            status.lines().any(|line| line.strip_prefix("Seccomp:").is_some_and(|mode| mode.trim() == "2"))
        };
        let number = match kind {
            Kind::User => "user.max_user_namespaces",
            Kind::Network => "user.max_net_namespaces",
        };
        let limit = || read(&format!("/proc/sys/{}", number.replace('.', "/"))).unwrap_or_default().trim().to_owned();
        let (reason, help) = match error.raw_os_error().map(Errno::from_raw_os_error) {
            Some(Errno::NOSPC) => (
                format!("{number} is {}, and no more are made", limit()),
                format!("raise it: sudo sysctl {number}=1000"),
            ),
            Some(Errno::INVAL | Errno::NOSYS) => (
                "this kernel has none of them".to_owned(),
                "use a kernel with CONFIG_USER_NS and CONFIG_NET_NS".to_owned(),
            ),
            _ if error.kind() != ErrorKind::PermissionDenied => {
                ("the system does not allow it".to_owned(), "see what the system says above".to_owned())
            }
            _ if is(USERNS_CLONE, "0") => (
                "only root makes user namespaces here, for kernel.unprivileged_userns_clone is 0".to_owned(),
                "allow it: sudo sysctl kernel.unprivileged_userns_clone=1".to_owned(),
            ),
            _ if is(APPARMOR, "1") => (
                "AppArmor lets only programs with a profile for it use user namespaces, for \
                 kernel.apparmor_restrict_unprivileged_userns is 1"
                    .to_owned(),
                format!(
                    "give {program} a profile with `userns,`, or allow all programs: \
                     sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0"
                ),
            ),
            _ if has_filter() => (
                "a filter of system calls (seccomp) forbids it, as containers have one".to_owned(),
                "start the container with --cap-add SYS_ADMIN --cap-add NET_ADMIN".to_owned(),
            ),
            _ => (
                "the system forbids it to this process".to_owned(),
                "give it CAP_SYS_ADMIN and CAP_NET_ADMIN".to_owned(),
            ),
        };
        Self { reason, help }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exact_reason_is_said() {
        let not_permitted = Errno::PERM;
        let seccomp = "Name:\timds\nSeccomp:\t2\nSeccomp_filters:\t1\n";
        for (kind, error, files, reason, help) in [
            (Kind::User, not_permitted, &[(USERNS_CLONE, "0\n")][..], "unprivileged_userns_clone is 0", "_clone=1"),
            (
                Kind::Network,
                not_permitted,
                &[(USERNS_CLONE, "1\n"), (APPARMOR, "1\n"), (STATUS, seccomp)],
                "apparmor_restrict_unprivileged_userns is 1",
                "give /bin/imds a profile",
            ),
            (Kind::User, not_permitted, &[(APPARMOR, "0\n"), (STATUS, seccomp)], "(seccomp)", "--cap-add SYS_ADMIN"),
            (Kind::User, not_permitted, &[(STATUS, "Seccomp:\t0\n")], "to this process", "CAP_SYS_ADMIN"),
            (
                Kind::User,
                Errno::NOSPC,
                &[("/proc/sys/user/max_user_namespaces", "0\n")],
                "user.max_user_namespaces is 0",
                "sudo sysctl user.max_user_namespaces=",
            ),
            (
                Kind::Network,
                Errno::NOSPC,
                &[("/proc/sys/user/max_net_namespaces", "7\n")],
                "user.max_net_namespaces is 7",
                "sudo sysctl user.max_net_namespaces=",
            ),
            (Kind::User, Errno::INVAL, &[], "this kernel", "CONFIG_USER_NS"),
            (Kind::Network, Errno::NOMEM, &[], "does not allow it", "above"),
        ] {
            let read = |file: &str| files.iter().find(|(name, _)| *name == file).map(|(_, text)| (*text).to_owned());
            let refusal = Refusal::of(kind, &error.into(), "/bin/imds", read);
            assert!(refusal.reason.contains(reason) && refusal.help.contains(help), "{refusal:?}");
        }
    }
}
