//! Values with a syntax of their own: ids, names, addresses, times, secrets.
//!
//! A value that is wrong in itself is refused here, where it is read; `facts`
//! looks only for what contradicts.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};

use super::field::{Shape, Shaped};
use super::ipv6::EightGroups;
use super::problem::shown;
use crate::time::Time;
use crate::version::Version;

/// Why a text is refused. Its second line, if it has one, is the help: serde takes
/// no more than a text.
struct Refused {
    expected: &'static str,
    help: Option<String>,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)?;
        self.help.iter().try_for_each(|help| write!(f, "\n{help}"))
    }
}

/// Reads a string value with `FromStr`. What `help` says of a wrong one is shown
/// with what is expected.
macro_rules! read_from_string {
    ($type:ty, $shape:ident, $schema:expr, $pattern:expr) => {
        read_from_string!($type, $shape, $schema, $pattern, |_| None);
    };
    ($type:ty, $shape:ident, $schema:expr, $pattern:expr, $help:expr) => {
        impl Shaped for $type {
            const SHAPE: Shape = Shape::$shape;
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                let help: fn(&str) -> Option<String> = $help;
                text.parse().map_err(|expected| D::Error::custom(Refused { expected, help: help(&text) }))
            }
        }

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                $schema.into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "pattern": $pattern })
            }
        }
    };
}

/// Texts that have a form: a type for each, whose `FromStr` refuses all others.
macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident { $pattern:expr, $expected:expr, $fits:expr $(, $help:expr)? })*) => { $(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = &'static str;

            fn from_str(text: &str) -> Result<$name, &'static str> {
                let fits: fn(&str) -> bool = $fits;
                if fits(text) { Ok($name(text.to_owned())) } else { Err($expected) }
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> String {
                text.0
            }
        }

        read_from_string!($name, Plain, stringify!($name), $pattern $(, $help)?);
    )* };
}

/// Ids of EC2 resources: a prefix, then lower-case letters, digits and hyphens.
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal,)*) => { texts! { $(
        $(#[$doc])*
        $name {
            concat!("^", $prefix, "[0-9a-z-]+$"),
            concat!("expected an id that begins with `", $prefix, "`, such as ", $prefix, "0123456789abcdef0"),
            |text| text.strip_prefix($prefix).is_some_and(is_id),
            |text| {
                let meant = text.trim().to_ascii_lowercase();
                let is_id = meant.strip_prefix($prefix).is_some_and(is_id);
                is_id.then(|| format!("did you mean \"{}\"? EC2 writes ids in lower case", shown(&meant)))
            }
        }
    )* } };
}

ids! {
    /// The id of an instance.
    InstanceId = "i-",
    /// The id of an AMI.
    ImageId = "ami-",
    /// The id of a kernel image.
    KernelId = "aki-",
    /// The id of a RAM disk image.
    RamdiskId = "ari-",
    /// The id of a reservation.
    ReservationId = "r-",
    /// The id of a network interface.
    NetworkInterfaceId = "eni-",
    /// The id of a subnet.
    SubnetId = "subnet-",
    /// The id of a VPC.
    VpcId = "vpc-",
    /// The id of a security group.
    GroupId = "sg-",
    /// The id of a Dedicated Host.
    HostId = "h-",
    /// The id of a maintenance event.
    InstanceEventId = "instance-event-",
}

