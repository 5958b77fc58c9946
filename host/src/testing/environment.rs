//! What an environment tells a program of where the service is.

use std::env;
use std::ffi::{OsStr, OsString};
use std::process::Command;

/// The environment in which SDKs and tools find a service: that of the programs of
/// [`Imds::command`](super::Imds::command), and of `imds run`.
///
/// ```
/// use imds_host::testing::Environment;
///
/// let environment = Environment::told("http://127.0.0.1:1338");
/// let endpoint = environment.variables().find(|(name, _)| *name == "AWS_EC2_METADATA_SERVICE_ENDPOINT");
/// assert_eq!(endpoint.unwrap().1, "http://127.0.0.1:1338");
/// ```
#[derive(Clone, Debug)]
pub struct Environment {
    set: Vec<(&'static str, OsString)>,
    removed: Vec<OsString>,
}

const ENDPOINT: &str = "AWS_EC2_METADATA_SERVICE_ENDPOINT";
const EC2_ENDPOINT: &str = "AWS_ENDPOINT_URL_EC2";
/// SDKs read the one, the AWS CLI and boto3 the other.
const REGIONS: [&str; 2] = ["AWS_REGION", "AWS_DEFAULT_REGION"];
const DISABLED: &str = "AWS_EC2_METADATA_DISABLED";

/// These would keep SDKs from the service, and `imds ctl` from the right one.
const AGAINST_US: [&str; 3] = [DISABLED, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IMDS_CONTROL"];

/// A proxy cannot reach the service. Some programs read one of them, some the
/// other.
const WITHOUT_PROXY: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// Where SDKs look for a user's settings and credentials before they ask the
/// service.
const FILES: [&str; 2] = ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"];

/// A file that is there on every machine and says nothing.
const EMPTY: &str = if cfg!(windows) { "NUL" } else { "/dev/null" };

impl Environment {
    /// For a program that finds the service at this URL on 127.0.0.1.
    ///
    /// ```
    /// # use imds_host::testing::Environment;
    /// let mut command = std::process::Command::new("my-agent");
    /// Environment::told("http://127.0.0.1:1338").apply(&mut command);
    /// ```
    pub fn told(url: &str) -> Self {
        let mut environment = Self::reaching(&["127.0.0.1"]);
        environment.set.push((ENDPOINT, url.into()));
        environment
    }

    /// For a program that finds the service at EC2's address.
    ///
    /// ```
    /// # use imds_host::testing::Environment;
    /// let environment = Environment::link_local();
    /// assert!(environment.variables().all(|(name, _)| name != "AWS_EC2_METADATA_SERVICE_ENDPOINT"));
    /// ```
    pub fn link_local() -> Self {
        // In brackets and without: programs differ in what they compare.
        let mut environment = Self::reaching(&["169.254.169.254", "fd00:ec2::254", "[fd00:ec2::254]"]);
        // One that was inherited tells of another service, which is out of reach.
        environment.removed.push(ENDPOINT.into());
        environment
    }

    /// One that has EC2's API at this URL, and a region unless there is one already: SDKs
    /// want one for each call.
    ///
    /// ```
    /// # use imds_host::testing::Environment;
    /// let environment = Environment::ec2("http://127.0.0.1:1341", "us-east-1");
    /// assert!(environment.variables().any(|(name, _)| name == "AWS_ENDPOINT_URL_EC2"));
    /// ```
    pub fn ec2(url: &str, region: &str) -> Self {
        let mut set = vec![(EC2_ENDPOINT, url.into())];
        if REGIONS.iter().all(|name| env::var_os(name).is_none()) {
            set.extend(REGIONS.map(|name| (name, region.into())));
        }
        Self { set, removed: vec!["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS".into()] }
    }

    /// Removes the AWS configuration of the present user: all variables that begin with
    /// `AWS_`, and the files of that user. So a program has the credentials and the
    /// region of the instance, or none.
    ///
    /// ```
    /// # use imds_host::testing::Environment;
    /// let environment = Environment::told("http://127.0.0.1:1338").without_own_configuration();
    /// assert!(environment.variables().any(|(name, _)| name == "AWS_SHARED_CREDENTIALS_FILE"));
    /// ```
    #[must_use]
    pub fn without_own_configuration(mut self) -> Self {
        let is_own = |name: &OsString| name.to_string_lossy().to_ascii_uppercase().starts_with("AWS_");
        self.removed.extend(env::vars_os().map(|(name, _)| name).filter(is_own));
        self.set.extend(FILES.map(|name| (name, EMPTY.into())));
        // For who can set variables but take none away.
        self.set.push((DISABLED, "false".into()));
        self
    }

    /// The variables that it sets.
    ///
    /// ```
    /// # use imds_host::testing::Environment;
    /// let environment = Environment::told("http://127.0.0.1:1338");
    /// assert!(environment.variables().any(|(name, _)| name == "NO_PROXY"));
    /// ```
    pub fn variables(&self) -> impl Iterator<Item = (&str, &OsStr)> {
        self.set.iter().map(|(name, value)| (*name, &**value))
    }

    /// Applies it to a command: sets its variables, and removes those that would lead
    /// the program elsewhere. All others stay.
    ///
    /// ```
    /// # use imds_host::testing::Environment;
    /// let mut command = std::process::Command::new("my-agent");
    /// Environment::told("http://127.0.0.1:1338").apply(&mut command);
    /// assert!(command.get_envs().any(|(name, value)| name == "AWS_EC2_METADATA_DISABLED" && value.is_none()));
    /// ```
    pub fn apply(&self, command: &mut Command) {
        for name in &self.removed {
            command.env_remove(name);
        }
        command.envs(self.variables());
    }

    fn reaching(hosts: &[&str]) -> Self {
        let [upper, lower] = WITHOUT_PROXY.map(|name| env::var_os(name).filter(|value| !value.is_empty()));
        // Who reads both takes the other where the first is missing.
        let before = [upper.as_ref().or(lower.as_ref()), lower.as_ref().or(upper.as_ref())];
        let set = WITHOUT_PROXY.into_iter().zip(before.map(|before| with_us(before.map(OsString::as_os_str), hosts)));
        Self { set: set.collect(), removed: AGAINST_US.map(OsString::from).into() }
    }
}

/// The hosts that are reached without a proxy, and these.
fn with_us(before: Option<&OsStr>, hosts: &[&str]) -> OsString {
    let mut list = before.unwrap_or_default().to_owned();
    for host in hosts {
        if list.to_string_lossy().split(',').any(|known| [*host, "*"].contains(&known.trim())) {
            continue;
        }
        if !list.is_empty() {
            list.push(",");
        }
        list.push(host);
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_added_once() {
        for (before, after) in [
            (None, "127.0.0.1"),
            (Some("a.example, .b"), "a.example, .b,127.0.0.1"),
            (Some("x, 127.0.0.1"), "x, 127.0.0.1"),
            (Some("*"), "*"),
        ] {
            assert_eq!(with_us(before.map(OsStr::new), &["127.0.0.1"]), after);
        }
        assert_eq!(with_us(Some(OsStr::new("b")), &["a", "b", "c"]), "b,a,c");
    }
}
