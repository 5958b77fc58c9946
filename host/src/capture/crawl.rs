//! The requests of a capture: everything listed in every version, and harmless refusals.

use std::collections::BTreeSet;

use super::paths::{KNOWN, escaped, secret};
use super::session::{Session, is_page, request, token_request};

/// More than any service lists.
const VERSIONS: usize = 64;
const NAMES: usize = 2048;
const DEPTH: usize = 12;
/// How many slashes `/latest/` has.
const TOP: usize = 2;

/// Sends all requests.
pub fn crawl(session: &mut Session<'_>) {
    session.begin();
    let is_open = session.ask(request("GET", "/latest/meta-data/")).is_some_and(|it| it.response.status == 200);
    let versions = versions(session);
    let mut latest = Found::default();
    folder(session, "/latest/", &mut latest);
    if !session.is_with_metadata() {
        for item in ["meta-data/instance-id", "meta-data/ami-id", "dynamic/instance-identity/document"] {
            session.get(&format!("/latest/{item}"));
        }
    }
    if !session.is_with_metadata() {
        return;
    }
    known(session, &mut latest);
    session.expect(latest.targets.len() * (versions.len() + 2));
    heads(session, &latest);
    if is_open && session.has_token() {
        for target in &latest.targets {
            session.ask(request("GET", target));
        }
    }
    refusals(session);
    for version in versions {
        let mut found = Found::default();
        folder(session, &format!("/{version}/"), &mut found);
        // Items that a version does not list may still answer there.
        let there: BTreeSet<String> = found.targets.iter().filter_map(|target| below(target)).collect();
        for target in latest.targets.iter().filter(|target| !target.ends_with('/')) {
            if let Some(path) = below(target).filter(|path| !there.contains(path)) {
                session.get(&format!("/{version}/{path}"));
            }
        }
    }
}

/// The path below a version, as written in a target.
fn below(target: &str) -> Option<String> {
    let (_, path) = target.strip_prefix('/')?.split_once('/')?;
    Some(path.to_owned())
}

/// The paths that answer below a version.
#[derive(Default)]
struct Found {
    /// The paths in their order.
    targets: Vec<String>,
    /// All paths that were requested.
    seen: BTreeSet<String>,
}

fn versions(session: &mut Session<'_>) -> Vec<String> {
    let Some(root) = session.get("/").filter(|it| it.response.status == 200) else { return Vec::new() };
    // Other text than versions is no listing.
    let is_version = |name: &&str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
    let listed = root.response.text().unwrap_or_default().lines().filter(is_version).filter_map(escaped);
    let versions: Vec<String> = listed.filter(|version| version != "latest").collect();
    for version in versions.iter().skip(VERSIONS) {
        session.miss(&request("GET", &format!("/{version}/")), "more versions are listed than a capture follows");
    }
    versions.into_iter().take(VERSIONS).collect()
}

/// Follows the listing of a folder and of all folders below it.
fn folder(session: &mut Session<'_>, target: &str, found: &mut Found) {
    let mut folders = vec![target.to_owned()];
    while let Some(target) = folders.pop() {
        if !found.seen.insert(target.clone()) {
            continue;
        }
        let Some(exchange) = session.get(&target) else {
            session.miss_below();
            continue;
        };
        if exchange.response.status != 200 || is_page(&exchange.response) {
            continue;
        }
        let text = exchange.response.text().unwrap_or_default().to_owned();
        found.targets.push(target.clone());
        // What is there is no listing: its lines are secret, and no request may show them.
        if secret(&target).is_some() {
            continue;
        }
        let depth = target.matches('/').count();
        let (mut below, mut is_odd) = (Vec::new(), false);
        for (number, line) in text.split('\n').filter(|line| !line.is_empty()).enumerate() {
            let Some(entry) = entry(&target, line.trim_end_matches('\r'), depth == TOP) else {
                if !std::mem::replace(&mut is_odd, true) {
                    session.miss(&request("GET", &target), "it lists names that no path can have");
                }
                continue;
            };
            if number >= NAMES || depth >= DEPTH {
                session.miss(&request("GET", &entry), "the listings are longer or deeper than a capture follows");
                break;
            }
            below.push(entry);
        }
        for target in below.iter().filter(|target| !target.ends_with('/')) {
            if found.seen.insert(target.clone())
                && session.get(target).is_some_and(|exchange| exchange.response.status == 200)
            {
                found.targets.push(target.clone());
            }
        }
        folders.extend(below.into_iter().rev().filter(|target| target.ends_with('/')));
    }
}

