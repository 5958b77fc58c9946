//! A report for people: what a capture contains, and what its description cannot express.

use super::CapturedDescription;
use crate::capture::folded::folded;
use crate::capture::session::is_page;
use crate::capture::transcript::{Exchange, Replaced, Transcript};
use crate::redact;

impl CapturedDescription {
    /// A report on the capture in Markdown: what was replaced, what is missing, and how the
    /// description differs.
    ///
    /// ```
    /// # use imds_host::Runtime;
    /// # use imds_host::capture::{Capturer, InProcess};
    /// # let runtime = Runtime::new()?;
    /// # let mut service = InProcess::new(runtime.open(&Default::default())?, std::time::SystemTime::now());
    /// # let transcript = Capturer::new()?.capture("http://169.254.169.254", &mut service)?;
    /// let report = transcript.describe(&runtime)?.report(&transcript);
    /// assert!(report.contains("Nothing: every request was answered."), "{report}");
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn report(&self, transcript: &Transcript) -> String {
        let header = &transcript.header;
        let mut text = format!(
            "# Capture of {}\n\n{} requests, begun at {}, by {}.\n",
            redact::text(&header.endpoint, 200),
            transcript.exchanges.len(),
            header.date,
            header.tool
        );
        text += "\n## What was replaced\n\n";
        for replaced in &header.replaced {
            text += &format!("- {}\n", words(*replaced));
        }
        if header.replaced.is_empty() {
            text += "Nothing: the service returned no secrets.\n";
        }
        if !header.replaced.contains(&Replaced::Identifiers) {
            text += "\nAccount, ids, addresses, names, tags and signatures are the service's own: \
                     `imds capture --anonymize` replaces them.\n";
        }
        text += "\n## What is missing\n\n";
        for missing in &header.missing {
            text += &format!("- {}\n", redact::text(&missing.to_string(), 400));
        }
        let poor = poor_listings(transcript);
        for line in &poor {
            text += &format!("- {line}\n");
        }
        if header.missing.is_empty() && poor.is_empty() {
            text += "Nothing: every request was answered.\n";
        }
        text += "\n## What `instance.toml` cannot say\n\n";
        for unsaid in &self.unsaid {
            text += &format!("- {}\n", redact::text(unsaid, 400));
        }
        if self.is_unsigned {
            text += "- The service has no signatures of the identity document; a runner signs unless a flag turns that off.\n";
        }
        let differences = folded(&self.differences);
        for line in &differences {
            text += &format!("- {line}\n");
        }
        if self.unsaid.is_empty() && differences.is_empty() && !self.is_unsigned {
            text += "Nothing: it serves all that was captured.\n";
        }
        text
    }
}

/// Which listings do not show what the service has.
fn poor_listings(transcript: &Transcript) -> Vec<String> {
    const REST: &str = "known items were requested by their names, and others can be missing";
    let answer = |target: &str| {
        let is_it = |it: &&Exchange| it.request.method == "GET" && it.request.target == target;
        let mut all = transcript.exchanges.iter().filter(is_it).map(|exchange| &exchange.response);
        let first = all.next()?;
        // An answer to a request with a token, or without one.
        Some(std::iter::once(first).chain(all).find(|answered| answered.status == 200).unwrap_or(first))
    };
    let poor = |folder: &str, names: &[&str]| {
        let listing = answer(folder)?;
        if listing.status != 200 || is_page(listing) {
            let reason = redact::text(&listing.reason, 40);
            return Some(format!("the listing `{folder}`, which answers {} {reason}: {REST}", listing.status));
        }
        let lists = |name: &str| {
            listing
                .text()
                .is_some_and(|text| text.lines().any(|line| line.trim_end_matches('/') == name.trim_end_matches('/')))
        };
        let is_there = |name: &str| answer(&format!("{folder}{name}")).is_some_and(|answered| answered.status == 200);
        let lacks: Vec<&str> = names.iter().copied().filter(|name| !lists(name) && is_there(name)).collect();
        (!lacks.is_empty())
            .then(|| format!("the listing `{folder}` lacks {} and more that is there: {REST}", lacks.join(", ")))
    };
    let listings =
        [poor("/latest/", &["meta-data/"]), poor("/latest/meta-data/", &["ami-id", "instance-id", "instance-type"])];
    listings.into_iter().flatten().collect()
}

fn words(replaced: Replaced) -> &'static str {
    match replaced {
        Replaced::Tokens => "session tokens",
        Replaced::Credentials => "credentials, and other values in JSON whose name suggests a secret",
        Replaced::UserData => "user data, by data of the same length",
        Replaced::ManagedSshKeys => "keys of EC2 Instance Connect",
        Replaced::Identifiers => {
            "account, ids, addresses, MAC addresses, host names, names of roles, keys and groups, values of tags"
        }
        Replaced::IdentitySignatures => "signatures of the identity document: no certificate verifies the new values",
    }
}
