use std::iter;
use std::ops::Range;

/// A text and where its lines begin: made once, it finds any place without
/// another walk through the text.
pub(crate) struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    pub(crate) fn of(text: &'t str) -> Self {
        let behind_ends = text.match_indices('\n').map(|(end, _)| end + 1);
        Self { text, starts: iter::once(0).chain(behind_ends).collect() }
    }

    pub(crate) fn text(&self) -> &'t str {
        self.text
    }

    /// How many lines there are, at least 1.
    pub(crate) fn count(&self) -> usize {
        self.starts.len()
    }

    /// The number of the line at `at`, from 1.
    pub(crate) fn number(&self, at: usize) -> usize {
        self.starts.partition_point(|start| *start <= at)
    }

    /// The bytes of the line of this number, without its end.
    pub(crate) fn line(&self, number: usize) -> Range<usize> {
        let start = self.starts[number - 1];
        let end = self.starts.get(number).map_or(self.text.len(), |next| next - 1);
        let end = end - usize::from(self.text[start..end].ends_with('\r'));
        start..end
    }

    /// The bytes of the line around `at`, without its end.
    pub(crate) fn around(&self, at: usize) -> Range<usize> {
        self.line(self.number(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_its_line() {
        let lines = Lines::of("ab\n\nc\r");
        let of = |at| (lines.number(at), lines.around(at));
        for at in 0..=2 {
            assert_eq!(of(at), (1, 0..2), "{at}");
        }
        assert_eq!(of(3), (2, 3..3));
        assert_eq!((of(4), of(5), of(99)), ((3, 4..5), (3, 4..5), (3, 4..5)));
        assert_eq!((lines.count(), Lines::of("").count()), (3, 1));
    }
}
