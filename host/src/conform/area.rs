use std::fmt;

/// The subject of a check: a row of the report's table, in this order.
///
/// ```
/// use imds_host::conform::Area;
///
/// assert_eq!(Area::UserData.to_string(), "user-data");
/// assert_eq!((Area::ALL[0], Area::ALL.len()), (Area::Tokens, 14));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Area {
    /// How the service issues session tokens, and how clients use them.
    Tokens,
    /// Which refusal comes first if a request has more than one fault.
    Order,
    /// Which fields a head has, their order and their values.
    Heads,
    /// Statuses and bodies of refusals.
    Errors,
    /// How the path of a request is read.
    Paths,
    /// Listings, and whether everything that they list answers.
    Listings,
    /// What a dated version shows.
    Versions,
    /// The form of each item.
    Formats,
    /// Whether items that state the same fact agree.
    Agreement,
    /// User data.
    UserData,
    /// The identity document and its signatures.
    Identity,
    /// Spot interruptions, maintenance and other events.
    Events,
    /// Credentials of containers.
    Containers,
    /// Malformed and oversized requests.
    Hostile,
}

impl Area {
    /// All areas, in the order of the report.
    pub const ALL: [Self; 14] = [
        Self::Tokens,
        Self::Order,
        Self::Heads,
        Self::Errors,
        Self::Paths,
        Self::Listings,
        Self::Versions,
        Self::Formats,
        Self::Agreement,
        Self::UserData,
        Self::Identity,
        Self::Events,
        Self::Containers,
        Self::Hostile,
    ];

    /// The name as `--only` takes it: `user-data`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tokens => "tokens",
            Self::Order => "order",
            Self::Heads => "heads",
            Self::Errors => "errors",
            Self::Paths => "paths",
            Self::Listings => "listings",
            Self::Versions => "versions",
            Self::Formats => "formats",
            Self::Agreement => "agreement",
            Self::UserData => "user-data",
            Self::Identity => "identity",
            Self::Events => "events",
            Self::Containers => "containers",
            Self::Hostile => "hostile",
        }
    }
}

impl fmt::Display for Area {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
