//! What the operator says through Spin variables.

use std::borrow::Cow;
use std::fmt;

use crate::callers::Callers;
use crate::proxies::Proxies;

/// The values of all variables, read and checked. They print without the
/// secret and the description.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Variables {
    /// `instance`: the description, JSON text; for the one instance of
    /// [`Callers::One`].
    pub instance: Option<String>,
    /// `token_secret`: what tokens are sealed with. Without it one is made and kept
    /// in the key-value store.
    pub token_secret: Option<Vec<u8>>,
    /// `allowed_hosts`: names that may stand in `Host` beside the local ones,
    /// apart by commas or spaces.
    pub allowed_hosts: Vec<String>,
    /// `callers`: how a request is mapped to an instance.
    pub callers: Callers,
    /// `trusted_proxies`: from where `X-Forwarded-For` counts for nothing.
    pub trusted_proxies: Proxies,
    /// The metadata options that are set over every description, by the names
    /// that they have there.
    pub options: Vec<(&'static str, String)>,
}

/// The variables that set metadata options: their names, and those of the
/// options in a description.
pub const OPTIONS: [(&str, &str); 4] = [
    ("http_endpoint", "http-endpoint"),
    ("http_protocol_ipv6", "http-protocol-ipv6"),
    ("http_tokens", "http-tokens"),
    ("instance_metadata_tags", "instance-metadata-tags"),
];

/// The names of all variables that are read.
///
/// ```
/// assert!(imds_spin::variables::names().any(|name| name == "http_tokens"));
/// ```
pub fn names() -> impl Iterator<Item = &'static str> {
    let others = ["instance", "token_secret", "allowed_hosts", "callers", "trusted_proxies"];
    others.into_iter().chain(OPTIONS.map(|(variable, _)| variable))
}

/// What a value says without the space around it; `None` if that is nothing.
///
/// ```
/// assert_eq!(imds_spin::variables::given(" \n".to_owned()), None);
/// ```
pub fn given(value: String) -> Option<String> {
    Some(value.trim().to_owned()).filter(|value| !value.is_empty())
}

impl Variables {
    /// Reads all variables through `get`, which returns `None` for one that the
    /// application does not have, and a reason if it cannot be read: then nothing is
    /// assumed. An empty value counts as none.
    ///
    /// The secret, the values of options and the names of hosts are checked by the
    /// component.
    ///
    /// ```
    /// use imds_spin::Variables;
    ///
    /// let variables = Variables::read(|name| Ok((name == "http_tokens").then(|| "required".to_owned())))?;
    /// assert_eq!(variables.options, [("http-tokens", "required".to_owned())]);
    /// # Ok::<(), imds_spin::variables::VariableError>(())
    /// ```
    pub fn read(get: impl Fn(&str) -> Result<Option<String>, String>) -> Result<Variables, VariableError> {
        let get = |variable: &'static str| match get(variable) {
            Ok(value) => Ok(value.and_then(given)),
            Err(reason) => Err(VariableError {
                variable,
                message: "cannot be read".into(),
                is_unreadable: true,
                reason: Some(reason),
            }),
        };
        let wrong = |variable, message: &'static str| VariableError::of(variable, message);
        let callers = match get("callers")? {
            None => Callers::One,
            Some(value) => Callers::parse(&value)
                .ok_or_else(|| wrong("callers", "is none of `one`, `client-address`, `host` and `header:NAME`"))?,
        };
        let instance = get("instance")?;
        if instance.is_some() && callers != Callers::One {
            let message = "is for `callers` = `one`; descriptions of several instances stand in the key-value store";
            return Err(wrong("instance", message));
        }
        let token_secret = get("token_secret")?.map(String::into_bytes);
        let hosts = get("allowed_hosts")?.unwrap_or_default();
        let allowed_hosts: Vec<String> =
            hosts.split([',', ' ', '\n']).filter(|host| !host.is_empty()).map(str::to_owned).collect();
        let trusted_proxies = match get("trusted_proxies")? {
            None => Proxies::default(),
            Some(value) => Proxies::parse(&value).ok_or_else(|| {
                wrong("trusted_proxies", "has something that is no address and no network such as `10.0.0.0/8`")
            })?,
        };
        let mut options = Vec::new();
        for (variable, option) in OPTIONS {
            options.extend(get(variable)?.map(|value| (option, value)));
        }
        Ok(Variables { instance, token_secret, allowed_hosts, callers, trusted_proxies, options })
    }

    /// The variables that are set, in a line: one that is misspelt is missing there.
    /// Of the secret and the description it says only that they are given.
    ///
    /// ```
    /// use imds_spin::Variables;
    ///
    /// let given = |name: &str| match name {
    ///     "token_secret" => Some("sixteen bytes or more".to_owned()),
    ///     "http_tokens" => Some("required".to_owned()),
    ///     _ => None,
    /// };
    /// let variables = Variables::read(|name| Ok(given(name)))?;
    /// assert_eq!(variables.in_force(), "callers = one, token_secret is given, http_tokens = required");
    /// # Ok::<(), imds_spin::variables::VariableError>(())
    /// ```
    pub fn in_force(&self) -> String {
        let mut told = vec![format!("callers = {}", self.callers)];
        told.extend(self.instance.as_ref().map(|_| "instance is given".to_owned()));
        told.extend(self.token_secret.as_ref().map(|_| "token_secret is given".to_owned()));
        if !self.allowed_hosts.is_empty() {
            told.push(format!("allowed_hosts = {}", self.allowed_hosts.join(" ")));
        }
        if self.trusted_proxies != Proxies::default() {
            told.push(format!("trusted_proxies = {}", self.trusted_proxies));
        }
        for (option, value) in &self.options {
            let variable = OPTIONS.iter().find(|(_, name)| name == option).map_or(*option, |(variable, _)| *variable);
            told.push(format!("{variable} = {value}"));
        }
        told.join(", ")
    }
}

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Variables")
            .field("callers", &self.callers)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

