//! What keys and tokens look like, in any text: whole or in pieces, in any case,
//! percent-encoded any number of times.
//!
//! Keys and tokens are random, words are not. In random text the kind of
//! character changes often (capitals, small letters, digits), and letters follow
//! one another that seldom do in words. Each such surprise adds to a score, each
//! character takes a little from it, and separators do nothing: so the score
//! rises over a secret, however it is split, and falls over words. Where it rises
//! above a limit, a secret is found. One pass finds all of them.

use std::borrow::Cow;
use std::ops::Range;

use super::letters::is_rare;

/// What a surprise adds to the score.
const SURPRISE: i32 = 4;
/// What each character takes from it.
const CHARACTER: i32 = 1;
/// The score of a secret. Secret keys of 40 characters score 60 or so, tokens
/// more; of the user agents, hosts and paths that the tests have, none 16.
const SECRET: i32 = 20;
/// So far the score falls behind a secret until that is over.
const BEHIND: i32 = 16;
/// What a score begins with where a name begins as keys and tokens do.
const PREFIX: i32 = 8;

/// No word is longer, of letters and digits alone: as long as the name of a role
/// may be.
const WORD_BYTES_MAX: usize = 64;
/// As long as the shortest hash; ids of EC2 have 8 or 17 digits.
const HEX_BYTES: usize = 32;
/// The longest piece that says nothing by itself, but together with others.
const PIECE_BYTES_MAX: usize = 4;

/// Where secrets are in a text, in order.
pub(crate) fn secrets(text: &str) -> Vec<Range<usize>> {
    let decoded = Decoded::of(text.as_bytes());
    let mut search = Search { bytes: &decoded.bytes, found: Vec::new(), score: 0, start: 0, best: 0, best_end: 0 };
    search.run();
    search.found.into_iter().map(|range| decoded.place(range)).collect()
}

/// A text without its percent-encoding, and where its bytes come from.
pub(super) struct Decoded<'t> {
    pub(super) bytes: Cow<'t, [u8]>,
    /// Where each byte begins, and the end; empty where nothing was encoded.
    places: Vec<usize>,
}

impl<'t> Decoded<'t> {
    pub(super) fn of(text: &'t [u8]) -> Self {
        if !text.contains(&b'%') {
            return Self { bytes: Cow::Borrowed(text), places: Vec::new() };
        }
        let (mut bytes, mut places, mut at) = (Vec::with_capacity(text.len()), Vec::with_capacity(text.len()), 0);
        while at < text.len() {
            let (byte, length) = first(&text[at..]);
            bytes.push(byte);
            places.push(at);
            at += length;
        }
        places.push(at);
        Self { bytes: Cow::Owned(bytes), places }
    }

    pub(super) fn place(&self, range: Range<usize>) -> Range<usize> {
        let place = |at: usize| self.places.get(at).copied().unwrap_or(at);
        place(range.start)..place(range.end)
    }
}

/// The first byte of a text that is not empty, decoded as often as it was
/// encoded, and its length there: `%2F` and `%252F` are slashes.
fn first(text: &[u8]) -> (u8, usize) {
    let mut at = 1;
    while text[0] == b'%' && text[at..].starts_with(b"25") {
        at += 2;
    }
    let digit = |at: usize| text.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    match (text[0], digit(at), digit(at + 1)) {
        // Of ASCII alone: what is found begins and ends beside it.
        (b'%', Some(high @ 0..8), Some(low)) => (u8::try_from(high * 16 + low).unwrap_or(b'%'), at + 2),
        (byte, ..) => (byte, at),
    }
}

/// A piece that may go on behind a separator.
#[derive(Clone, Copy)]
struct Piece {
    end: usize,
    is_letter: bool,
}

struct Search<'b> {
    bytes: &'b [u8],
    found: Vec<Range<usize>>,
    score: i32,
    /// Where the score began to rise.
    start: usize,
    /// The highest score since then, and where it was reached.
    best: i32,
    best_end: usize,
}

