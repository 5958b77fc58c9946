use super::{Judged, Outcome};

/// How many checks held, and what they weigh: a recorded rule three times as much as one
/// that is inferred, a documented one twice.
///
/// ```
/// assert_eq!(imds_host::conform::Score::default().percent(), None);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Score {
    /// The checks that held.
    pub held: usize,
    /// The checks that did not, or had no answer.
    pub broken: usize,
    /// The checks that say nothing about this endpoint.
    pub not_applicable: usize,
    weight_held: u32,
    weight_broken: u32,
}

impl Score {
    /// That of checks, without those of unrecorded rules.
    pub(super) fn of<'j>(judged: impl IntoIterator<Item = &'j Judged>) -> Self {
        let mut score = Self::default();
        for one in judged.into_iter().filter(|judged| judged.is_scored()) {
            score.count(one);
        }
        score
    }

    pub(super) fn count(&mut self, judged: &Judged) {
        let weight = judged.check().evidence().weight();
        match judged.outcome() {
            Outcome::Held => {
                self.held += 1;
                self.weight_held += weight;
            }
            Outcome::Broken(_) | Outcome::Unanswered(_) => {
                self.broken += 1;
                self.weight_broken += weight;
            }
            Outcome::NotApplicable(_) => self.not_applicable += 1,
        }
    }

    /// The share of the weights that held, rounded down, so that 100 is whole; `None` if
    /// nothing was to be judged.
    pub fn percent(&self) -> Option<u32> {
        (self.weight_held * 100).checked_div(self.weight_held + self.weight_broken)
    }
}
