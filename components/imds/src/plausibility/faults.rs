//! Faults that can never apply.

use super::Judge;
use super::rules::{FAULT_MATCHES_NOTHING, FAULT_NEVER_STRIKES, FAULT_SHADOWED, FAULT_UNKNOWN_METHOD};
use crate::description::problem::{Problem, shown};
use crate::description::spelling;
use crate::faults::Fault;
use crate::version::Version;

/// The registered methods. Source: IANA, "HTTP Method Registry".
const METHODS: [&str; 40] = [
    "GET",
    "HEAD",
    "PUT",
    "OPTIONS",
    "POST",
    "DELETE",
    "PATCH",
    "CONNECT",
    "TRACE",
    "ACL",
    "BASELINE-CONTROL",
    "BIND",
    "CHECKIN",
    "CHECKOUT",
    "COPY",
    "LABEL",
    "LINK",
    "LOCK",
    "MERGE",
    "MKACTIVITY",
    "MKCALENDAR",
    "MKCOL",
    "MKREDIRECTREF",
    "MKWORKSPACE",
    "MOVE",
    "ORDERPATCH",
    "PRI",
    "PROPFIND",
    "PROPPATCH",
    "QUERY",
    "REBIND",
    "REPORT",
    "SEARCH",
    "UNBIND",
    "UNCHECKOUT",
    "UNLINK",
    "UNLOCK",
    "UPDATE",
    "UPDATEREDIRECTREF",
    "VERSION-CONTROL",
];

/// What is directly below a version.
const FOLDERS: [&str; 4] = ["meta-data", "dynamic", "user-data", "api"];

/// All that can be directly below these, on any instance; a test compares with
/// what the service lists.
pub(super) const BELOW: [(&str, &[&str]); 4] = [
    ("api", &["token"]),
    ("dynamic", &["instance-identity", "fws"]),
    ("user-data", &[]),
    (
        "meta-data",
        &[
            "ami-id",
            "ami-launch-index",
            "ami-manifest-path",
            "ancestor-ami-ids",
            "autoscaling",
            "block-device-mapping",
            "elastic-gpus",
            "elastic-inference",
            "events",
            "hibernation",
            "hostname",
            "iam",
            "identity-credentials",
            "instance-action",
            "instance-id",
            "instance-life-cycle",
            "instance-type",
            "ipv6",
            "kernel-id",
            "local-hostname",
            "local-ipv4",
            "mac",
            "managed-ssh-keys",
            "metrics",
            "network",
            "placement",
            "product-codes",
            "profile",
            "public-hostname",
            "public-ipv4",
            "public-keys",
            "ramdisk-id",
            "reservation-id",
            "security-groups",
            "services",
            "spot",
            "system",
            "tag-sets",
            "tags",
        ],
    ),
];

/// Of two faults with more pairs of paths or of methods it is not said whether one shadows
/// the other: nobody writes such by hand, and 64 faults have 2016 pairs.
const PAIRS_MAX: usize = 1024;