impl Search<'_> {
    fn run(&mut self) {
        let (mut at, mut before, mut number) = (0, None, Number::default());
        while let Some(word) = self.next_word(at) {
            at = word.end;
            if at <= self.found_to() {
                before = None;
                continue;
            }
            number.take(self.bytes, &word);
            if number.is_long() {
                self.end();
                self.add(number.start..number.end);
            }
            if let Some(start) = self.armour(&word) {
                self.end();
                self.add(start..self.bytes.len());
                return;
            }
            before = self.read(word, before);
        }
        self.end();
    }

    /// Where the last secret ends.
    fn found_to(&self) -> usize {
        self.found.last().map_or(0, |last| last.end)
    }

    /// The next letters and digits in a row.
    fn next_word(&self, at: usize) -> Option<Range<usize>> {
        let start = at + self.bytes[at..].iter().position(u8::is_ascii_alphanumeric)?;
        let rest = &self.bytes[start..];
        Some(start..start + rest.iter().position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(rest.len()))
    }

    /// Where the armour of a key begins, if this word is of its first line:
    /// nobody knows where the key ends.
    fn armour(&self, word: &Range<usize>) -> Option<usize> {
        let (before, behind) = (&self.bytes[..word.start], &self.bytes[word.end..]);
        if self.bytes[word.clone()].eq_ignore_ascii_case(b"BEGIN") && before.ends_with(b"--") {
            return Some(before.iter().rposition(|byte| *byte != b'-').map_or(0, |at| at + 1));
        }
        let is_private_key =
            &self.bytes[word.clone()] == b"PRIVATE" && behind.get(1..).is_some_and(|behind| behind.starts_with(b"KEY"));
        is_private_key.then_some(word.start)
    }

    /// Whether a word is a key by its own form.
    fn is_key(&self, word: &Range<usize>) -> bool {
        let bytes = &self.bytes[word.clone()];
        let is_access_key_id = starts_as_access_key_id(bytes)
            && (bytes.len() == 20 || bytes.len() > 16 && bytes.iter().all(|byte| !byte.is_ascii_lowercase()));
        let is_hash = bytes.len() >= HEX_BYTES && bytes.iter().all(u8::is_ascii_hexdigit);
        let is_accelerator = || bytes.len() == HEX_BYTES && self.bytes[..word.start].ends_with(b"eia-");
        bytes.len() > WORD_BYTES_MAX || is_access_key_id || is_hash && !is_accelerator()
    }

    /// Scores a word. Gives what may go on behind it.
    fn read(&mut self, word: Range<usize>, before: Option<Piece>) -> Option<Piece> {
        let bytes = self.bytes;
        if self.is_key(&word) {
            self.raise(word.start, SECRET);
            self.raise(word.end - 1, 1);
        } else if starts_as_secret(&bytes[word.clone()]) {
            self.raise(word.start, PREFIX);
        }
        let Range { start, end } = word.start..word.end - self.harmless(&word);
        if start == end {
            return None;
        }
        let is_piece = may_be_piece(&bytes[word.clone()]);
        for at in start..end {
            let is_surprise = match before {
                _ if at > start => is_surprise(bytes, at, start),
                Some(piece) if is_piece => self.is_surprise_behind(piece, &word),
                _ => false,
            };
            self.raise(at, if is_surprise { SURPRISE - CHARACTER } else { -CHARACTER });
        }
        (is_piece && end == word.end).then_some(Piece { end, is_letter: word.len() == 1 })
    }

    /// How many bytes at the end of a word are no part of a secret, though they
    /// may be random: numbers, ids and hashes that are cut, parts of addresses.
    fn harmless(&self, word: &Range<usize>) -> usize {
        let bytes = &self.bytes[word.clone()];
        let before = word.start.checked_sub(1).map(|at| self.bytes[at]);
        let behind = self.bytes.get(word.end);
        let is_all = |is: fn(&u8) -> bool| bytes.iter().all(is);
        let is_small_hex = || bytes.iter().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte));
        let is_in_address = || before == Some(b':') || behind == Some(&b':');
        // CloudFormation makes names unique so, at their end.
        let is_suffix = || before == Some(b'-') && behind.is_none_or(|byte| *byte == b'/') && self.score < PREFIX;
        let is_harmless = is_all(u8::is_ascii_digit)
            || bytes.len() >= 6 && is_small_hex()
            || bytes.len() <= 4 && is_all(u8::is_ascii_hexdigit) && is_in_address()
            || (12..=13).contains(&bytes.len()) && is_suffix();
        match bytes.split_last_chunk::<8>() {
            _ if is_harmless => bytes.len(),
            // As CDK does, after a small letter.
            Some(([.., b'a'..=b'z'], last)) if last.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F')) => 8,
            _ => 0,
        }
    }

    /// Whether the first byte of a piece surprises behind another piece.
    fn is_surprise_behind(&self, piece: Piece, word: &Range<usize>) -> bool {
        let between = &self.bytes[piece.end..word.start];
        let [last, next] = [self.bytes[piece.end - 1], self.bytes[word.start]];
        let [is_letter, is_other] = [piece.is_letter, word.len() == 1];
        // SDKs list the features they use so, each by a letter or two.
        let is_list = between == b"," && (is_letter || is_other);
        !is_list
            && between.iter().all(|byte| is_joint(*byte))
            && (kind(last) != kind(next) || is_letter && is_other && is_rare(last, next))
    }

    fn raise(&mut self, at: usize, by: i32) {
        if self.score == 0 {
            self.start = at;
        }
        self.score = (self.score + by).max(0);
        if self.score > self.best {
            (self.best, self.best_end) = (self.score, at + 1);
        }
        if self.score == 0 || self.best - self.score > BEHIND {
            self.end();
        }
    }

    /// Ends a rise of the score, which was a secret if it went high enough.
    fn end(&mut self) {
        if self.best >= SECRET {
            self.add(self.start..self.best_end);
        }
        (self.score, self.best) = (0, 0);
    }

    /// Adds a secret with the rest of its first and last words and with what hangs
    /// on them.
    fn add(&mut self, Range { start, end }: Range<usize>) {
        let bytes = self.bytes;
        let before =
            |at: usize, is: fn(u8) -> bool| bytes[..at].iter().rposition(|byte| !is(*byte)).map_or(0, |at| at + 1);
        let behind = |at: usize, is: fn(u8) -> bool| {
            bytes[at..].iter().position(|byte| !is(*byte)).map_or(bytes.len(), |length| at + length)
        };
        let is_word = |byte: u8| byte.is_ascii_alphanumeric();
        let (mut start, mut end) = (before(start, is_word), behind(end, is_word));
        loop {
            let word_end = before(start, is_hinge);
            let word = before(word_end, is_word)..word_end;
            if word_end == start || !hangs_on(&bytes[word.clone()]) || word_end <= self.found_to() {
                break;
            }
            start = word.start;
        }
        loop {
            let word_start = behind(end, is_hinge);
            let word = word_start..behind(word_start, is_word);
            if word_start == end || !hangs_on(&bytes[word.clone()]) {
                break;
            }
            end = word.end;
        }
        end = behind(end, |byte| byte == b'=');
        match self.found.last_mut() {
            Some(last) if start <= last.end => last.end = last.end.max(end),
            _ => self.found.push(start..end),
        }
    }
}

