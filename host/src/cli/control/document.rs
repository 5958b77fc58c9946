// The document that describes the listener, but for what stands with each handler and
// each answer.

use std::collections::BTreeMap;

use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, InfoBuilder, OpenApi, OpenApiBuilder, Ref, RefOr, Required, Response,
    ResponseBuilder, ServerBuilder,
};
use utoipa::{IntoParams, IntoResponses, PartialSchema, ToSchema};

use super::shapes::Error;

const ABOUT: &str = "What an operator asks and changes while imds serves. It listens on loopback or on a Unix socket, \
                     only where --control asks for it. Web pages are refused: Host must be an IP address or \
                     localhost, and no request may have Origin, but for those of the page at /. The paths of one instance are those of the only one; \
                     where there are many, /v1/instances/{key} is one of them, by its key or its instance id.";

/// What a change of an instance is.
pub const CHANGE: &str = "Fields of a description, merged as RFC 7396 says and as `edit` in wit/imds.wit tells; `imds \
                          schema` prints them as $defs/Change. What an operator does is the field `operation`: \
                          \"stop\", \"start\", \"reboot\", \"terminate\", \"rebalance\" or {\"interrupt\": {}}, each \
                          with all that EC2 makes of it, in one step.";

/// What another description is.
pub const DESCRIPTION: &str = "A description; `imds schema` prints its schema.";

/// The document without paths.
pub fn without_paths() -> OpenApi {
    let mut components = ComponentsBuilder::new().schema(Error::name(), Error::schema());
    for (name, description) in REFUSALS {
        components = components.response(name, refusal(name, description));
    }
    OpenApiBuilder::new()
        .info(InfoBuilder::new().title("imds control").version("1").description(Some(ABOUT)).build())
        .servers(Some([ServerBuilder::new().url("http://127.0.0.1:1340").build()]))
        .components(Some(components.build()))
        .build()
}

/// All refusals that are the same whatever is asked.
const REFUSALS: [(&str, &str); 9] = [
    ("Wrong", "The request is wrong: a parameter, a key, If-Match, or a body that is no text."),
    ("Forbidden", "It may come from a web page."),
    ("Missing", "There is no such instance; or there are many, and the path is that of the only one."),
    ("MethodNotAllowed", "The path takes other methods; Allow lists them."),
    ("TooSlow", "The body took more than 5 seconds."),
    ("TooLarge", "The body has more than 1 MiB."),
    ("NotJson", "Content-Type is not application/json or application/merge-patch+json."),
    ("Failed", "The service failed, not the request."),
    ("Busy", "Others look at the instance or change it, and no turn came within 5 seconds. Nothing was changed."),
];

fn refusal(name: &str, description: &str) -> Response {
    let schema = Ref::from_schema_name(Error::name());
    let response = ResponseBuilder::new()
        .description(description)
        .content("application/json", ContentBuilder::new().schema(Some(schema)).build());
    match name {
        "Busy" => response.header("Retry-After", text_field("Seconds after which to ask again.")).build(),
        _ => response.build(),
    }
}

fn text_field(description: &str) -> utoipa::openapi::Header {
    HeaderBuilder::new().schema(Some(text())).description(Some(description)).build()
}

fn text() -> utoipa::openapi::schema::Object {
    ObjectBuilder::new().schema_type(Type::String).build()
}

type Responses = BTreeMap<String, RefOr<Response>>;

fn refusals<const N: usize>(refusals: [(&str, &str); N]) -> Responses {
    let named = |name| RefOr::Ref(Ref::from_response_name(name));
    refusals.into_iter().map(|(status, name)| (status.to_owned(), named(name))).collect()
}

/// What every path refuses.
pub struct Refused;

impl IntoResponses for Refused {
    fn responses() -> Responses {
        refusals([("403", "Forbidden"), ("405", "MethodNotAllowed")])
    }
}

/// What every change refuses.
pub struct RefusedChange;

impl IntoResponses for RefusedChange {
    fn responses() -> Responses {
        let of_changes = refusals([("408", "TooSlow"), ("413", "TooLarge"), ("415", "NotJson")]);
        of_changes.into_iter().chain(Refused::responses()).collect()
    }
}

/// What can be wrong with a request.
pub struct WrongRequest;

impl IntoResponses for WrongRequest {
    fn responses() -> Responses {
        refusals([("400", "Wrong")])
    }
}

/// Where an instance is meant.
pub struct NoInstance;

impl IntoResponses for NoInstance {
    fn responses() -> Responses {
        refusals([("404", "Missing")])
    }
}

/// What takes the component's time.
pub struct Slow;

impl IntoResponses for Slow {
    fn responses() -> Responses {
        refusals([("500", "Failed"), ("503", "Busy")])
    }
}

fn parameter(name: &str, place: ParameterIn, description: &str) -> ParameterBuilder {
    let required = if place == ParameterIn::Path { Required::True } else { Required::False };
    let parameter = ParameterBuilder::new().name(name).parameter_in(place).required(required);
    parameter.schema(Some(text())).description(Some(description))
}

/// Which of many.
pub struct Key;

impl IntoParams for Key {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let about = "The key of its callers, or else the instance id, percent-encoded: 10.0.0.7, vm-7, \
                     i-0123456789abcdef0.";
        vec![parameter("key", ParameterIn::Path, about).build()]
    }
}

/// On which revision.
pub struct IfMatch;

impl IntoParams for IfMatch {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let about = "The revision that is to be changed, in quotes: \"7\"; or * for any. Without it, any.";
        vec![parameter("If-Match", ParameterIn::Header, about).build()]
    }
}

/// Only where there is none.
pub struct IfNoneMatch;

impl IntoParams for IfNoneMatch {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![parameter("If-None-Match", ParameterIn::Header, "* where there must be none yet.").build()]
    }
}