texts! {
    /// An account: 12 digits.
    AccountId {
        "^[0-9]{12}$",
        "expected an account id of 12 digits, in quotes",
        |text| text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
    }
    /// A text of one line, not empty.
    Line {
        "^[^\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029]+$",
        "expected a text of one line, not empty",
        |text| !text.is_empty() && !text.chars().any(ends_a_line)
    }
    /// The name of an IAM role or instance profile.
    IamName {
        "^[0-9A-Za-z_+=,.@-]{1,128}$",
        "expected a name of IAM: 1 to 128 letters, digits and + = , . @ _ -",
        |text| (1..=128).contains(&text.len()) && text.bytes().all(is_iam) && text != "." && text != ".."
    }
    /// The ARN of an instance profile.
    InstanceProfileArn {
        "^arn:[a-z-]+:iam::[0-9]{12}:instance-profile/[^\\x00-\\x1f\\x7f]+$",
        "expected the ARN of an instance profile, such as arn:aws:iam::123456789012:instance-profile/web",
        |text| match text.split(':').collect::<Vec<_>>()[..] {
            ["arn", _, "iam", "", account, profile] => {
                account.parse::<AccountId>().is_ok()
                    && profile.strip_prefix("instance-profile/").is_some_and(|name| name.parse::<Line>().is_ok())
            }
            _ => false,
        }
    }
    /// A name that can stand in a path, of at most 255 bytes, as in a file system.
    Segment {
        "^[^/%?#\\x00-\\x1f\\x7f]{1,255}$",
        "expected a name that can stand in a path: 1 to 255 bytes, not `.` or `..`, without `/`, `%`, `?`, `#` and spaces at its ends",
        |name| name.len() <= 255 && is_segment(name)
    }
    /// A path with the version, of which `*` stands for any one segment.
    PathPattern {
        "^(/[^/%?#\\x00-\\x1f\\x7f]+)+$",
        "expected a path such as /latest/api/token or, for every version, /*/meta-data/iam",
        |text| text.strip_prefix('/').is_some_and(|path| path.split('/').all(is_segment))
    }
    /// A method of HTTP.
    Method {
        "^[A-Z-]+$",
        "expected a method such as PUT, in upper case",
        |text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-')
    }
    /// The path of an extra entry, below a version or with one before it.
    EntryPath {
        "^([^/]+/)?(meta-data|dynamic)(/[^/%?#\\x00-\\x1f\\x7f]+)+$",
        "expected a path of at most 512 bytes such as meta-data/fabric/rack or, in one version only, 2009-04-04/meta-data/mac",
        |text| {
            let path = match text.split_once('/') {
                Some((first, rest)) if Version::named(first).is_some() => rest,
                _ => text,
            };
            let mut names = path.split('/');
            text.len() <= ENTRY_PATH_BYTES_MAX && matches!(names.next(), Some("meta-data" | "dynamic")) && path.contains('/') && names.all(is_segment)
        },
        entry_help
    }
    /// A region: `eu-west-1`.
    RegionName {
        "^[a-z]+(-[a-z]+)+-[0-9]+$",
        "expected a region such as us-east-1, in lower case",
        is_region
    }
    /// A zone: `eu-west-1a`, or a local or wavelength zone.
    ZoneName {
        "^[a-z]+(-[a-z]+)+-[0-9]+([a-z]|-[a-z0-9-]+)$",
        "expected a zone such as us-east-1a; a region alone goes into the field `region`",
        |text| {
            let region = crate::facts::place::Region::of_zone(text).name;
            let rest = text.strip_prefix(region.as_str()).unwrap_or_default();
            let is_letter = rest.len() == 1 && rest.bytes().all(|byte| byte.is_ascii_lowercase());
            is_region(&region) && (is_letter || rest.strip_prefix('-').is_some_and(is_id))
        }
    }
    /// A public key in OpenSSH format.
    PublicKey {
        "^\\s*[^\\s]+ +[^\\s]+",
        "expected a public key in OpenSSH format on one line, such as `ssh-ed25519 AAAA… name`",
        |text| text.split_ascii_whitespace().count() >= 2 && !text.trim_end().chars().any(char::is_control)
    }
    /// Base64 without PEM armour; white space does not count.
    Base64 {
        "^[0-9A-Za-z+/=\\s]+$",
        "expected base64 without PEM armour",
        |text| {
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=\r\n ".contains(&byte);
            !text.trim().is_empty() && text.bytes().all(fits)
        }
    }
    /// The name of a mapping that is no EBS volume.
    VirtualName {
        "^(swap|ephemeral[0-9]+)$",
        "expected `swap`, or `ephemeral` and a number from 0",
        |text| {
            let number = text.strip_prefix("ephemeral").unwrap_or_default();
            text == "swap" || (!number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
        }
    }
}

/// What was meant by the path of an extra entry that is none. People paste what
/// clients ask for, with a version, or leave out what all paths begin with.
fn entry_help(text: &str) -> Option<String> {
    let fits = |path: &&str| path.parse::<EntryPath>().is_ok();
    let path = text.split_once("://").map_or(text, |(_, rest)| rest.split_once('/').map_or("", |(_, path)| path));
    let path = path.trim_matches('/');
    if path.split('/').any(|name| name == "user-data") {
        return Some("user data is not an entry: it is the field `user-data` of the instance".to_owned());
    }
    let below = path
        .split_once('/')
        .map(|(_, below)| below)
        .filter(|below| below.starts_with("meta-data/") || below.starts_with("dynamic/"));
    match below.filter(fits) {
        Some(below) if fits(&path) => Some(format!(
            "did you mean `{}`, in every version? `{}`, without a slash before it, is in this version only",
            shown(below),
            shown(path)
        )),
        Some(below) => Some(format!(
            "`{}` is no version of the service; `{}` is in every version",
            shown(path.split('/').next().unwrap_or_default()),
            shown(below)
        )),
        None if fits(&path) => {
            Some(format!("did you mean `{}`? The path has no slash before or behind it", shown(path)))
        }
        None => {
            let path = format!("meta-data/{path}");
            fits(&path.as_str()).then(|| format!("did you mean `{}`?", shown(&path)))
        }
    }
}

/// More than the longest path of the service by far.
const ENTRY_PATH_BYTES_MAX: usize = 512;

fn is_id(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.bytes().all(fits)
}

fn is_iam(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte)
}

