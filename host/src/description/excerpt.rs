use std::ops::Range;

use crate::description::lines::Lines;
use crate::problem::{Excerpt, Place};
use crate::redact::printable;

/// Long lines are cut to about so many characters around the place.
const CHARACTERS: usize = 120;

/// The place of `range`, with its line. Whether that may be shown is for the
/// caller to know.
pub(crate) fn place(lines: &Lines<'_>, range: Range<usize>) -> Place {
    let text = lines.text();
    let line = lines.around(range.start);
    let start = floor(text, range.start).min(line.end);
    let end = floor(text, range.end).clamp(start, line.end);
    Place {
        line: lines.number(start),
        column: text[line.start..start].chars().count() + 1,
        excerpt: excerpt(&text[line.start..start], &text[start..end], &text[end..line.end]),
    }
}

/// The line of which these are the parts; none if it is empty.
fn excerpt(before: &str, marked: &str, after: &str) -> Option<Excerpt> {
    let begin = before.char_indices().rev().nth(CHARACTERS / 2 - 1).map_or(0, |(begin, _)| begin);
    let before = &before[begin..];
    let mut room = CHARACTERS - before.chars().count();
    let mut take = |part: &str| {
        let shown: String = part.chars().take(room).flat_map(as_shown).collect();
        room -= part.chars().take(room).count();
        shown
    };
    let (marked, after) = (take(marked), take(after));
    let before: String = before.chars().flat_map(as_shown).collect();
    let text = format!("{before}{marked}{}", after.trim_end());
    let [before, marked] = [before, marked].map(|part| part.chars().count());
    (!text.trim().is_empty()).then(|| Excerpt { text, before, length: marked.max(1) })
}

/// A tab as one column.
fn as_shown(c: char) -> impl Iterator<Item = char> {
    printable(if c == '\t' { ' ' } else { c })
}

/// The nearest start of a character at or before `at`.
fn floor(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::{Problem, Problems};

    fn place_of(text: &str, part: &str) -> Place {
        let at = text.rfind(part).unwrap();
        place(&Lines::of(text), at..at + part.len())
    }

    fn marked(excerpt: &Excerpt) -> String {
        excerpt.text.chars().skip(excerpt.before).take(excerpt.length).collect()
    }

    #[test]
    fn columns_count_characters() {
        let place = place_of("x\n\"ä\" = ?", "?");
        assert_eq!((place.line, place.column), (2, 7));
        assert_eq!(place.excerpt.unwrap().before, 6);
    }

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        for text in ["x".repeat(5000) + "oops" + &"y".repeat(5000), "oops".to_owned() + &"y".repeat(5000)] {
            let excerpt = place_of(&text, "oops").excerpt.unwrap();
            assert!(excerpt.text.chars().count() <= CHARACTERS);
            assert_eq!(marked(&excerpt), "oops");
        }
        let excerpt = place_of(&"x".repeat(5000), &"x".repeat(5000)).excerpt.unwrap();
        assert_eq!((excerpt.text.chars().count(), excerpt.length), (CHARACTERS, CHARACTERS));
    }

    #[test]
    fn what_a_terminal_would_obey_is_escaped_and_marked_where_it_stands() {
        let excerpt = place_of("\t\u{1b}[31m\u{202e} = oops\r", "oops").excerpt.unwrap();
        assert_eq!(excerpt.text, r" \u{1b}[31m\u{202e} = oops");
        assert_eq!(marked(&excerpt), "oops");
    }

    #[test]
    fn a_line_of_several_is_marked_to_its_end() {
        let excerpt = place_of("a = [\n1\n]", "[\n1\n]").excerpt.unwrap();
        assert_eq!((excerpt.text.as_str(), excerpt.before, excerpt.length), ("a = [", 4, 1));
    }

    #[test]
    fn an_empty_line_is_not_shown() {
        for text in ["", " \t", "\r"] {
            assert_eq!(place(&Lines::of(text), 0..0).excerpt, None, "{text:?}");
        }
    }

    /// What draws it takes nothing amiss, wherever the place is.
    #[test]
    fn every_place_of_odd_texts_is_shown() {
        let odd =
            ["\t", "\u{1b}[2J", "\u{202e}", "\u{200d}", "e\u{301}", "👩‍👩‍👧", "東", "\u{ad}", "\0", " ", "\r", "\n", "x"];
        let text: String = (0..40).flat_map(|round| odd.iter().cycle().skip(round * 5).take(9)).copied().collect();
        let lines = Lines::of(&text);
        for start in 0..=text.len() {
            for end in [start, start + 1, start + 5, start + 400] {
                let problem = Problem {
                    field: "/a".into(),
                    in_name: false,
                    message: "wrong".into(),
                    help: None,
                    place: Some(place(&lines, start..end)),
                    set_by: None,
                };
                let has_excerpt = problem.place.as_ref().is_some_and(|place| place.excerpt.is_some());
                let shown = Problems { source: "odd".into(), list: vec![problem] }.to_string();
                assert_eq!(shown.contains('^'), has_excerpt, "{start}..{end}: {shown}");
                assert!(shown.chars().all(|c| c == '\n' || !c.is_control()), "{shown:?}");
            }
        }
    }
}
