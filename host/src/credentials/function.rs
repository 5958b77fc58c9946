use std::fmt;

use super::{CredentialSource, Fetch, RoleCredentials, SourceError};

/// A function as a source, for what does not wait by a future.
///
/// Nothing ends a call that takes too long: it should bound itself. Meanwhile the last
/// credentials stay until they end.
///
/// ```
/// use imds_host::{FunctionSource, RoleCredentials};
///
/// let source = FunctionSource::new("the test", || Ok(RoleCredentials::new("ASIAEXAMPLE", "secret", "token")));
/// assert_eq!(format!("{source:?}"), r#"FunctionSource("the test")"#);
/// ```
pub struct FunctionSource<F> {
    name: String,
    function: F,
}

impl<F: Fn() -> Result<RoleCredentials, SourceError> + Send + Sync + 'static> FunctionSource<F> {
    /// A source that calls `function` each time, under a name that operators read.
    ///
    /// ```
    /// # use imds_host::{FunctionSource, SourceError};
    /// let _source = FunctionSource::new("nobody", || Err(SourceError::Other("there is nobody")));
    /// ```
    pub fn new(name: impl Into<String>, function: F) -> Self {
        Self { name: name.into(), function }
    }
}

impl<F: Fn() -> Result<RoleCredentials, SourceError> + Send + Sync + 'static> CredentialSource for FunctionSource<F> {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn fetch(&self) -> Fetch<'_> {
        Box::pin(async { (self.function)() })
    }
}

impl<F> fmt::Debug for FunctionSource<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FunctionSource").field(&self.name).finish()
    }
}
