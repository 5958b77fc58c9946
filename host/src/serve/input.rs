use crate::serve::limits::ConnectionLimits;

/// What came on a connection and is not used yet.
#[derive(Default)]
pub(crate) struct Input {
    bytes: Vec<u8>,
    /// What the bytes before are known to be.
    scan: Scan,
}

/// How far a head was looked at.
#[derive(Clone, Copy, Default)]
struct Scan {
    /// All line ends before are known.
    looked: usize,
    /// Where the present line begins.
    line: usize,
    /// How many lines the head has so far; empty ones before it do not count.
    lines: usize,
}

/// What of a head is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// So many bytes are a head.
    Head(usize),
    /// So many bytes are what is there of one that can be no head, or that is beyond
    /// the limits: the component says what to answer.
    Broken(usize),
    /// More has to come.
    Part,
}

/// What most heads have room in.
const ROOM: usize = 2048;

/// What a connection keeps between two requests.
const KEPT: usize = 16 << 10;

impl Input {
    /// Room to read into, behind what is there.
    pub(crate) fn room(&mut self) -> &mut Vec<u8> {
        if self.bytes.capacity() - self.bytes.len() < ROOM / 2 {
            self.bytes.reserve(ROOM);
        }
        &mut self.bytes
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Takes away what was used.
    pub(crate) fn consume(&mut self, length: usize) {
        self.scan = Scan::default();
        if length == self.bytes.len() {
            self.bytes.clear();
            self.bytes.shrink_to(KEPT);
        } else {
            self.bytes.drain(..length);
        }
    }

    /// Looks for a head in what came. It ends with the first empty line behind its
    /// first one, as the component has it.
    pub(crate) fn find(&mut self, limits: &ConnectionLimits) -> Found {
        while let Some(at) = memchr::memchr(b'\n', &self.bytes[self.scan.looked..]) {
            let end = self.scan.looked + at;
            let line = &self.bytes[self.scan.line..end];
            let is_empty = matches!(line, b"" | b"\r");
            self.scan.looked = end + 1;
            self.scan.line = end + 1;
            if is_empty && self.scan.lines > 0 {
                return if end < limits.head_bytes {
                    Found::Head(end + 1)
                } else {
                    Found::Broken(limits.head_bytes.clamp(1, end))
                };
            }
            self.scan.lines += usize::from(!is_empty);
            // The request line and the fields.
            if self.scan.lines > limits.head_fields.saturating_add(1) {
                return Found::Broken(end + 1);
            }
        }
        self.scan.looked = self.bytes.len();
        if self.bytes.len() >= limits.head_bytes || (self.scan.lines == 0 && self.begins_no_head()) {
            return Found::Broken(self.bytes.len().min(limits.head_bytes.max(1)));
        }
        Found::Part
    }

    /// Whether the first line can be none of a request, whatever follows: of one who
    /// speaks TLS, for example, no line may ever end.
    fn begins_no_head(&self) -> bool {
        httparse::Request::new(&mut []).parse(&self.bytes).is_err()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(bytes: &[u8], limits: &ConnectionLimits) -> Found {
        let mut whole = Input { bytes: bytes.to_vec(), ..Input::default() };
        let found = whole.find(limits);
        // Byte by byte the same is found, as soon as it can be.
        let mut input = Input::default();
        let mut before = Found::Part;
        for byte in bytes {
            input.room().push(*byte);
            before = input.find(limits);
            if before != Found::Part {
                break;
            }
        }
        assert_eq!(before, found, "{}", bytes.escape_ascii());
        found
    }

    #[test]
    fn a_head_ends_with_its_first_empty_line() {
        let limits = ConnectionLimits::default();
        for (bytes, found) in [
            (&b""[..], Found::Part),
            (b"GET / HTTP/1.1\r\n\r\n", Found::Head(18)),
            (b"GET / HTTP/1.1\n\nGET", Found::Head(16)),
            (b"\r\n\nGET / HTTP/1.1\r\nA: b\n\r\nmore", Found::Head(26)),
            (b"GET / HTTP/1.1\r\nA: b\r\n", Found::Part),
            (b"GET /", Found::Part),
        ] {
            assert_eq!(find(bytes, &limits), found, "{}", bytes.escape_ascii());
        }
        assert_eq!(find(b"\x16", &limits), Found::Broken(1));
    }

    #[test]
    fn what_is_beyond_the_limits_is_cut_off() {
        let limits = ConnectionLimits::default().head_bytes(30).head_fields(1);
        assert_eq!(find(b"GET / HTTP/1.1\r\nA: b\r\n\r\n", &limits), Found::Head(24));
        assert_eq!(find(b"GET / HTTP/1.1\r\nA: b\r\nC: d\r\n\r\n", &limits), Found::Broken(28));
        assert_eq!(find(b"GET / HTTP/1.1\r\nA: bbbbbbbbbbbbbbbbbbbbbb", &limits), Found::Broken(30));
    }

    #[test]
    fn what_comes_behind_a_head_stays() {
        let mut input = Input::default();
        input.room().extend(b"GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n");
        for target in ["/a", "/b"] {
            let Found::Head(length) = input.find(&ConnectionLimits::default()) else { panic!("there is a head") };
            assert!(input.bytes().starts_with(format!("GET {target} ").as_bytes()));
            input.consume(length);
        }
        assert!(input.is_empty());
    }
}