fn is_segment(name: &str) -> bool {
    // A client that reads `%`, `?` or `#` in a listing and asks for it as it
    // stands does not mean the same name.
    let fits = |c: char| !ends_a_line(c) && !['/', '%', '?', '#'].contains(&c);
    // Clients cut white space off the lines of a listing.
    !name.is_empty() && name != "." && name != ".." && name.trim() == name && name.chars().all(fits)
}

/// Whether a client may end a line at this character, or not show it.
fn ends_a_line(c: char) -> bool {
    c.is_control() || ['\u{2028}', '\u{2029}'].contains(&c)
}

fn is_region(name: &str) -> bool {
    let parts: Vec<&str> = name.split('-').collect();
    let Some((number, words)) = parts.split_last() else {
        return false;
    };
    let is_word = |word: &&str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    words.len() >= 2 && words.iter().all(is_word) && number.parse::<u8>().is_ok()
}

/// The IP time-to-live of an answer to the request for a token: 1 to 64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HopLimit(pub u8);

impl Shaped for HopLimit {
    const SHAPE: Shape = Shape::Plain;
}

impl Default for HopLimit {
    fn default() -> HopLimit {
        HopLimit(1)
    }
}

impl<'de> Deserialize<'de> for HopLimit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<HopLimit, D::Error> {
        match u8::deserialize(deserializer) {
            Ok(hops @ 1..=64) => Ok(HopLimit(hops)),
            _ => Err(D::Error::custom("expected a whole number from 1 to 64")),
        }
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for HopLimit {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "HopLimit".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "integer", "minimum": 1, "maximum": 64 })
    }
}

/// Names with texts, in the order of the document.
#[derive(Clone, PartialEq, Eq)]
pub struct Texts<N = String>(pub Vec<(N, String)>);

impl<N> Shaped for Texts<N> {
    const SHAPE: Shape = Shape::Plain;
}

impl<N> Default for Texts<N> {
    fn default() -> Texts<N> {
        Texts(Vec::new())
    }
}

