use std::fmt;

/// The version of the service that a client uses: 2 is the one with session
/// tokens. It displays as its number.
///
/// ```
/// use imds_host::SessionVersion;
///
/// assert_eq!(SessionVersion::Two.to_string(), "2");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SessionVersion {
    /// Requests without a token.
    One,
    /// Requests for a token and requests with one.
    Two,
}

impl fmt::Display for SessionVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::One => "1",
            Self::Two => "2",
        })
    }
}
