//! Statuses and bodies of refusals.

use super::super::{Area, Check, Stop, Subject};

pub const CHECKS: &[Check] = &[Check::of_case("not-found-is-a-page-of-339-bytes", Area::Errors, not_found_is_a_page)];

fn not_found_is_a_page(subject: &Subject<'_>) -> Result<(), Stop> {
    let asked = subject.get("/latest/meta-data/no-such-item")?.has_status(404)?;
    if asked.reply.body.len() == 339 {
        Ok(())
    } else {
        Err(asked.broken("the page of 339 bytes", format!("{} bytes", asked.reply.body.len())))
    }
}