/// The target of a line of a listing.
fn entry(folder: &str, line: &str, is_top: bool) -> Option<String> {
    let (name, slash) = line.strip_suffix('/').map_or((line, ""), |name| (name, "/"));
    // The names below a version have no slash, and `0=my-key` names the folder 0.
    if is_top && slash.is_empty() && name != "user-data" {
        return Some(format!("{folder}{}/", escaped(name)?));
    }
    if folder.ends_with("/meta-data/public-keys/")
        && let Some((number, _)) = name.split_once('=')
    {
        return Some(format!("{folder}{}/", escaped(number)?));
    }
    Some(format!("{folder}{}{slash}", escaped(name)?))
}

/// The MAC address of an interface that was found.
fn mac(found: &Found) -> Option<String> {
    let macs = "meta-data/network/interfaces/macs/";
    found.targets.iter().find_map(|target| {
        let (_, rest) = target.split_once(macs)?;
        rest.strip_suffix('/').filter(|mac| !mac.is_empty() && !mac.contains('/')).map(str::to_owned)
    })
}

/// Requests items that may exist without being listed.
fn known(session: &mut Session<'_>, found: &mut Found) {
    for path in KNOWN {
        let path = match &mac(found) {
            Some(mac) => path.replace("{mac}", mac),
            None if path.contains("{mac}") => continue,
            None => (*path).to_owned(),
        };
        let target = format!("/latest/{path}");
        let is_folder = target.ends_with('/');
        let other = if is_folder { target.trim_end_matches('/').to_owned() } else { format!("{target}/") };
        if found.seen.contains(&target) || found.targets.contains(&other) {
            continue;
        }
        if is_folder {
            folder(session, &target, found);
        } else if found.seen.insert(target.clone())
            && session.get(&target).is_some_and(|exchange| exchange.response.status == 200)
        {
            found.targets.push(target);
        }
    }
}

/// Requests heads only.
fn heads(session: &mut Session<'_>, latest: &Found) {
    for target in latest.targets.iter().chain([&"/".to_owned(), &"/latest/meta-data/no-such-item".to_owned()]) {
        session.with_token(request("HEAD", target));
    }
}

/// Requests that the service refuses or answers in a special way. None of them changes
/// anything.
fn refusals(session: &mut Session<'_>) {
    const TOKEN: &str = "X-aws-ec2-metadata-token";
    // 40 bytes in base64, as a token is.
    let bad = format!("AQAE{}==", "A".repeat(50));
    for asked in [
        request("GET", "/latest/meta-data/instance-id"),
        request("GET", "/no-such-version/"),
        request("HEAD", "/latest/meta-data/"),
        request("GET", "/latest/meta-data/instance-id").with(TOKEN, &bad),
        request("HEAD", "/latest/meta-data/instance-id").with(TOKEN, &bad),
        request("GET", "/latest/api/token"),
        request("OPTIONS", "/latest/api/token"),
        token_request("0"),
        token_request("1"),
        token_request("-1"),
        token_request("21601"),
        token_request("invalid"),
        request("PUT", "/latest/api/token"),
        token_request("21600").with("X-Forwarded-For", "192.0.2.1"),
    ] {
        session.ask(asked);
    }
    for asked in [
        request("GET", "/no-such-version/"),
        request("GET", "/0000-00-00/"),
        request("GET", "/latest"),
        request("GET", "/latest/meta-data"),
        request("GET", "/latest/meta-data/no-such-item"),
        request("GET", "/latest/no-such-folder/"),
        request("GET", "/latest/meta-data/instance-id/"),
        request("GET", "/latest//meta-data/instance-id"),
        request("GET", "/latest/meta-data/%69nstance-id?x=1"),
        request("OPTIONS", "/latest/meta-data/"),
    ] {
        session.with_token(asked);
    }
}