// A text may be a secret, its name is none.
impl<N: fmt::Debug> fmt::Debug for Texts<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

impl<'de, N: Deserialize<'de>> Deserialize<'de> for Texts<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Texts<N>, D::Error> {
        struct TextsVisitor<N>(core::marker::PhantomData<N>);
        impl<'de, N: Deserialize<'de>> Visitor<'de> for TextsVisitor<N> {
            type Value = Texts<N>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of texts")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Texts<N>, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = access.next_entry()? {
                    texts.push(text);
                }
                Ok(Texts(texts))
            }
        }
        deserializer.deserialize_map(TextsVisitor(core::marker::PhantomData))
    }
}

#[cfg(feature = "schema")]
impl<N: schemars::JsonSchema> schemars::JsonSchema for Texts<N> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Texts".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let names = generator.subschema_for::<N>();
        schemars::json_schema!({
            "type": "object", "propertyNames": names, "additionalProperties": { "type": "string" }
        })
    }
}

/// The hardware address of a network interface; written in lower case with
/// colons, read with colons or hyphens in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MacAddress(pub [u8; 6]);

impl FromStr for MacAddress {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<MacAddress, &'static str> {
        let wrong = "expected a MAC address such as 0e:49:61:0f:c3:11";
        let mut bytes = [0; 6];
        let mut pairs = text.split([':', '-']);
        for byte in &mut bytes {
            let pair =
                pairs.next().filter(|pair| pair.len() == 2 && pair.bytes().all(|digit| digit.is_ascii_hexdigit()));
            *byte = pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()).ok_or(wrong)?;
        }
        pairs.next().is_none().then_some(MacAddress(bytes)).ok_or(wrong)
    }
}

impl fmt::Display for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

read_from_string!(MacAddress, Plain, "MacAddress", "^([0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}$");

/// A block of addresses: `10.0.0.0/16`, `2001:db8::/56`; written as the service
/// does, an IPv6 block in eight groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CidrBlock {
    /// The first address.
    pub address: IpAddr,
    /// The number of fixed bits.
    pub prefix_length: u8,
}

impl CidrBlock {
    /// The block of `prefix_length` bits in which an address lies.
    pub fn around(address: IpAddr, prefix_length: u8) -> CidrBlock {
        let length = u32::from(prefix_length);
        let address = match address {
            IpAddr::V4(address) => {
                let mask = u32::MAX.checked_shl(32 - length.min(32)).unwrap_or(0);
                Ipv4Addr::from_bits(address.to_bits() & mask).into()
            }
            IpAddr::V6(address) => {
                let mask = u128::MAX.checked_shl(128 - length.min(128)).unwrap_or(0);
                Ipv6Addr::from_bits(address.to_bits() & mask).into()
            }
        };
        CidrBlock { address, prefix_length }
    }

    /// Reads an address and the number of fixed bits, if the address is the
    /// first of the block.
    fn parse(text: &str) -> Option<CidrBlock> {
        let (address, length) = text.split_once('/')?;
        let address: IpAddr = address.parse().ok()?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let block = CidrBlock { address, prefix_length: length.parse().ok()? };
        let is_first = CidrBlock::around(address, block.prefix_length) == block;
        (block.prefix_length <= bits && is_first).then_some(block)
    }
}

impl fmt::Display for CidrBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            IpAddr::V4(address) => write!(f, "{address}/{}", self.prefix_length),
            IpAddr::V6(address) => write!(f, "{}/{}", EightGroups(address), self.prefix_length),
        }
    }
}

/// A block of IPv4 addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ipv4Block(pub CidrBlock);

/// A block of IPv6 addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ipv6Block(pub CidrBlock);

impl FromStr for Ipv4Block {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Ipv4Block, &'static str> {
        let block = CidrBlock::parse(text).filter(|block| block.address.is_ipv4());
        block.map(Ipv4Block).ok_or("expected a block of IPv4 addresses with its first address, such as 10.0.0.0/16")
    }
}

