use std::collections::{HashMap, VecDeque};

/// Values by number, of which it keeps a few: those used lately.
///
/// What makes room is found by second chances: the values stand in a queue, and
/// one that was used since it was put there goes to its end once more. So a use
/// costs no more than finding the value, and making room a constant time on
/// average, since every second chance was paid for by a use.
pub(crate) struct Recent<T> {
    values: HashMap<u64, Kept<T>>,
    /// The number of each value, once.
    queue: VecDeque<u64>,
}

struct Kept<T> {
    value: T,
    is_used: bool,
}

impl<T> Recent<T> {
    pub(crate) fn new() -> Self {
        Self { values: HashMap::new(), queue: VecDeque::new() }
    }

    /// A value, which counts as a use.
    pub(crate) fn get(&mut self, number: u64) -> Option<&T> {
        let kept = self.values.get_mut(&number)?;
        kept.is_used = true;
        Some(&kept.value)
    }

    /// Takes out a value that was not used for long, where there are `most` or
    /// more. Once it gives none, there is room for one.
    pub(crate) fn make_room(&mut self, most: usize) -> Option<T> {
        if self.values.len() < most.max(1) {
            return None;
        }
        // Ends after one round at the latest: then nothing counts as used.
        while let Some(number) = self.queue.pop_front() {
            match self.values.get_mut(&number) {
                Some(kept) if kept.is_used => {
                    kept.is_used = false;
                    self.queue.push_back(number);
                }
                _ => return self.values.remove(&number).map(|kept| kept.value),
            }
        }
        None
    }

    /// Puts in a value under a number that has none.
    pub(crate) fn insert(&mut self, number: u64, value: T) {
        self.values.insert(number, Kept { value, is_used: false });
        self.queue.push_back(number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays_and_what_is_not_makes_room() {
        let mut recent = Recent::new();
        for number in 0..3 {
            assert_eq!(recent.make_room(3), None);
            recent.insert(number, number);
        }
        assert_eq!(recent.get(0), Some(&0));
        assert_eq!(recent.make_room(3), Some(1));
        recent.insert(3, 3);
        assert_eq!(recent.make_room(3), Some(2));
        recent.insert(4, 4);
        // Its second chance is over, as it was not used again.
        assert_eq!(recent.make_room(3), Some(0));
        assert_eq!(recent.get(0), None);
    }

    #[test]
    fn there_is_room_where_all_were_used() {
        let mut recent = Recent::new();
        (0..3).for_each(|number| recent.insert(number, number));
        (0..3).for_each(|number| assert!(recent.get(number).is_some()));
        assert_eq!(recent.make_room(3), Some(0));
    }

    #[test]
    fn a_lower_limit_takes_out_as_many_as_it_needs() {
        let mut recent = Recent::new();
        (0..5).for_each(|number| recent.insert(number, number));
        let mut out = Vec::new();
        while let Some(number) = recent.make_room(2) {
            out.push(number);
        }
        assert_eq!(out, [0, 1, 2, 3]);
        recent.insert(9, 9);
        assert_eq!(recent.make_room(0), Some(4));
    }

    #[test]
    fn a_number_that_comes_again_stands_in_the_queue_once() {
        let mut recent = Recent::new();
        for _ in 0..1000 {
            while recent.make_room(2).is_some() {}
            recent.insert(7, 7);
            while recent.make_room(1).is_some() {}
        }
        assert!(recent.queue.is_empty());
    }
}
