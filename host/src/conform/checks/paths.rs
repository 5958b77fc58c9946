//! How the path of a request is read.

use super::super::subject::{ITEM, NOTHING};
use super::super::{Area, Check, Stop, Subject, not_applicable};

pub const CHECKS: &[Check] = &[
    Check::of_case("path-folder-without-final-slash-lists", Area::Paths, folder_without_final_slash),
    Check::of_case("path-item-with-final-slash-answers", Area::Paths, item_with_final_slash),
    Check::of_case("path-doubled-slashes-are-one", Area::Paths, doubled_slashes),
    Check::of_case("path-slashes-in-a-row-are-one", Area::Paths, slashes_in_a_row),
    Check::of_case("path-dot-segments-are-dropped", Area::Paths, dot_segments),
    Check::of_case("path-dot-dot-goes-up-but-not-above-the-root", Area::Paths, dot_dot),
    Check::of_case("path-percent-encoding-is-decoded", Area::Paths, percent_encoding),
    Check::of_case("path-query-is-ignored", Area::Paths, query),
    Check::of_case("path-query-of-any-kind-is-ignored", Area::Paths, query_of_any_kind),
    Check::of_case("path-below-an-item-is-not-found", Area::Paths, below_an_item),
    Check::of_case("path-unknown-is-not-found", Area::Paths, unknown),
    Check::of_case("path-has-case", Area::Paths, has_case),
    Check::of_case("path-of-any-length-is-looked-up", Area::Paths, of_any_length),
    Check::of_case("path-of-an-absolute-target-counts", Area::Paths, of_an_absolute_target),
];

/// Continues if each spelling gets the answer of the plain path.
fn are_alike(subject: &Subject<'_>, plain: &str, spellings: &[&str]) -> Result<(), Stop> {
    if subject.answers_all_paths_alike()? {
        return not_applicable("the endpoint answers all paths alike");
    }
    let answer = subject.get(plain)?.has_status(200)?;
    for spelling in spellings {
        let asked = subject.get(spelling)?.has_status(200)?;
        asked.lacks_fields(&["Location"])?.has_body_of(&answer.reply)?;
    }
    Ok(())
}

fn are_not_found(subject: &Subject<'_>, paths: &[&str]) -> Result<(), Stop> {
    for path in paths {
        subject.is_not_found(subject.get(path)?)?;
    }
    Ok(())
}

fn folder_without_final_slash(subject: &Subject<'_>) -> Result<(), Stop> {
    are_alike(subject, "/latest/", &["/latest"])?;
    are_alike(subject, "/latest/meta-data/", &["/latest/meta-data"])
}

fn item_with_final_slash(subject: &Subject<'_>) -> Result<(), Stop> {
    are_alike(subject, ITEM, &["/latest/meta-data/instance-id/"])
}

fn doubled_slashes(subject: &Subject<'_>) -> Result<(), Stop> {
    are_alike(subject, ITEM, &["/latest//meta-data/instance-id"])
}

fn slashes_in_a_row(subject: &Subject<'_>) -> Result<(), Stop> {
    are_alike(subject, ITEM, &["//latest/meta-data///instance-id"])?;
    are_alike(subject, "/", &["//"])
}

fn dot_segments(subject: &Subject<'_>) -> Result<(), Stop> {
    are_alike(subject, ITEM, &["/latest/./meta-data/instance-id"])
}

fn dot_dot(subject: &Subject<'_>) -> Result<(), Stop> {
    are_alike(subject, ITEM, &["/latest/dynamic/../meta-data/instance-id", "/../../latest/meta-data/instance-id"])
}

fn percent_encoding(subject: &Subject<'_>) -> Result<(), Stop> {
    are_alike(subject, ITEM, &["/latest/meta-data/%69nstance-id"])
}

fn query(subject: &Subject<'_>) -> Result<(), Stop> {
    are_alike(subject, ITEM, &["/latest/meta-data/instance-id?x=1"])
}

fn query_of_any_kind(subject: &Subject<'_>) -> Result<(), Stop> {
    are_alike(subject, "/", &["/?recursive=true&alt=json"])?;
    are_alike(subject, ITEM, &["/latest/meta-data/instance-id?", "/latest/meta-data/instance-id?/../../user-data"])
}

fn below_an_item(subject: &Subject<'_>) -> Result<(), Stop> {
    are_not_found(subject, &["/latest/meta-data/instance-id/hypervisor"])
}

fn unknown(subject: &Subject<'_>) -> Result<(), Stop> {
    for path in ["/2022-07-09/", NOTHING, "/latest/nothing-here", "/latest/api", "/favicon.ico"] {
        subject.get(path)?.has_status(404)?;
    }
    Ok(())
}

fn has_case(subject: &Subject<'_>) -> Result<(), Stop> {
    are_not_found(subject, &["/Latest/meta-data/instance-id", "/latest/meta-data/Instance-Id"])
}

fn of_any_length(subject: &Subject<'_>) -> Result<(), Stop> {
    let long = "x".repeat(1200);
    are_not_found(subject, &[&format!("/latest/meta-data/{long}")])?;
    are_alike(subject, ITEM, &[&format!("{ITEM}?{long}")])
}

fn of_an_absolute_target(subject: &Subject<'_>) -> Result<(), Stop> {
    let endpoint = subject.client().endpoint();
    are_alike(subject, ITEM, &[&format!("{endpoint}{ITEM}")])
}
