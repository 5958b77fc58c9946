//! How requests come by `wasi:http` 0.3, as Spin components have them.

use spin_sdk::http::Request;

use crate::Head;

/// The head of a request.
pub fn head_of(request: &Request) -> Head {
    let fields = request.headers().iter();
    Head::new(
        request.method().as_str().to_owned(),
        request.uri().path_and_query().map(|target| target.as_str().to_owned()),
        fields.map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec())).collect(),
        request.uri().authority().map(|authority| authority.as_str().to_owned()),
    )
}
