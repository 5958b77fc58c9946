// A network namespace for the command of `imds run --link-local`: a network of its
// own, in which EC2's addresses are on `lo`, and nothing else is.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
mod netlink;
#[cfg(target_os = "linux")]
mod refused;

#[cfg(target_os = "linux")]
pub use self::linux::NetworkNamespace;

/// Other systems have none.
#[cfg(not(target_os = "linux"))]
pub struct NetworkNamespace(std::convert::Infallible);

#[cfg(not(target_os = "linux"))]
impl NetworkNamespace {
    pub fn make() -> anyhow::Result<Self> {
        anyhow::bail!(
            "--link-local works on Linux only, which has network namespaces\n\
             help: run the command in a Linux container beside one that serves at 169.254.169.254; docs/networks.md \
             has a recipe"
        )
    }

    pub fn add_address(&self, _ip: std::net::IpAddr) -> anyhow::Result<()> {
        match self.0 {}
    }

    pub fn enter<T: Send>(&self, _work: impl FnOnce() -> T + Send) -> anyhow::Result<T> {
        match self.0 {}
    }
}