/// A variable whose value cannot be used. Says which and why, not the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VariableError {
    variable: &'static str,
    message: Cow<'static, str>,
    is_unreadable: bool,
    /// In the words of what provides or judges it, which are for the log alone.
    pub reason: Option<String>,
}

impl VariableError {
    fn of(variable: &'static str, message: impl Into<Cow<'static, str>>) -> VariableError {
        VariableError { variable, message: message.into(), is_unreadable: false, reason: None }
    }

    /// A variable that a face cannot follow; to leave it out of account would mislead.
    ///
    /// ```
    /// let wrong = imds_spin::variables::VariableError::not_here("callers");
    /// assert_eq!(wrong.to_string(), "the variable `callers` is for Spin's own adapter; remove it here");
    /// ```
    pub fn not_here(variable: &'static str) -> VariableError {
        VariableError::of(variable, "is for Spin's own adapter; remove it here")
    }

    /// Whether what provides the variables is out, rather than the value wrong.
    ///
    /// ```
    /// use imds_spin::Variables;
    ///
    /// let wrong = Variables::read(|_| Err("no vault".to_owned())).unwrap_err();
    /// assert!(wrong.is_unreadable());
    /// ```
    pub fn is_unreadable(&self) -> bool {
        self.is_unreadable
    }

    /// The component's word on `allowed_hosts`, which is for the log.
    ///
    /// ```
    /// let wrong = imds_spin::variables::VariableError::allowed_hosts("no `Host` can match `a:80`".to_owned());
    /// assert!(wrong.to_string().starts_with("the variable `allowed_hosts` has a name that no `Host` can match"));
    /// ```
    pub fn allowed_hosts(reason: String) -> VariableError {
        let message = "has a name that no `Host` can match; write names without scheme and port";
        VariableError { reason: Some(reason), ..VariableError::of("allowed_hosts", message) }
    }

    /// The component's word on `token_secret`, which says nothing of its value.
    ///
    /// ```
    /// let wrong = imds_spin::variables::VariableError::token_secret("the token secret is too short");
    /// assert_eq!(wrong.to_string(), "the variable `token_secret` cannot be used: the token secret is too short");
    /// ```
    pub fn token_secret(told: &str) -> VariableError {
        VariableError::of("token_secret", format!("cannot be used: {told}"))
    }
}

impl fmt::Display for VariableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the variable `{}` {}", self.variable, self.message)
    }
}

impl std::error::Error for VariableError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(given: &[(&str, &str)]) -> Result<Variables, String> {
        let get = |name: &str| Ok(given.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned()));
        Variables::read(get).map_err(|wrong| wrong.to_string())
    }

    #[test]
    fn empty_is_not_given() {
        assert_eq!(read(&[("token_secret", ""), ("instance", "\n"), ("callers", "")]), Ok(Variables::default()));
    }

    #[test]
    fn what_cannot_be_read_is_not_taken_for_absent() {
        let wrong = Variables::read(|name| if name == "http_tokens" { Err("no vault".into()) } else { Ok(None) });
        let wrong = wrong.unwrap_err();
        assert_eq!(wrong.to_string(), "the variable `http_tokens` cannot be read");
        assert_eq!(wrong.reason.as_deref(), Some("no vault"));
    }

    #[test]
    fn names_of_hosts_stand_apart_by_commas_or_spaces() {
        let variables = read(&[("allowed_hosts", "a.example.com, b.example.com  c")]);
        assert_eq!(variables.map(|variables| variables.allowed_hosts.len()), Ok(3));
    }

    #[test]
    fn what_is_wrong_is_named_without_its_value() {
        let wrong = |given: &[(&str, &str)]| read(given).unwrap_err();
        assert!(wrong(&[("callers", "me")]).starts_with("the variable `callers` is none of `one`"));
        assert!(wrong(&[("callers", "host"), ("instance", "{}")]).starts_with("the variable `instance` is for"));
        assert!(wrong(&[("trusted_proxies", "the proxy")]).starts_with("the variable `trusted_proxies` has something"));
        assert!(!format!("{:?}", read(&[("token_secret", "sixteen bytes here")])).contains("sixteen"));
    }
}
