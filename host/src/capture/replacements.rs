//! Finds any of many texts, and replaces them, in one pass over a text.

use std::ops::Range;

/// Texts to find, each with what replaces it.
pub struct Replacements {
    /// Sorted by the text to find.
    all: Vec<Replacement>,
    /// Whether a text to find begins with bytes of this hash: most places of a text need no
    /// search.
    begins: Vec<bool>,
}

struct Replacement {
    from: Vec<u8>,
    to: Vec<u8>,
    /// The longest other text to find that this one begins with.
    shorter: Option<usize>,
}

/// How many bytes are hashed. No text to find is shorter.
const BEGIN: usize = 4;

/// Of 16 bits, by Fibonacci's method.
fn hash(begin: [u8; BEGIN]) -> usize {
    (u32::from_le_bytes(begin).wrapping_mul(0x9E37_79B1) >> 16) as usize
}

impl Replacements {
    /// Texts to find that are shorter than `length_min`, or than four bytes, are left out.
    pub fn new(pairs: impl IntoIterator<Item = (Vec<u8>, Vec<u8>)>, length_min: usize) -> Self {
        let mut all: Vec<_> = pairs
            .into_iter()
            .filter(|(from, _)| from.len() >= length_min.max(BEGIN))
            .map(|(from, to)| Replacement { from, to, shorter: None })
            .collect();
        all.sort_by(|one, other| one.from.cmp(&other.from));
        let mut begins = vec![false; 1 << 16];
        // What the text before begins with, and that text itself.
        let mut open = Vec::<usize>::new();
        for place in 0..all.len() {
            while open.pop_if(|before| !all[place].from.starts_with(&all[*before].from)).is_some() {}
            all[place].shorter = open.last().copied();
            open.push(place);
            if let Some(begin) = all[place].from.first_chunk() {
                begins[hash(*begin)] = true;
            }
        }
        Self { all, begins }
    }

    /// Whether a text contains any of those to find.
    pub fn is_in(&self, text: &[u8]) -> bool {
        self.next(text).is_some()
    }

    /// The text with all replaced, or `None` if it contains none. Where several begin, the
    /// longest is replaced.
    pub fn written(&self, text: &[u8]) -> Option<Vec<u8>> {
        let (mut out, mut rest) = (Vec::new(), text);
        while let Some((start, found)) = self.next(rest) {
            out.extend_from_slice(&rest[..start]);
            out.extend_from_slice(&found.to);
            rest = &rest[start + found.from.len()..];
        }
        (rest.len() < text.len()).then(|| {
            out.extend_from_slice(rest);
            out
        })
    }

    /// Where the texts to find are in a text, in order.
    pub fn places(&self, text: &[u8]) -> Vec<Range<usize>> {
        let (mut places, mut begun) = (Vec::new(), 0);
        while let Some((start, found)) = self.next(&text[begun..]) {
            let start = begun + start;
            begun = start + found.from.len();
            places.push(start..begun);
        }
        places
    }

    fn next(&self, text: &[u8]) -> Option<(usize, &Replacement)> {
        (0..text.len()).find_map(|start| {
            let text = &text[start..];
            let begin = text.first_chunk().filter(|begin| self.begins[hash(**begin)]);
            begin.and_then(|_| self.at_begin(text)).map(|found| (start, found))
        })
    }

    /// The longest that a text begins with.
    fn at_begin(&self, text: &[u8]) -> Option<&Replacement> {
        // Whatever the text begins with is not after the text, and the last one that is
        // not after it begins with all of them.
        let mut place = self.all.partition_point(|it| it.from.as_slice() <= text).checked_sub(1)?;
        loop {
            let candidate = &self.all[place];
            if text.starts_with(&candidate.from) {
                return Some(candidate);
            }
            place = candidate.shorter?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(pairs: &[(&str, &str)], text: &str) -> Option<String> {
        let pairs = pairs.iter().map(|(from, to)| (from.as_bytes().to_vec(), to.as_bytes().to_vec()));
        let written = Replacements::new(pairs, 4).written(text.as_bytes())?;
        Some(String::from_utf8(written).unwrap())
    }

    #[test]
    fn the_longest_of_those_that_begin_at_a_place_is_replaced() {
        let pairs = [("abcd", "1"), ("abcdef", "2"), ("abcdefgz", "3"), ("abcdx", "4"), ("cdefgh", "5"), ("b", "6")];
        for (text, expected) in [
            ("abcd", "1"),
            ("abcdefgz", "3"),
            // Not the third, but one that it begins with.
            ("-abcdefgh", "-2gh"),
            ("abcdeabcdx", "1e4"),
            ("abcdabcd", "11"),
            ("bcdefgh.abc", "b5.abc"),
        ] {
            assert_eq!(written(&pairs, text).as_deref(), Some(expected), "{text}");
        }
        for text in ["", "b", "abc", "bcdefg"] {
            assert_eq!(written(&pairs, text), None, "{text}");
        }
    }

    /// One search for each text to find would compare some 10^10 bytes here.
    #[test]
    fn many_are_found_in_one_pass() {
        let secret = |number: u32| format!("IQoJb3JpZ2luX2Vj{number:08}");
        let pairs: Vec<_> = (0..20_000).map(|number| (secret(number).into_bytes(), b"made".to_vec())).collect();
        let text: String = (0..20_000).map(|number| secret(number * 2) + "\n").collect();
        let begun = std::time::Instant::now();
        let written = String::from_utf8(Replacements::new(pairs, 16).written(text.as_bytes()).unwrap()).unwrap();
        assert_eq!(written.matches("made\n").count(), 10_000);
        assert_eq!(written.matches("IQoJ").count(), 10_000);
        assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
    }
}