impl Judge<'_> {
    pub(super) fn faults(&mut self) {
        let faults = &self.facts.faults;
        for (index, fault) in faults.iter().enumerate() {
            for (place, method) in fault.methods.iter().enumerate() {
                if !METHODS.contains(&method.as_str()) {
                    let at = format!("/faults/{index}/methods/{place}");
                    self.warn_with(&FAULT_UNKNOWN_METHOD, || unknown_method(method, at));
                }
            }
            for (place, path) in fault.paths.iter().enumerate() {
                if let Some(missing) = self.missing(path) {
                    let at = format!("/faults/{index}/paths/{place}");
                    self.warn_with(&FAULT_MATCHES_NOTHING, || missing.problem(path, at));
                }
            }
            if let Some((field, message)) = self.never_strikes(fault) {
                let at = |field: &str| format!("/faults/{index}{field}");
                let pointer = self.stated([at(&format!("/{field}")), at("")]);
                self.warn(&FAULT_NEVER_STRIKES, Problem::at(pointer, message));
            } else if let Some(before) = faults[..index].iter().position(|before| shadows(before, fault)) {
                let message = format!("the fault {before} before it affects all that this one would");
                let help = "of several faults that affect a request, the first counts: put the narrower one first";
                self.warn(&FAULT_SHADOWED, Problem::at(format!("/faults/{index}"), message).help(help));
            }
        }
    }

    fn never_strikes(&self, fault: &Fault) -> Option<(&'static str, String)> {
        if fault.share == 0 {
            Some(("share", "a share of 0 affects no request".to_owned()))
        } else if fault.from >= fault.until {
            Some(("until", "this fault ends when it begins".to_owned()))
        } else if self.now_for("/faults").is_some_and(|now| fault.until <= now) {
            Some(("until", format!("this fault was over at {}", fault.until.rfc3339())))
        } else {
            None
        }
    }

    /// What of a path the service does not have, on this instance or any other.
    fn missing<'p>(&self, path: &'p [String]) -> Option<Missing<'p>> {
        let mut names = path.iter().map(String::as_str);
        let version = names.next()?;
        if version != "*" && Version::named(version).is_none() {
            return Some(Missing::Version(version));
        }
        let folder = names.next().filter(|folder| *folder != "*")?;
        let Some((folder, below)) = BELOW.iter().find(|(name, _)| *name == folder) else {
            return Some(Missing::Folder(folder));
        };
        let name = names.next()?;
        let is_extra = || {
            self.facts.extra_entries.iter().any(|entry| {
                let mut entry = entry.path.split('/');
                entry.next() == Some(*folder) && entry.next().is_some_and(|other| other == name)
            })
        };
        let is_there = name == "*" && !below.is_empty() || below.contains(&name) || is_extra();
        (!is_there).then_some(Missing::Item { folder, name, below })
    }
}

/// What of a path the service does not have.
enum Missing<'p> {
    Version(&'p str),
    Folder(&'p str),
    Item { folder: &'static str, name: &'p str, below: &'static [&'static str] },
}

impl Missing<'_> {
    fn problem(&self, path: &[String], pointer: String) -> Problem {
        let did_you_mean = |near: &str| format!("did you mean `{near}`?");
        match self {
            Missing::Version(version) => {
                let problem = Problem::at(pointer, format!("no version of the service is called `{}`", shown(version)));
                problem.help(match FOLDERS.contains(version) {
                    true => {
                        format!("a path begins with a version, and `*` stands for all: /*/{}", shown(&path.join("/")))
                    }
                    false => "a path begins with a version: latest, one such as 2021-07-15, or * for all".to_owned(),
                })
            }
            Missing::Folder(folder) => {
                let problem = Problem::at(pointer, format!("nothing below a version is called `{}`", shown(folder)));
                let there_is = || format!("there is {}", spelling::list(&FOLDERS));
                problem.help(spelling::nearest(folder, &FOLDERS).map_or_else(there_is, did_you_mean))
            }
            Missing::Item { folder, name, below } => {
                let problem = Problem::at(pointer, format!("nothing in `{folder}` is called `{}`", shown(name)));
                Problem { help: spelling::nearest(name, below).map(did_you_mean), ..problem }
            }
        }
    }
}

fn unknown_method(method: &str, pointer: String) -> Problem {
    let problem = Problem::at(pointer, format!("HTTP has no method `{}`", shown(method)));
    problem.help(match spelling::nearest(method, &METHODS) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "the service knows GET, HEAD, OPTIONS, and PUT for tokens".to_owned(),
    })
}

/// Whether `before` affects every request that `fault` would affect.
fn shadows(before: &Fault, fault: &Fault) -> bool {
    let covers_paths = || {
        before.paths.is_empty()
            || !fault.paths.is_empty()
                && before.paths.len() * fault.paths.len() <= PAIRS_MAX
                && fault.paths.iter().all(|path| before.paths.iter().any(|wider| is_wider(wider, path)))
    };
    let covers_methods = || {
        before.methods.is_empty()
            || !fault.methods.is_empty()
                && before.methods.len() * fault.methods.len() <= PAIRS_MAX
                && fault.methods.iter().all(|method| before.methods.contains(method))
    };
    before.share == Fault::ALL
        && before.from <= fault.from
        && before.until >= fault.until
        && covers_methods()
        && covers_paths()
}

/// Whether `wider` stands for all paths that `path` stands for.
fn is_wider(wider: &[String], path: &[String]) -> bool {
    wider.len() <= path.len() && wider.iter().zip(path).all(|(wider, name)| wider == "*" || wider == name)
}
