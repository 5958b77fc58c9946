//! What several checks need, requested once.

use std::cell::OnceCell;

use super::check::Stop;
use super::crawl::{self, Tree};
use super::subject::{ITEM, NOTHING, TOKEN};
use super::{Asked, Subject, items, not_applicable};
use crate::engine::Request;
use crate::probe::NoReply;

/// The most requests that the crawl of latest sends.
const LATEST: usize = 200;
/// The most requests that the crawl of a dated version sends.
const DATED: usize = 60;

/// What was requested, or why there is no answer.
type Once<T> = OnceCell<Result<T, NoReply>>;

/// What several checks need.
#[derive(Default)]
pub struct Seen {
    versions: Once<Versions>,
    menus: Once<Vec<Menu>>,
    latest: Once<Tree>,
    /// The dated versions that cloud-init crawls.
    of_2009: Once<Tree>,
    of_2021: Once<Tree>,
    user_data: Once<Asked>,
    refusals: Once<Vec<Asked>>,
}

/// What `/` lists.
pub struct Versions {
    /// The request for `/` and its answer.
    pub asked: Asked,
    /// The dated versions, in the order of the listing.
    pub dated: Vec<String>,
}

/// The listing of `meta-data/` under a dated version.
pub struct Menu {
    pub version: String,
    pub asked: Asked,
}

impl Menu {
    /// The names in it; none if there is no menu.
    pub fn names(&self) -> Vec<&str> {
        if self.asked.reply.status == 200 { crawl::names(&self.asked.reply.body) } else { Vec::new() }
    }
}

impl Versions {
    /// The last version that is older than this one.
    pub fn before(&self, version: &str) -> Option<&str> {
        self.dated.iter().map(String::as_str).filter(|dated| *dated < version).max()
    }

    /// The first listed version that is this one or newer.
    pub fn from(&self, version: &str) -> Option<&str> {
        self.dated.iter().map(String::as_str).filter(|dated| *dated >= version).min()
    }
}

/// Requests it once, even if nothing answers.
fn once<T>(cell: &Once<T>, look: impl FnOnce() -> Result<T, Stop>) -> Result<&T, Stop> {
    if cell.get().is_none() {
        let looked = match look() {
            Ok(found) => Ok(found),
            Err(Stop::NoReply(none)) => Err(none),
            Err(stop) => return Err(stop),
        };
        let _ = cell.set(looked);
    }
    match cell.get() {
        Some(Ok(found)) => Ok(found),
        Some(Err(none)) => Err(Stop::NoReply(none.clone())),
        None => not_applicable("it could not be looked at"),
    }
}

impl Subject<'_> {
    /// Everything that `latest` shows.
    pub fn latest(&self) -> Result<&Tree, Stop> {
        once(&self.seen.latest, || Tree::crawl(self, "latest", LATEST))
    }

    /// What 2009-04-04 shows, which cloud-init falls back to.
    pub fn of_2009(&self) -> Result<&Tree, Stop> {
        once(&self.seen.of_2009, || Tree::crawl(self, "2009-04-04", DATED))
    }

    /// What 2021-03-23 shows, which cloud-init asks for first.
    pub fn of_2021(&self) -> Result<&Tree, Stop> {
        once(&self.seen.of_2021, || Tree::crawl(self, "2021-03-23", DATED))
    }

    /// The user data of latest, or that there is none.
    pub fn user_data(&self) -> Result<&Asked, Stop> {
        once(&self.seen.user_data, || self.get("/latest/user-data"))
    }

    /// An answer to each request that is to be refused, with the status that it is to have.
    /// Those that have another one break other rules, and are left out.
    pub fn refusals(&self) -> Result<&[Asked], Stop> {
        let refusals = once(&self.seen.refusals, || {
            let mut refusals = Vec::new();
            for (status, request) in [
                (400, Self::token_request("21601")),
                (400, Self::token_request("-1")),
                (400, Self::token_request("invalid")),
                // Where tokens are optional, the first of these gets the item.
                (401, Request::get(ITEM)),
                (401, Request::get(ITEM).with(TOKEN, "invalid")),
                (403, Self::token_request("60").with("X-Forwarded-For", "192.0.2.1")),
                (405, Request::get("/latest/api/token")),
                (404, self.with_token(Request::get(NOTHING))?),
            ] {
                let asked = self.ask(request)?;
                if asked.reply.status == status {
                    refusals.push(asked);
                }
            }
            Ok(refusals)
        })?;
        Ok(refusals)
    }

    /// What `/` lists, whether it is a listing or not.
    pub fn root(&self) -> Result<&Versions, Stop> {
        once(&self.seen.versions, || {
            let asked = self.get("/")?;
            let mut dated = Vec::new();
            if asked.reply.status == 200 {
                let names = crawl::names(&asked.reply.body).into_iter().map(|name| name.trim_end_matches('/'));
                dated.extend(names.filter(|name| is_dated(name)).map(str::to_owned));
            }
            Ok(Versions { asked, dated })
        })
    }

    /// The dated versions, if there are any.
    pub fn versions(&self) -> Result<&Versions, Stop> {
        let versions = self.root()?;
        if versions.dated.is_empty() { not_applicable("`/` lists no dated version") } else { Ok(versions) }
    }

    /// The menus of the dated versions that the endpoint lists and that are known.
    pub fn menus(&self) -> Result<&[Menu], Stop> {
        let versions = self.versions()?;
        let menus = once(&self.seen.menus, || {
            let known = versions.dated.iter().filter(|version| items::VERSIONS.contains(&version.as_str()));
            let menu = |version: &String| {
                let asked = self.get(&format!("/{version}/meta-data/"))?;
                Ok(Menu { version: version.clone(), asked })
            };
            known.map(menu).collect()
        })?;
        Ok(menus)
    }

    /// The item at a path of latest, if there is one.
    pub fn item(&self, path: &str) -> Result<Option<String>, Stop> {
        Ok(self.latest()?.find(path).map(|entry| entry.text().into_owned()))
    }
}

/// Whether a name is that of a dated version: `1.0` or `2021-03-23`.
pub fn is_dated(name: &str) -> bool {
    let is_date = |name: &str| {
        let mut parts = name.split('-');
        let mut digits = |length| parts.next().is_some_and(|part| is_digits(part, length));
        digits(4) && digits(2) && digits(2) && parts.next().is_none()
    };
    name == "1.0" || is_date(name)
}

fn is_digits(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit())
}
