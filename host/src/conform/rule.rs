use std::fmt;

/// How a rule of the real service is known, the weakest first.
///
/// ```
/// use imds_host::conform::Evidence;
///
/// assert!(Evidence::Recorded > Evidence::Documented);
/// assert_eq!((Evidence::Recorded.weight(), Evidence::Unrecorded.weight()), (3, 0));
/// assert_eq!(Evidence::Inferred.name(), "inferred");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Evidence {
    /// Nobody knows; the rule is what harms a client least. It does not count for the
    /// score.
    Unrecorded,
    /// It follows from recorded or documented rules.
    Inferred,
    /// AWS documents it.
    Documented,
    /// A transcript of the real service shows it.
    Recorded,
}

impl Evidence {
    /// How much a check counts in the score.
    pub fn weight(self) -> u32 {
        match self {
            Self::Unrecorded => 0,
            Self::Inferred => 1,
            Self::Documented => 2,
            Self::Recorded => 3,
        }
    }

    /// `recorded`, `documented`, `inferred` or `unrecorded`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unrecorded => "unrecorded",
            Self::Inferred => "inferred",
            Self::Documented => "documented",
            Self::Recorded => "recorded",
        }
    }

    fn named(name: &str) -> Option<Self> {
        [Self::Unrecorded, Self::Inferred, Self::Documented, Self::Recorded]
            .into_iter()
            .find(|evidence| evidence.name() == name)
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What a check expects of an endpoint, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// One sentence.
    pub says: &'static str,
    /// The source.
    pub source: &'static str,
    pub evidence: Evidence,
}

/// The rules of the cases in `tests/cases`, generated from them: on each line name,
/// evidence, rule and source, separated by tabs.
const CASES: &str = include_str!("rules.tsv");

impl Rule {
    /// The rule of a case.
    pub fn of_case(name: &str) -> Option<Self> {
        CASES.lines().find_map(|line| {
            let mut columns = line.split('\t');
            if columns.next()? != name {
                return None;
            }
            let evidence = Evidence::named(columns.next()?)?;
            Some(Self { evidence, says: columns.next()?, source: columns.next()? })
        })
    }
}
