//! Services that break a rule of tokens, of order, of errors or of paths, or that are
//! broken by hostile clients.

use super::flawed::{Asked, Own};
use super::{DISABLED, Mutation};

pub const ALL: &[Mutation] = &[
    // Tokens: how they are given.
    Mutation::of_both(
        "a token is 51 characters long",
        |asked| {
            if let Some(token) = asked.token().map(<[u8]>::to_vec) {
                asked.set("X-aws-ec2-metadata-token", [b"AQAEA", &token[..]].concat());
            }
        },
        |asked, answered| {
            if asked.method == "PUT" && answered.status == 200 {
                answered.set_body(answered.body[5..].to_vec());
            }
        },
        &["token-has-the-nitro-shape"],
    ),
    Mutation::of_requests(
        "a lifetime of 21600 seconds is refused",
        |asked| asked.replace_ttl("21600", "21601"),
        &["token-ttl-from-1-to-21600-is-granted"],
    ),
    Mutation::of_requests(
        "a lifetime of 0 is refused",
        |asked| asked.replace_ttl("0", "-1"),
        &["token-ttl-zero-gives-an-expired-token"],
    ),
    Mutation::of_requests(
        "a negative lifetime is made positive",
        |asked| asked.replace_ttl("-1", "1"),
        &["token-ttl-out-of-range-is-refused"],
    ),
    Mutation::of_requests(
        "a lifetime that is no number is a minute",
        |asked| asked.replace_ttl("invalid", "60"),
        &["token-ttl-that-is-no-number-is-refused"],
    ),
    Mutation::of_requests(
        "a lifetime that is missing is a minute",
        |asked| {
            if asked.is_put() && asked.ttl().is_none() {
                asked.set("X-aws-ec2-metadata-token-ttl-seconds", "60");
            }
        },
        &["token-ttl-missing-is-refused"],
    ),
    Mutation::of_requests(
        "only the low 32 bits of a lifetime count",
        |asked| asked.replace_ttl("4294967297", "1"),
        &["token-ttl-of-any-length-is-compared-as-a-number"],
    ),
    Mutation::of_requests(
        "a lifetime loses its fraction",
        |asked| asked.replace_ttl("1.5", "1"),
        &["token-ttl-is-digits-only"],
    ),
    Mutation::of_answers(
        "the seconds of a token are not counted",
        |asked, answered| {
            let seconds = answered.get(TTL).and_then(|seconds| seconds.parse::<u32>().ok());
            if asked.method == "GET" && seconds.is_some_and(|seconds| seconds <= 4) {
                answered.set(TTL, "4");
            }
        },
        &["token-lives-for-its-ttl"],
    ),
    Mutation::of_answers(
        "a request with a token gets that token back",
        |asked, answered| {
            if let Some(token) = asked.token().filter(|_| asked.is_put() && answered.status == 200)
                && asked.has_issued(token)
            {
                answered.set_body(token);
            }
        },
        &["token-request-with-a-token-gives-a-new-one"],
    ),
    Mutation::of_requests(
        "a proxy gets tokens",
        |asked| {
            if asked.method == "PUT" {
                asked.remove("X-Forwarded-For");
            }
        },
        &["token-request-with-forwarded-for-is-refused"],
    ),
    Mutation::of_answers(
        "the token path with a final slash is forbidden",
        |asked, answered| {
            if asked.is("PUT", "/latest/api/token/") {
                answered.refuse(403, "Forbidden");
            }
        },
        &["token-path-with-final-slash-issues"],
    ),
    Mutation::of_answers(
        "405 has the reason of HTTP",
        |_, answered| {
            if answered.status == 405 {
                answered.set_status(405, "Method Not Allowed");
            }
        },
        &["token-path-get-is-405-not-allowed"],
    ),
    Mutation::of_answers(
        "OPTIONS on the token path lists PUT alone",
        |asked, answered| {
            if asked.is("OPTIONS", TOKEN_PATH) {
                answered.set("Allow", "PUT");
            }
        },
        &["token-path-options-lists-its-methods"],
    ),
    Mutation::of_answers(
        "OPTIONS on the token path tells no seconds",
        |asked, answered| {
            if asked.is("OPTIONS", TOKEN_PATH) {
                answered.remove(TTL);
            }
        },
        &["token-path-options-tells-the-ttl-of-a-valid-token"],
    ),
    Mutation::of_requests(
        "every version issues tokens",
        every_version_issues,
        &[
            "token-path-under-a-dated-version-with-token-is-403",
            "token-path-under-a-dated-version-is-403-where-tokens-are-optional",
        ],
    ),
    Mutation::of_requests(
        "every version issues tokens, where they are required",
        every_version_issues,
        &[
            "token-path-under-a-dated-version-with-token-is-403",
            "token-path-under-a-dated-version-without-token-is-401",
        ],
    )
    .where_tokens_are_required(),
    Mutation::of_answers(
        "who expects 100 gets 417",
        |asked, answered| {
            if asked.value("expect").is_some() {
                answered.refuse(417, "Expectation Failed");
            }
        },
        &["expect-100-continue-is-no-obstacle"],
    ),
    // Tokens: how they are used.
    Mutation::of_answers(
        "HEAD needs no token",
        |asked, answered| {
            if asked.method == "HEAD" && answered.status == 401 {
                answered.set_status(200, "OK");
            }
        },
        &["token-required-on-every-path"],
    )
    .where_tokens_are_required(),
    Mutation::of_answers(
        "who asks for nothing without a token learns of seconds",
        |asked, answered| {
            if asked.token().is_none() && asked.is("GET", NOTHING) {
                answered.set(TTL, "0");
            }
        },
        &["token-not-needed-where-optional"],
    ),
    Mutation::of_answers(
        "an item does not tell the seconds of a token",
        |asked, answered| {
            if asked.is("GET", ITEM) {
                answered.remove(TTL);
            }
        },
        &[
            "token-used-where-optional-is-version-2",
            "token-lives-for-its-ttl",
            "head-of-an-item-begins-with-the-ttl",
            "head-request-gets-the-head-of-get",
        ],
    ),
    Mutation::of_answers(
        "a bad token is forbidden",
        |asked, answered| {
            if asked.token() == Some(b"invalid") && asked.method == "GET" && answered.status == 401 {
                answered.set_status(403, "Forbidden");
            }
        },
        &["token-invalid-is-401"],
    )
    .where_tokens_are_required(),
    Mutation::of_requests(
        "a bad token is as good as none",
        |asked| {
            if asked.token().is_some_and(|token| !asked.has_issued(token)) {
                asked.remove("X-aws-ec2-metadata-token");
            }
        },
        &["token-invalid-is-401-where-tokens-are-optional"],
    ),
    Mutation::of_requests(
        "every token that looks like one is good",
        |asked| {
            if asked.token().is_some_and(|token| token.len() == 56 && !asked.has_issued(token)) {
                asked.take_last_token();
            }
        },
        &["token-of-another-instance-is-invalid"],
    )
    .where_tokens_are_required(),
    Mutation::of_requests(
        "a token lacks its last character and is good",
        |asked| {
            if asked.token().is_some_and(|token| token.len() == 55) {
                asked.take_last_token();
            }
        },
        &["token-is-compared-as-a-whole"],
    ),
    Mutation::of_requests(
        "an empty token is none",
        |asked| {
            if asked.token() == Some(b"") {
                asked.remove("X-aws-ec2-metadata-token");
            }
        },
        &["token-empty-is-invalid"],
    ),
    Mutation::of_answers(
        "a fresh token is not good under dated versions",
        |asked, answered| {
            let is_fresh = asked.issued.last().is_some_and(|(token, _)| asked.token() == Some(token));
            if is_fresh && asked.is("GET", "/2021-03-23/meta-data/instance-id") {
                answered.refuse(401, "Unauthorized");
            }
        },
        &["token-is-good-under-every-version"],
    ),
    Mutation::of_answers(
        "a refused POST does not tell the seconds of a token",
        |asked, answered| {
            if asked.is("POST", ITEM) {
                answered.remove(TTL);
            }
        },
        &["token-ttl-stands-in-every-answer-to-a-valid-token"],
    ),
    Mutation::of_requests(
        "a token of a minute ends one of five",
        |asked| {
            let of = |seconds: &str| asked.issued.iter().rev().find(|(_, ttl)| ttl == seconds);
            let is_old = of("300").is_some_and(|(token, _)| asked.token() == Some(token));
            let is_ended = asked.issued.last().is_some_and(|(_, ttl)| ttl == "60");
            if is_old && is_ended {
                asked.set("X-aws-ec2-metadata-token", "ended");
            }
        },
        &["tokens-live-side-by-side"],
    ),
    Mutation::of_requests(
        "a token in a field in capitals is not seen",
        |asked| asked.fields.retain(|(name, _)| name != "X-AWS-EC2-METADATA-TOKEN"),
        &["header-field-names-have-no-case"],
    ),
    Mutation::of_requests(
        "a proxy may send tokens",
        |asked| {
            if asked.method == "GET" && asked.token().is_some() {
                asked.remove("X-Forwarded-For");
            }
        },
        &["forwarded-request-with-a-token-is-refused"],
    ),
    Mutation::of_answers(
        "a proxy gets nothing",
        |asked, answered| {
            if asked.is_forwarded() && asked.token().is_none() && asked.method == "GET" && answered.status != 405 {
                answered.refuse(403, "Forbidden");
            }
        },
        &["forwarded-request-without-a-token-passes"],
    ),
    // The order of checks.
    Mutation::of_answers(
        "which versions there are is told without a token",
        |asked, answered| {
            if asked.token().is_none() && asked.is("GET", "/0000-00-00/") {
                answered.refuse(404, "Not Found");
            }
        },
        &["order-token-before-path", "token-required-on-every-path"],
    )
    .where_tokens_are_required(),
    Mutation::of_answers(
        "a wrong request for a token must have a token",
        |asked, answered| {
            if asked.is_put() && asked.token().is_none() && answered.status == 400 {
                answered.set_status(401, "Unauthorized");
            }
        },
        &[
            "order-token-path-before-authorisation",
            "token-ttl-out-of-range-is-refused",
            "token-ttl-that-is-no-number-is-refused",
            "token-ttl-missing-is-refused",
            "token-ttl-of-any-length-is-compared-as-a-number",
            "token-ttl-is-digits-only",
        ],
    )
    .where_tokens_are_required(),
    Mutation::of_answers(
        "a bad token is refused on the token path",
        |asked, answered| {
            if asked.is("GET", TOKEN_PATH) && asked.token() == Some(b"invalid") {
                answered.refuse(401, "Unauthorized");
            }
        },
        &["order-token-path-before-the-token-sent"],
    ),
    Mutation::of_answers(
        "OPTIONS needs no token",
        |asked, answered| {
            if asked.method == "OPTIONS" && answered.status == 401 {
                answered.set_status(200, "OK");
            }
        },
        &["order-token-before-method"],
    )
    .where_tokens_are_required(),
    Mutation::of_answers(
        "a POST to nothing is not found",
        |asked, answered| {
            if asked.is("POST", NOTHING) {
                answered.refuse(404, "Not Found");
            }
        },
        &["order-method-before-path"],
    ),
    Mutation::of_answers(
        "a proxy is refused before its method is",
        |asked, answered| {
            if asked.is_forwarded() && answered.status == 405 {
                answered.refuse(403, "Forbidden");
            }
        },
        &["order-method-before-forwarded-on-the-token-path"],
    ),
    Mutation::of_answers(
        "the token path has one spelling",
        |asked, answered| {
            if asked.target == "//latest//api/./token?x=1" {
                answered.refuse(403, "Forbidden");
            }
        },
        &["order-path-normalised-before-the-token-path-is-known"],
    ),
    Mutation::of_requests(
        "a lifetime is looked at before a proxy is",
        |asked| {
            if asked.ttl() == Some("21601") {
                asked.remove("X-Forwarded-For");
            }
        },
        &["order-forwarded-before-ttl"],
    ),
    Mutation::of_requests(
        "a token is looked at before a proxy is",
        |asked| {
            if asked.token() == Some(b"invalid") {
                asked.remove("X-Forwarded-For");
            }
        },
        &["order-forwarded-before-token"],
    ),
    Mutation::of_answers(
        "a disabled endpoint lists methods",
        |asked, answered| {
            if asked.is("GET", TOKEN_PATH) {
                answered.set("Allow", "PUT");
            }
        },
        &["order-disabled-before-everything"],
    )
    .of(DISABLED),
    // Errors.
    Mutation::of_answers(
        "the page of 404 is another one",
        |asked, answered| {
            if answered.status == 404 && asked.method == "GET" {
                answered.set_body("<html><body>404</body></html>");
            }
        },
        &["not-found-is-a-page-of-339-bytes"],
    ),
    Mutation::of_answers(
        "DELETE is not allowed",
        |asked, answered| {
            if asked.method == "DELETE" && answered.status == 403 {
                answered.set_status(405, "Not Allowed");
                answered.set("Allow", "GET, HEAD, OPTIONS");
            }
        },
        &["methods-post-and-delete-are-403"],
    ),
    Mutation::of_requests(
        "methods have no case",
        |asked| asked.method.make_ascii_uppercase(),
        &["methods-that-no-item-takes-are-403"],
    ),
    Mutation::of_answers(
        "OPTIONS lists GET and HEAD alone",
        |asked, answered| {
            if asked.is("OPTIONS", ITEM) {
                answered.set("Allow", "GET, HEAD");
            }
        },
        &["options-lists-the-methods-of-an-item"],
    ),
    Mutation::of_answers(
        "the reason of 400 is in small letters",
        |_, answered| {
            if answered.status == 400 {
                answered.set_status(400, "bad request");
            }
        },
        &["refusals-have-these-reasons"],
    ),
    Mutation::of_answers(
        "405 is HTML",
        |_, answered| {
            if answered.status == 405 {
                answered.set("Content-Type", "text/html");
            }
        },
        &["refusals-are-plain-text-without-a-body"],
    ),
    Mutation::of_answers(
        "a page tells what is wrong with a lifetime",
        |_, answered| {
            if answered.status == 400 {
                answered.set_body("<html>no such lifetime</html>");
            }
        },
        &["refusals-are-plain-text-without-a-body"],
    ),
    Mutation::of_answers(
        "a page tells that a token is missing",
        |asked, answered| {
            if answered.status == 401 && asked.method == "GET" {
                answered.set_body("<html>no token</html>");
            }
        },
        &["refusals-are-plain-text-without-a-body"],
    )
    .where_tokens_are_required(),
    Mutation::of_answers(
        "what is not there is an error of the service",
        |_, answered| {
            if answered.status == 404 {
                answered.set_status(500, "Internal Server Error");
            }
        },
        &["path-unknown-is-not-found"],
    ),
    Mutation::of_answers(
        "GET on the token path is not found",
        |_, answered| {
            if answered.status == 405 {
                answered.refuse(404, "Not Found");
            }
        },
        &["token-path-get-is-405-not-allowed"],
    ),
    Mutation::of_answers(
        "a disabled endpoint denies access",
        |asked, answered| {
            if asked.is("GET", "/latest/meta-data/") {
                answered.set_status(403, "Access Denied");
            }
        },
        &["endpoint-disabled-is-403"],
    )
    .of(DISABLED),
    Mutation::of_answers(
        "a disabled endpoint tells its versions",
        |asked, answered| {
            if asked.is("GET", "/") {
                answered.set_status(200, "OK");
            }
        },
        &["endpoint-disabled-refuses-every-request"],
    )
    .of(DISABLED),
    // Paths.
    Mutation::of_answers(
        "a folder without its slash is moved",
        |asked, answered| {
            if asked.target == "/latest/meta-data" {
                answered.set_status(301, "Moved Permanently");
                answered.set("Location", "/latest/meta-data/");
            }
        },
        &["path-folder-without-final-slash-lists"],
    ),
    Mutation::of_requests(
        "an item with a slash is not there",
        |asked| asked.replace_target("/latest/meta-data/instance-id/", NOTHING),
        &["path-item-with-final-slash-answers"],
    ),
    Mutation::of_requests(
        "a doubled slash is a folder without a name",
        |asked| asked.replace_target("/latest//meta-data/instance-id", NOTHING),
        &["path-doubled-slashes-are-one"],
    ),
    Mutation::of_requests(
        "two slashes are no root",
        |asked| asked.replace_target("//", NOTHING),
        &["path-slashes-in-a-row-are-one"],
    ),
    Mutation::of_requests(
        "a dot is a name",
        |asked| asked.replace_target("/latest/./meta-data/instance-id", NOTHING),
        &["path-dot-segments-are-dropped"],
    ),
    Mutation::of_requests(
        "two dots are a name",
        |asked| asked.replace_target("/latest/dynamic/../meta-data/instance-id", NOTHING),
        &["path-dot-dot-goes-up-but-not-above-the-root"],
    ),
    Mutation::of_requests(
        "nothing is decoded",
        |asked| asked.replace_target("/latest/meta-data/%69nstance-id", NOTHING),
        &["path-percent-encoding-is-decoded"],
    ),
    Mutation::of_requests(
        "a query is part of the path",
        |asked| asked.replace_target("/latest/meta-data/instance-id?x=1", NOTHING),
        &["path-query-is-ignored"],
    ),
    Mutation::of_answers(
        "a query may ask for JSON",
        |asked, answered| {
            if asked.target.contains("alt=json") {
                answered.set_body("{}");
            }
        },
        &["path-query-of-any-kind-is-ignored"],
    ),
    Mutation::of_requests(
        "what is below an item is the item",
        |asked| asked.replace_target("/latest/meta-data/instance-id/hypervisor", ITEM),
        &["path-below-an-item-is-not-found"],
    ),
    Mutation::of_answers(
        "the service has an icon",
        |asked, answered| {
            if asked.target == "/favicon.ico" {
                answered.set_status(200, "OK");
            }
        },
        &["path-unknown-is-not-found"],
    ),
    Mutation::of_requests(
        "paths have no case",
        |asked| asked.replace_target("/Latest/meta-data/instance-id", ITEM),
        &["path-has-case"],
    ),
    Mutation::of_answers(
        "a long path is too long",
        |asked, answered| {
            if asked.target.len() > 1000 {
                answered.refuse(414, "URI Too Long");
            }
        },
        &["path-of-any-length-is-looked-up"],
    ),
    Mutation::of_requests(
        "an absolute target is a path",
        |asked| {
            if asked.target.starts_with("http://") {
                asked.target = NOTHING.to_owned();
            }
        },
        &["path-of-an-absolute-target-counts"],
    ),
    // What the caller says of the instance.
    Mutation::of_answers("it is another instance than described", |_, _| (), &["items-are-as-described"])
        .of("instance-type = 'm7g.large'")
        .described(r#"{ "instance-type": "t3.micro" }"#),
    // Hostile clients.
    Mutation::of_bytes(
        "a TLS session begins well",
        |bytes| if bytes.starts_with(b"\x16") { Own::Answer(OK) } else { Own::Forward },
        &["hostile-what-is-no-request-is-refused"],
    ),
    Mutation::of_bytes(
        "every version of HTTP is served",
        |bytes| if contains(bytes, b"HTTP/9.9") { Own::Answer(OK) } else { Own::Forward },
        &["hostile-malformed-heads-are-refused"],
    ),
    Mutation::of_bytes(
        "a large head is an error of the service",
        |bytes| if bytes.len() > 100_000 { Own::Answer(ERROR) } else { Own::Forward },
        &["hostile-oversized-heads-are-refused"],
    ),
    Mutation::of_bytes(
        "a large head takes the service down",
        |bytes| if bytes.len() > 100_000 { Own::Crash } else { Own::Forward },
        &[
            "hostile-oversized-heads-are-refused",
            "hostile-unclear-lengths-are-refused",
            "hostile-bad-hosts-do-no-harm",
            "hostile-half-open-connections-keep-nobody-out",
        ],
    ),
    Mutation::of_bytes(
        "what is behind a request of unclear length is served",
        |bytes| if contains(bytes, b"Content-Length: +0") { Own::Answer(TWICE) } else { Own::Forward },
        &["hostile-unclear-lengths-are-refused"],
    ),
    Mutation::of_bytes(
        "a request without a host is an error of the service",
        |bytes| if bytes == b"GET / HTTP/1.1\r\n\r\n" { Own::Answer(ERROR) } else { Own::Forward },
        &["hostile-bad-hosts-do-no-harm"],
    ),
    Mutation::one_at_a_time("the service has one client at a time", &["hostile-half-open-connections-keep-nobody-out"]),
];

pub const TTL: &str = "X-Aws-Ec2-Metadata-Token-Ttl-Seconds";
pub const ITEM: &str = "/latest/meta-data/instance-id";
pub const NOTHING: &str = "/latest/meta-data/nothing-here";
const TOKEN_PATH: &str = "/latest/api/token";

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
const ERROR: &[u8] = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
const TWICE: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

fn every_version_issues(asked: &mut Asked) {
    asked.replace_target("/2021-03-23/api/token", TOKEN_PATH);
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