/// Words of hexadecimal digits in a row, which may be pieces of one number.
#[derive(Default)]
struct Number {
    start: usize,
    end: usize,
    digits: usize,
    has_letter: bool,
}

impl Number {
    fn take(&mut self, bytes: &[u8], word: &Range<usize>) {
        let digits = &bytes[word.clone()];
        // UUIDs are in pieces behind hyphens, and no secrets.
        let goes_on = bytes[self.end..word.start].iter().all(|byte| is_joint(*byte) && *byte != b'-');
        let is_hex = digits.len() >= PIECE_BYTES_MAX && digits.iter().all(u8::is_ascii_hexdigit);
        if !goes_on || !is_hex {
            *self = Self { start: word.start, ..Self::default() };
        }
        self.end = word.end;
        if is_hex {
            self.digits += digits.len();
            self.has_letter |= digits.iter().any(u8::is_ascii_alphabetic);
        }
    }

    fn is_long(&self) -> bool {
        self.has_letter && self.digits > HEX_BYTES
    }
}

/// The kinds of characters in a key.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Capital,
    Small,
    Digit,
}

fn kind(byte: u8) -> Kind {
    match byte {
        b'A'..=b'Z' => Kind::Capital,
        b'a'..=b'z' => Kind::Small,
        _ => Kind::Digit,
    }
}

/// Whether a byte within a word surprises behind the one before it.
fn is_surprise(bytes: &[u8], at: usize, start: usize) -> bool {
    let [last, next] = [bytes[at - 1], bytes[at]];
    match (kind(last), kind(next)) {
        // A word may begin with a capital; `JDKs` does not end with one.
        (Kind::Capital, Kind::Small) if at - 1 == start || kind(bytes[at - 2]) != Kind::Capital => is_rare(last, next),
        (last, next) if last != next => true,
        (Kind::Digit, _) => false,
        _ => is_rare(last, next),
    }
}

/// Whether a word may be a piece of a secret that says nothing by itself. Short
/// words and numbers are everywhere.
fn may_be_piece(word: &[u8]) -> bool {
    let is_all = |is: fn(&u8) -> bool| word.iter().all(is);
    word.len() == 1 || word.len() <= PIECE_BYTES_MAX && !is_all(u8::is_ascii_lowercase) && !is_all(u8::is_ascii_digit)
}

/// Whether a word beside a secret is a part of it that is too short to be found.
fn hangs_on(word: &[u8]) -> bool {
    !word.is_empty() && may_be_piece(word) && !word.iter().all(u8::is_ascii_digit) && word != b"m"
}

/// Whether a byte may separate short pieces of a secret. Versions and addresses
/// have many short parts between other signs.
fn is_joint(byte: u8) -> bool {
    !b".:#".contains(&byte)
}

/// Whether a byte may stand in a secret between letters and digits.
fn is_hinge(byte: u8) -> bool {
    b"/+=,-_".contains(&byte)
}

fn starts_as_access_key_id(word: &[u8]) -> bool {
    word.get(..4).is_some_and(|prefix| [b"AKIA", b"ASIA"].iter().any(|known| prefix.eq_ignore_ascii_case(*known)))
}

/// Whether a word begins as keys and tokens do, in the case that they have there.
fn starts_as_secret(word: &[u8]) -> bool {
    // Access keys, session tokens, tokens of the service, JSON in base64.
    [&b"AKIA"[..], b"ASIA", b"akia", b"IQoJ", b"FwoG", b"AQAE", b"eyJ"].iter().any(|prefix| word.starts_with(prefix))
}