impl FromStr for Ipv6Block {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Ipv6Block, &'static str> {
        let block = CidrBlock::parse(text).filter(|block| block.address.is_ipv6());
        block.map(Ipv6Block).ok_or("expected a block of IPv6 addresses with its first address, such as 2001:db8::/56")
    }
}

read_from_string!(Ipv4Block, Plain, "Ipv4Block", "^[0-9.]+/[0-9]{1,2}$");
read_from_string!(Ipv6Block, Plain, "Ipv6Block", "^[0-9A-Fa-f:.]+/[0-9]{1,3}$");

impl FromStr for Time {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Time, &'static str> {
        Time::parse(text).ok_or("expected a time such as 2026-09-26T11:16:22Z, not before 1970")
    }
}

// With the relative ones, which are made absolute before they are read.
read_from_string!(
    Time,
    Time,
    "Time",
    "^[+-]([0-9]+(d|h|m|s|ms))+$|^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})$"
);

/// The changes of a description, which `timeline` reads before the rest: here
/// only so that the field is known.
#[derive(Clone, Copy, Debug, Default)]
pub struct Changes;

impl Shaped for Changes {
    const SHAPE: Shape = Shape::Plain;
}

impl<'de> Deserialize<'de> for Changes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Changes, D::Error> {
        serde::de::IgnoredAny::deserialize(deserializer).map(|_| Changes)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Changes {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Changes".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let change = schemars::json_schema!({ "$ref": "#/$defs/Change" });
        // An operation is of now, and an entry is not.
        let at = schemars::json_schema!({
            "properties": { "at": { "$ref": "#/$defs/Time" }, "operation": false }, "required": ["at"]
        });
        schemars::json_schema!({ "type": "array", "items": { "allOf": [change, at] }, "maxItems": 128 })
    }
}

/// A span of time, in milliseconds, written `90s`, `6h35m` or `250ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub u64);

impl FromStr for Span {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Span, &'static str> {
        // Not by jiff, which knows no days here and takes words, signs and ISO 8601.
        let wrong = "expected a span of time such as 90s, 5m, 6h35m, 1d or 250ms";
        let mut rest = text;
        let mut span_ms = 0_u64;
        while !rest.is_empty() {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let number: u64 = rest[..digits].parse().map_err(|_| wrong)?;
            rest = &rest[digits..];
            let (unit, unit_ms) = UNITS.into_iter().find(|(unit, _)| rest.starts_with(unit)).ok_or(wrong)?;
            rest = &rest[unit.len()..];
            span_ms = span_ms.saturating_add(number.saturating_mul(unit_ms));
        }
        if text.is_empty() { Err(wrong) } else { Ok(Span(span_ms)) }
    }
}

impl core::fmt::Display for Span {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.0 % 1000 {
            0 => write!(f, "{}s", self.0 / 1000),
            _ => write!(f, "{}ms", self.0),
        }
    }
}

/// Units of time in milliseconds; `ms` before `m`, with which it begins.
const UNITS: [(&str, u64); 5] = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

read_from_string!(Span, Plain, "Span", "^([0-9]+(d|h|m|s|ms))+$");

/// A share of requests: 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share(pub f64);

impl Shaped for Share {
    const SHAPE: Shape = Shape::Plain;
}

