//! Makes a description that serves what a transcript contains.

mod draft;
mod instance;
mod network;
mod notices;
mod report;
mod view;

use std::collections::BTreeSet;
use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use self::draft::Draft;
use self::view::View;
use super::asker::InProcess;
use super::compare::Difference;
use super::paths::split;
use super::transcript::{Replaced, Transcript};
use crate::description::Description;
use crate::engine::{Runtime, Settings};
use crate::error::Error;
use crate::identity::IdentitySigning;

/// A description made from a transcript, and what it cannot express.
pub struct CapturedDescription {
    /// The description, with a comment on each field that says where its value comes from.
    pub toml: String,
    /// Captured fields that no description can have, each with the reason.
    pub unsaid: Vec<String>,
    /// How answers from the description differ from the transcript.
    pub differences: Vec<Difference>,
    /// Whether the service has no signatures of the identity document, so that a server of
    /// the description should not sign either.
    pub is_unsigned: bool,
}

impl fmt::Debug for CapturedDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CapturedDescription")
            .field("toml", &format_args!("<{} bytes>", self.toml.len()))
            .field("differences", &self.differences)
            .finish_non_exhaustive()
    }
}

/// The most rounds of removing wrong fields.
const ROUNDS: usize = 64;
/// The most entries of a description.
const ENTRIES: usize = 1000;

impl Transcript {
    /// Describes the instance: by fields, and by `extra-entries` if no field expresses an
    /// answer. It serves the result and compares it with the transcript.
    ///
    /// This takes seconds.
    ///
    /// # Errors
    ///
    /// The component fails, or accepts no description of the transcript.
    ///
    /// ```
    /// use imds_host::Runtime;
    /// use imds_host::capture::{Capturer, InProcess};
    ///
    /// let runtime = Runtime::new()?;
    /// let mut service = InProcess::new(runtime.open(&Default::default())?, std::time::SystemTime::now());
    /// let transcript = Capturer::new()?.capture("http://169.254.169.254", &mut service)?;
    /// let described = transcript.describe(&runtime)?;
    /// assert!(described.differences.is_empty());
    /// assert!(described.toml.contains("instance-type = \"t3.micro\"  # meta-data/instance-type\n"));
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn describe(&self, runtime: &Runtime) -> Result<CapturedDescription, Error> {
        let view = View::of(self);
        let is_unsigned = view.item("dynamic/instance-identity/rsa2048").is_none();
        let has_own_signatures = !self.header.replaced.contains(&Replaced::IdentitySignatures);
        let mut draft = Draft::default();
        instance::describe(&view, &mut draft, has_own_signatures);
        network::describe(&view, &mut draft);
        notices::describe(&view, &mut draft);
        let mut work =
            Work { transcript: self, runtime, draft, unsaid: Vec::new(), tried: BTreeSet::new(), is_unsigned };
        let mut differences = work.compare()?;
        // An entry from the newest version may apply to all versions.
        for of_latest in [true, false, false] {
            if work.add_entries(&differences, of_latest) {
                differences = work.compare()?;
            }
        }
        let toml = work.toml();
        Ok(CapturedDescription { toml, unsaid: work.unsaid, differences, is_unsigned })
    }

    /// An instance of a description to compare with, at the time of the transcript, and
    /// without signatures if the transcript has none.
    ///
    /// # Errors
    ///
    /// The description is wrong, or the component fails.
    ///
    /// ```
    /// # use imds_host::{Description, Runtime};
    /// # use imds_host::capture::{Capturer, InProcess};
    /// # let runtime = Runtime::new()?;
    /// # let mut service = InProcess::new(runtime.open(&Default::default())?, std::time::SystemTime::now());
    /// # let transcript = Capturer::new()?.capture("http://169.254.169.254", &mut service)?;
    /// let other = Description::from_toml("other.toml", "instance-type = 'm7g.large'")?;
    /// let comparison = transcript.compare(&mut transcript.instance_of(&runtime, &other)?);
    /// assert!(comparison.differences.iter().any(|it| it.request == "GET /latest/meta-data/instance-type with a token"));
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn instance_of(&self, runtime: &Runtime, description: &Description) -> Result<InProcess, Error> {
        let is_unsigned = View::of(self).item("dynamic/instance-identity/rsa2048").is_none();
        open(self, runtime, description, is_unsigned)
    }
}

