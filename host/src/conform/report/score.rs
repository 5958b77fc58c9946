use super::{Judged, Outcome};

/// How many checks held, and their weight: a recorded rule weighs three times as much as an
/// inferred one, a documented rule twice as much.
///
/// ```
/// assert_eq!(imds_host::conform::Score::default().percent(), None);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Score {
    /// The checks that held.
    pub held: usize,
    /// The checks that were broken or had no answer.
    pub broken: usize,
    /// The checks that do not apply to this endpoint.
    pub not_applicable: usize,
    weight_held: u32,
    weight_broken: u32,
}

impl Score {
    /// The score of checks, without those of unrecorded rules.
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

    /// The weight that held in percent of the weight judged, rounded down, so that 100
    /// means that nothing is broken; `None` if no check was judged.
    pub fn percent(&self) -> Option<u32> {
        (self.weight_held * 100).checked_div(self.weight_held + self.weight_broken)
    }
}
