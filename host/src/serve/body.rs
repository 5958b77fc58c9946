use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Bytes, Frame, SizeHint};

/// The body of a response, in one piece. It prints redacted, since it can hold
/// credentials.
///
/// ```
/// # use imds_host::{Runtime, Service};
/// let instance = Runtime::new()?.open(&Default::default())?;
/// let request = hyper::Request::get("/latest/meta-data/instance-life-cycle").body(())?;
/// let body = Service::new(instance).respond(request).into_body();
/// assert_eq!(body.into_bytes(), "on-demand");
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub struct Body(Option<Bytes>);

impl Body {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Self(Some(bytes.into()))
    }

    /// What has not been sent yet.
    ///
    /// ```
    /// # use imds_host::{Runtime, Service};
    /// # let instance = Runtime::new()?.open(&Default::default())?;
    /// let request = hyper::Request::head("/").body(())?;
    /// assert!(Service::new(instance).respond(request).into_body().into_bytes().is_empty());
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn into_bytes(self) -> Bytes {
        self.0.unwrap_or_default()
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let bytes = self.0.take().filter(|bytes| !bytes.is_empty());
        Poll::Ready(bytes.map(|bytes| Ok(Frame::data(bytes))))
    }

    /// False at first even for an empty body: of a body at its end, hyper
    /// would move `Content-Length` behind the other fields.
    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body(<{} bytes>)", self.0.as_ref().map_or(0, Bytes::len))
    }
}
