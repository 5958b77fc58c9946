use std::fmt;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::{
    CredentialSource, EnvironmentSource, Fetch, FileSource, FunctionSource, ProcessSource, ProfileSource, SourceError,
};
use crate::description::Description;

/// The source that a description names: its `iam-instance-profile.credentials-source`.
/// Two are equal where they are described in the same words, so that instances can
/// share one.
///
/// ```
/// use imds_host::{CredentialSource, DescribedSource, Description};
///
/// let toml = "iam-instance-profile.credentials-source.profile = 'dev'";
/// let source = DescribedSource::of(&Description::from_toml("web.toml", toml)?).unwrap();
/// assert_eq!(source.name(), "the profile dev");
/// assert!(DescribedSource::of(&Description::default()).is_none());
/// # Ok::<_, imds_host::Error>(())
/// ```
pub struct DescribedSource {
    words: Value,
    source: Box<dyn CredentialSource>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct Words {
    process: Option<Vec<String>>,
    profile: Option<String>,
    environment: Option<bool>,
    file: Option<String>,
    embedder: Option<bool>,
    role_arn: Option<String>,
    session_policy: Option<String>,
    duration: Option<String>,
    time_limit: Option<String>,
}

impl DescribedSource {
    /// The source of the role of an instance; none where the description names none,
    /// or names it wrongly, which opening it tells.
    ///
    /// ```
    /// # use imds_host::{DescribedSource, Description};
    /// assert!(DescribedSource::of(&Description::default()).is_none());
    /// ```
    pub fn of(description: &Description) -> Option<Self> {
        Self::of_json(&description.to_json())
    }

    /// That of a description that is JSON text.
    pub(crate) fn of_json(json: &str) -> Option<Self> {
        let words = words(json)?;
        let source = source(Words::deserialize(&words).ok()?)?;
        Some(Self { words, source })
    }

    /// Whether an embedder is to deliver: there is nothing to ask then.
    ///
    /// ```
    /// # use imds_host::{DescribedSource, Description};
    /// let toml = "iam-instance-profile.credentials-source.embedder = true";
    /// assert!(DescribedSource::of(&Description::from_toml("web.toml", toml)?).unwrap().is_of_embedder());
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn is_of_embedder(&self) -> bool {
        self.words.get("embedder").is_some()
    }

    /// The file, if it is one.
    ///
    /// ```
    /// # use imds_host::{DescribedSource, Description};
    /// let toml = "iam-instance-profile.credentials-source.file = 'a.json'";
    /// let source = DescribedSource::of(&Description::from_toml("web.toml", toml)?).unwrap();
    /// assert_eq!(source.file(), Some(std::path::Path::new("a.json")));
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn file(&self) -> Option<&Path> {
        self.words.get("file")?.as_str().map(Path::new)
    }

    /// What a description says of it, JSON text. The words of a command are in it,
    /// which may be secrets.
    ///
    /// ```
    /// # use imds_host::{DescribedSource, Description};
    /// let toml = "iam-instance-profile.credentials-source.environment = true";
    /// let source = DescribedSource::of(&Description::from_toml("web.toml", toml)?).unwrap();
    /// assert_eq!(source.to_json(), r#"{"environment":true}"#);
    /// # Ok::<_, imds_host::Error>(())
    /// ```
    pub fn to_json(&self) -> String {
        self.words.to_string()
    }
}

/// What JSON text of a description says of the source of its role.
pub(crate) fn words(json: &str) -> Option<Value> {
    // What holds secrets is looked at where it lies.
    #[derive(Deserialize)]
    struct Document<'a> {
        #[serde(borrow, rename = "iam-instance-profile")]
        profile: Option<&'a RawValue>,
    }
    #[derive(Deserialize)]
    struct Profile<'a> {
        #[serde(borrow, rename = "credentials-source")]
        source: Option<&'a RawValue>,
    }
    let Document { profile } = serde_json::from_str(json).ok()?;
    let Profile { source } = serde_json::from_str(profile?.get()).ok()?;
    serde_json::from_str(source?.get()).ok()
}

fn source(words: Words) -> Option<Box<dyn CredentialSource>> {
    let span = |text: Option<String>| text.and_then(|text| humantime::parse_duration(&text).ok());
    let time_limit = span(words.time_limit);
    if let Some(command) = words.process {
        let mut command = command.into_iter();
        let source = ProcessSource::new(command.next()?, command);
        return Some(match time_limit {
            Some(limit) => Box::new(source.with_time_limit(limit)),
            None => Box::new(source),
        });
    }
    if let Some(profile) = words.profile {
        let mut source = ProfileSource::new(profile);
        if let Some(role) = words.role_arn {
            source = source.with_role(role);
        }
        if let Some(policy) = words.session_policy {
            source = source.with_session_policy(policy);
        }
        if let Some(duration) = span(words.duration) {
            source = source.with_duration(duration);
        }
        if let Some(limit) = time_limit {
            source = source.with_time_limit(limit);
        }
        return Some(Box::new(source));
    }
    match (words.file, words.environment) {
        (Some(file), _) => Some(Box::new(FileSource::new(file))),
        (None, Some(true)) => Some(Box::new(EnvironmentSource::new())),
        (None, _) if words.embedder == Some(true) => {
            Some(Box::new(FunctionSource::new("the embedder", || Err(SourceError::Other("the embedder gives them")))))
        }
        (None, _) => None,
    }
}

impl CredentialSource for DescribedSource {
    fn name(&self) -> String {
        self.source.name()
    }

    fn fetch(&self) -> Fetch<'_> {
        self.source.fetch()
    }

    fn time_limit(&self) -> Duration {
        self.source.time_limit()
    }

    fn asked_every(&self) -> Option<Duration> {
        self.source.asked_every()
    }
}

impl PartialEq for DescribedSource {
    fn eq(&self, other: &Self) -> bool {
        self.words == other.words
    }
}

// The words of a command may be secrets.
impl fmt::Debug for DescribedSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DescribedSource").field(&self.name()).finish()
    }
}