impl Default for Share {
    fn default() -> Share {
        Share(1.0)
    }
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Share, D::Error> {
        match f64::deserialize(deserializer) {
            Ok(share) if (0.0..=1.0).contains(&share) => Ok(Share(share)),
            _ => Err(D::Error::custom("expected a number from 0 to 1")),
        }
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Share {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Share".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "number", "minimum": 0, "maximum": 1 })
    }
}

/// A text that no log and no debug output shows.
#[derive(Clone, Default, PartialEq, Eq, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Secret(pub String);

impl Shaped for Secret {
    const SHAPE: Shape = Shape::Secret;
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_numbers_with_units() {
        for (text, ms) in [("0s", 0), ("90s", 90_000), ("6h35m", 23_700_000), ("1d", 86_400_000), ("1m250ms", 60_250)] {
            assert_eq!(text.parse(), Ok(Span(ms)), "{text}");
        }
        for text in ["", "5", "s", "1.5s", "-5s", "+5s", "5 s", "5m ago", "PT5M", "1w", "99999999999999999999s", "5é"]
        {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
        assert_eq!("18446744073709551615d".parse(), Ok(Span(u64::MAX)));
    }

    #[test]
    fn a_mac_address_is_written_in_lower_case_with_colons() {
        assert_eq!("0E-49-61-0F-C3-11".parse::<MacAddress>().unwrap().to_string(), "0e:49:61:0f:c3:11");
        for wrong in ["", "0e:49:61:0f:c3", "0e:49:61:0f:c3:11:22", "0e:49:61:0f:c3:+1", "é:49:61:0f:c3:11"] {
            assert!(wrong.parse::<MacAddress>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_zone_is_a_region_and_a_letter() {
        for zone in ["us-east-1a", "us-gov-west-1b", "eusc-de-east-1a", "us-west-2-lax-1a", "us-east-1-wl1-bos-wlz-1"] {
            assert!(zone.parse::<ZoneName>().is_ok(), "{zone}");
        }
        for wrong in ["", "eu-west-1", "EU-WEST-1A", "eu-west-1aa", "nowhere", "eu-west-a", "a", "1a", "us--1a"] {
            assert!(wrong.parse::<ZoneName>().is_err(), "{wrong}");
        }
        for wrong in ["", "eu-west-1a", "nowhere", "EU-WEST-1", "eu-west-999"] {
            assert!(wrong.parse::<RegionName>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_path_of_an_entry_lies_below_a_folder_of_a_version() {
        for path in ["meta-data/a", "dynamic/a/b", "2009-04-04/meta-data/mac", "latest/meta-data/a"] {
            assert!(path.parse::<EntryPath>().is_ok(), "{path}");
        }
        for wrong in [
            "",
            "meta-data",
            "meta-data/",
            "/meta-data/a",
            "meta-data//a",
            "meta-data/../a",
            "user-data",
            "2009-04-05/meta-data/mac",
            "api/token",
            "meta-data/a%41",
            "meta-data/a?b",
        ] {
            assert!(wrong.parse::<EntryPath>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_block_has_a_length_that_its_family_allows_and_its_first_address() {
        assert_eq!("10.0.0.0/28".parse::<Ipv4Block>().unwrap().0.to_string(), "10.0.0.0/28");
        assert_eq!("2001:db8::/56".parse::<Ipv6Block>().unwrap().0.to_string(), "2001:db8:0:0:0:0:0:0/56");
        for wrong in ["10.0.0.0", "10.0.0.0/33", "10.0.0.10/24", "10.0.0/8", "x/8", "10.0.0.0/-1", "2001:db8::/24"] {
            assert!(wrong.parse::<Ipv4Block>().is_err(), "{wrong}");
        }
        for wrong in ["::/129", "2001:db8::1/64", "10.0.0.0/8", "2001:db8::"] {
            assert!(wrong.parse::<Ipv6Block>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_block_around_an_address_has_its_length() {
        for (address, length, block) in [
            ("10.1.2.3", 24, "10.1.2.0/24"),
            ("10.1.2.3", 32, "10.1.2.3/32"),
            ("10.1.2.3", 0, "0.0.0.0/0"),
            ("2001:db8:1:2:3::4", 56, "2001:db8:1:0:0:0:0:0/56"),
            ("2001:db8::1", 128, "2001:db8:0:0:0:0:0:1/128"),
            ("2001:db8::1", 0, "0:0:0:0:0:0:0:0/0"),
        ] {
            assert_eq!(CidrBlock::around(address.parse().unwrap(), length).to_string(), block);
        }
    }
}
