//! Paths of the service and names in them.

use super::ends_a_line;
use crate::description::problem::shown;
use crate::version::Version;

texts! {
    /// A name that can stand in a path, of at most 255 bytes, as in a file system.
    Segment {
        "^[^/%?#\\x00-\\x1f\\x7f]{1,255}$",
        "expected a name that can stand in a path: 1 to 255 bytes, not `.` or `..`, without `/`, `%`, `?`, `#` and spaces at its ends",
        |name| name.len() <= 255 && is_segment(name)
    }
    /// A path with the version, of which `*` stands for any one segment.
    PathPattern {
        "^(/[^/%?#\\x00-\\x1f\\x7f]+)+$",
        "expected a path such as /latest/api/token or, for every version, /*/meta-data/iam",
        |text| text.strip_prefix('/').is_some_and(|path| path.split('/').all(is_segment))
    }
    /// The path of an extra entry, below a version or with one before it.
    EntryPath {
        "^([^/]+/)?(meta-data|dynamic)(/[^/%?#\\x00-\\x1f\\x7f]+)+$",
        "expected a path of at most 512 bytes such as meta-data/fabric/rack or, in one version only, 2009-04-04/meta-data/mac",
        |text| {
            let path = match text.split_once('/') {
                Some((first, rest)) if Version::named(first).is_some() => rest,
                _ => text,
            };
            let mut names = path.split('/');
            text.len() <= ENTRY_PATH_BYTES_MAX && matches!(names.next(), Some("meta-data" | "dynamic")) && path.contains('/') && names.all(is_segment)
        },
        entry_help
    }
}

/// What was meant by the path of an extra entry that is none. People paste what
/// clients ask for, with a version, or leave out what all paths begin with.
fn entry_help(text: &str) -> Option<String> {
    let fits = |path: &&str| path.parse::<EntryPath>().is_ok();
    let path = text.split_once("://").map_or(text, |(_, rest)| rest.split_once('/').map_or("", |(_, path)| path));
    let path = path.trim_matches('/');
    if path.split('/').any(|name| name == "user-data") {
        return Some("user data is not an entry: it is the field `user-data` of the instance".to_owned());
    }
    let below = path
        .split_once('/')
        .map(|(_, below)| below)
        .filter(|below| below.starts_with("meta-data/") || below.starts_with("dynamic/"));
    match below.filter(fits) {
        Some(below) if fits(&path) => Some(format!(
            "did you mean `{}`, in every version? `{}`, without a slash before it, is in this version only",
            shown(below),
            shown(path)
        )),
        Some(below) => Some(format!(
            "`{}` is no version of the service; `{}` is in every version",
            shown(path.split('/').next().unwrap_or_default()),
            shown(below)
        )),
        None if fits(&path) => {
            Some(format!("did you mean `{}`? The path has no slash before or behind it", shown(path)))
        }
        None => {
            let path = format!("meta-data/{path}");
            fits(&path.as_str()).then(|| format!("did you mean `{}`?", shown(&path)))
        }
    }
}

/// More than the longest path of the service by far.
const ENTRY_PATH_BYTES_MAX: usize = 512;

fn is_segment(name: &str) -> bool {
    // A client that reads `%`, `?` or `#` in a listing and asks for it as it
    // stands does not mean the same name.
    let fits = |c: char| !ends_a_line(c) && !['/', '%', '?', '#'].contains(&c);
    // Clients cut white space off the lines of a listing.
    !name.is_empty() && name != "." && name != ".." && name.trim() == name && name.chars().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_an_entry_lies_below_a_folder_of_a_version() {
        for path in ["meta-data/a", "dynamic/a/b", "2009-04-04/meta-data/mac", "latest/meta-data/a"] {
            assert!(path.parse::<EntryPath>().is_ok(), "{path}");
        }
        for wrong in [
            "",
            "meta-data",
            "meta-data/",
            "/meta-data/a",
            "meta-data//a",
            "meta-data/../a",
            "user-data",
            "2009-04-05/meta-data/mac",
            "api/token",
            "meta-data/a%41",
            "meta-data/a?b",
        ] {
            assert!(wrong.parse::<EntryPath>().is_err(), "{wrong}");
        }
    }
}