fn open(
    transcript: &Transcript,
    runtime: &Runtime,
    description: &Description,
    is_unsigned: bool,
) -> Result<InProcess, Error> {
    let signing = if is_unsigned { IdentitySigning::Never } else { IdentitySigning::AtFirstNeed };
    let instance = runtime.open_with(description, &Settings::default().identity_signing(signing))?;
    Ok(InProcess::new(instance, date(transcript)))
}

/// When the capture began.
fn date(transcript: &Transcript) -> SystemTime {
    humantime::parse_rfc3339(&transcript.header.date).unwrap_or(UNIX_EPOCH)
}

/// A description under construction.
struct Work<'t> {
    transcript: &'t Transcript,
    runtime: &'t Runtime,
    draft: Draft,
    unsaid: Vec<String>,
    /// Names of the entries tried so far.
    tried: BTreeSet<String>,
    is_unsigned: bool,
}

impl Work<'_> {
    fn toml(&self) -> String {
        let header = &self.transcript.header;
        let heading = format!(
            "Captured by {} from {} at {}.\n\
             The comment on a field says where its value comes from. report.md lists what this file cannot express.\n\
             Credentials are left out: the served ones are made up. The hop limit is left out too: no client can observe it.",
            header.tool, header.endpoint, header.date
        );
        self.draft.toml(&heading)
    }

    /// How answers differ from the transcript. Removes wrong fields first.
    fn compare(&mut self) -> Result<Vec<Difference>, Error> {
        for _ in 0..ROUNDS {
            let description = Description::from_toml("the captured description", &self.toml())?;
            let problems = match open(self.transcript, self.runtime, &description, self.is_unsigned) {
                Ok(mut instance) => return Ok(self.transcript.compare(&mut instance).differences),
                Err(Error::Invalid(problems)) => problems,
                Err(error) => return Err(error),
            };
            // Last first, so that the indices of a list stay valid.
            let mut list = problems.list.clone();
            list.sort_by(|one, other| other.field.cmp(&one.field));
            list.dedup_by(|one, other| one.field == other.field);
            let mut is_changed = false;
            for problem in list {
                if let Some(removed) = self.draft.remove(&problem.field) {
                    self.unsaid.push(format!("{removed}: {}", problem.message));
                    is_changed = true;
                }
            }
            // Wrong for what it lacks, perhaps: then it is described by less and less.
            if !is_changed {
                let Some(removed) = self.draft.remove_last() else { return Err(Error::Invalid(problems)) };
                let why = problems.list.first().map_or("it is refused with this", |problem| &problem.message);
                self.unsaid.push(format!("{removed}: {why}"));
            }
        }
        let description = Description::from_toml("the captured description", &self.toml())?;
        Ok(self
            .transcript
            .compare(&mut open(self.transcript, self.runtime, &description, self.is_unsigned)?)
            .differences)
    }

    /// Adds entries for items that differ, of `latest` or of other versions.
    fn add_entries(&mut self, differences: &[Difference], of_latest: bool) -> bool {
        let mut is_changed = false;
        for difference in differences.iter().filter(|it| it.what == "status" || it.what == "body") {
            let exchange = &self.transcript.exchanges[difference.place];
            let (request, response) = (&exchange.request, &exchange.response);
            let Some((version, path)) = split(&request.target) else { continue };
            let (Some(text), "GET", 200) = (response.text(), request.method.as_str(), response.status) else {
                continue;
            };
            // Nothing else takes entries; the report says how it differs.
            let takes_entries = ["meta-data/", "dynamic/"].iter().any(|folder| path.starts_with(folder));
            let is_item =
                !request.target.ends_with('/') && takes_entries && !path.starts_with("meta-data/public-keys/");
            if !is_item || (version == "latest") != of_latest || self.tried.len() >= ENTRIES {
                continue;
            }
            let name = if of_latest { path } else { format!("{version}/{path}") };
            if self.tried.insert(name.clone()) {
                self.draft.set_in("extra-entries", &name, text, "");
                is_changed = true;
            }
        }
        is_changed
    }
}
