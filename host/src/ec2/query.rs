//! Calls: EC2's query protocol, whose parameters make a tree by the dots in their
//! names, such as `TagSpecification.1.Tag.1.Key`.

use std::collections::BTreeMap;
use std::collections::btree_map::IntoIter;

use serde::de::value::{SeqDeserializer, StringDeserializer};
use serde::de::{self, DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::failure::{Failure, shown};

/// More than a call with a thousand resources and fifty tags has.
const PARAMETERS_MAX: usize = 4096;

/// More than the deepest parameter has.
const DEPTH_MAX: usize = 8;

/// The one version of the API.
const VERSION: &str = "2016-11-15";

/// Signatures and what belongs to them: any is taken, none is looked at.
const OF_SIGNATURES: [&str; 8] = [
    "AWSAccessKeyId",
    "SecurityToken",
    "Signature",
    "SignatureMethod",
    "SignatureVersion",
    "Timestamp",
    "Expires",
    "AUTHPARAMS",
];

/// One call.
pub(super) struct Call {
    pub action: String,
    pub is_dry_run: bool,
    pub parameters: Tree,
}

/// A parameter: a text, or parameters by name or by number. It may be a secret, such as
/// user data, and prints as nothing.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) enum Tree {
    Text(String),
    Fields(BTreeMap<String, Tree>),
}

impl Call {
    /// Reads a form, as it stands in a body or behind the `?` of a target.
    pub fn parse(form: &[u8]) -> Result<Self, Failure> {
        let mut root = BTreeMap::new();
        let (mut action, mut version, mut is_dry_run) = (None, None, false);
        for (number, (name, value)) in form_urlencoded::parse(form).enumerate() {
            if number >= PARAMETERS_MAX {
                let message = format!("The request has more than {PARAMETERS_MAX} parameters");
                return Err(Failure::new("RequestLimitExceeded", message));
            }
            match &*name {
                "Action" => action = Some(value.into_owned()),
                "Version" => version = Some(value.into_owned()),
                "DryRun" => is_dry_run = boolean(&value).map_err(|()| wrong(&value, "DryRun"))?,
                name if OF_SIGNATURES.contains(&name) || name.starts_with("X-Amz-") => {}
                name => put(&mut root, name, value.into_owned())?,
            }
        }
        let action = action.filter(|action| !action.is_empty()).ok_or_else(|| Failure::missing("Action"))?;
        match version.as_deref() {
            Some(VERSION) => Ok(Self { action, is_dry_run, parameters: Tree::Fields(root) }),
            None => Err(Failure::missing("Version")),
            Some(other) => {
                let other = shown(other);
                let message = format!("The requested version ({other}) is not valid. Offered here is: {VERSION}");
                Err(Failure::new("NoSuchVersion", message))
            }
        }
    }

    /// The parameters, as the type has them.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        T::deserialize(self.parameters.clone())
    }
}

fn put(root: &mut BTreeMap<String, Tree>, name: &str, value: String) -> Result<(), Failure> {
    let malformed = |why: &str| {
        let name = shown(name);
        Err(Failure::new("MalformedQueryString", format!("The parameter {name} {why}")))
    };
    if name.split('.').count() > DEPTH_MAX {
        return malformed("has too many parts");
    }
    let mut fields = root;
    let mut parts = name.split('.').peekable();
    while let Some(part) = parts.next() {
        if part.is_empty() {
            return malformed("has an empty part");
        }
        if parts.peek().is_none() {
            return match fields.insert(part.to_owned(), Tree::Text(value)) {
                None => Ok(()),
                Some(_) => malformed("is given more than once"),
            };
        }
        match fields.entry(part.to_owned()).or_insert_with(|| Tree::Fields(BTreeMap::new())) {
            Tree::Fields(inner) => fields = inner,
            Tree::Text(_) => return malformed("is both a text and a structure"),
        }
    }
    Ok(())
}

fn boolean(text: &str) -> Result<bool, ()> {
    match text {
        _ if text.eq_ignore_ascii_case("true") => Ok(true),
        _ if text.eq_ignore_ascii_case("false") => Ok(false),
        _ => Err(()),
    }
}

fn wrong(text: &str, parameter: &str) -> Failure {
    Failure::value(parameter, text, "")
}

impl Tree {
    /// A text that is to be of a form; which parameter has it, is told by who knows.
    fn parsed<T>(self, expected: &str, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, Failure> {
        match self {
            Tree::Text(text) => parse(&text).ok_or_else(|| {
                let text = shown(&text);
                let message = format!("Value ({text}) for parameter is invalid. Expected {expected}.");
                Failure::new("InvalidParameterValue", message)
            }),
            Tree::Fields(_) => Err(unexpected("a structure", expected)),
        }
    }
}

fn unexpected(found: &str, expected: &str) -> Failure {
    Failure::new("InvalidParameterValue", format!("Value ({found}) for parameter is invalid. Expected {expected}."))
}

macro_rules! numbers {
    ($($method:ident $visit:ident $type:ty,)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
            visitor.$visit(self.parsed("an integer", |text| text.parse::<$type>().ok())?)
        })*
    };
}

impl<'de> Deserializer<'de> for Tree {
    type Error = Failure;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self {
            Tree::Text(text) => visitor.visit_string(text),
            Tree::Fields(fields) => visitor.visit_map(Fields { left: fields.into_iter(), value: None }),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_bool(self.parsed("true or false", |text| boolean(text).ok())?)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_newtype_struct(self)
    }

    /// A list: its items in the order of their numbers.
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        let Tree::Fields(fields) = self else { return Err(unexpected("a text", "a list")) };
        let mut items = fields
            .into_iter()
            .map(|(number, item)| Some((number.parse::<u32>().ok()?, item)))
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| unexpected("a structure", "a list"))?;
        items.sort_by_key(|(number, _)| *number);
        visitor.visit_seq(SeqDeserializer::new(items.into_iter().map(|(_, item)| item)))
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_string(self.parsed("a text", |text| Some(text.to_owned()))?)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_string(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        match self {
            // A structure that is given and empty.
            Tree::Text(text) if text.is_empty() => Tree::Fields(BTreeMap::new()).deserialize_any(visitor),
            Tree::Text(_) => Err(unexpected("a text", "a structure")),
            fields => fields.deserialize_any(visitor),
        }
    }

    numbers! {
        deserialize_i32 visit_i32 i32,
        deserialize_i64 visit_i64 i64,
        deserialize_u8 visit_u8 u8,
        deserialize_u32 visit_u32 u32,
        deserialize_u64 visit_u64 u64,
    }

    forward_to_deserialize_any! {
        i8 i16 i128 u16 u128 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct map enum identifier
        ignored_any
    }
}

impl IntoDeserializer<'_, Failure> for Tree {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// The fields of a structure.
struct Fields {
    left: IntoIter<String, Tree>,
    value: Option<(String, Tree)>,
}

impl<'de> MapAccess<'de> for Fields {
    type Error = Failure;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Failure> {
        let Some((name, value)) = self.left.next() else { return Ok(None) };
        let key: StringDeserializer<Failure> = name.clone().into_deserializer();
        self.value = Some((name, value));
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Failure> {
        let (name, value) =
            self.value.take().ok_or_else(|| <Failure as de::Error>::custom("a value comes after its name"))?;
        Failure::of(seed.deserialize(value), &name)
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
    struct Foo {
        instance_id: Vec<String>,
        max_results: Option<u32>,
        enabled: Option<bool>,
        filter: Vec<Bar>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "PascalCase", deny_unknown_fields)]
    struct Bar {
        name: String,
        #[serde(default)]
        value: Vec<String>,
    }

    fn read(form: &str) -> Result<Foo, String> {
        let form = format!("Action=Foo&Version=2016-11-15&{form}");
        Call::parse(form.as_bytes()).and_then(|call| call.read()).map_err(|failure| failure.to_string())
    }

    #[test]
    fn names_with_dots_are_lists_and_structures() {
        let many = (1..=11).map(|n| format!("InstanceId.{n}=i-{n}&")).collect::<String>();
        let foo =
            read(&(many + "MaxResults=5&Enabled=True&Filter.1.Name=tag%3AA+b&Filter.1.Value.2=y&Filter.1.Value.1=x"));
        let foo = foo.unwrap();
        assert_eq!((&*foo.instance_id[1], &*foo.instance_id[9], foo.instance_id.len()), ("i-2", "i-10", 11));
        assert_eq!((foo.max_results, foo.enabled), (Some(5), Some(true)));
        assert_eq!(foo.filter, [Bar { name: "tag:A b".into(), value: vec!["x".into(), "y".into()] }]);
        assert_eq!(read(""), Ok(Foo::default()));
    }

    #[test]
    fn what_is_wrong_is_told_in_ec2s_words() {
        for (form, wrong) in [
            (
                "Fo=1",
                "UnknownParameter: The parameter Fo is not recognized. Offered here are: InstanceId, MaxResults, Enabled, Filter",
            ),
            ("Filter.1.Value.1=x", "MissingParameter: The request must contain the parameter Name"),
            (
                "MaxResults=x",
                "InvalidParameterValue: Value (x) for parameter MaxResults is invalid. Expected an integer.",
            ),
            (
                "MaxResults=for+parameter+is",
                "InvalidParameterValue: Value (for parameter is) for parameter MaxResults is invalid. Expected an integer.",
            ),
            (
                "MaxResults=-1",
                "InvalidParameterValue: Value (-1) for parameter MaxResults is invalid. Expected an integer.",
            ),
            ("Enabled=1", "InvalidParameterValue: Value (1) for parameter Enabled is invalid. Expected true or false."),
            (
                "InstanceId=i-1",
                "InvalidParameterValue: Value (a text) for parameter InstanceId is invalid. Expected a list.",
            ),
            (
                "InstanceId.a=i-1",
                "InvalidParameterValue: Value (a structure) for parameter InstanceId is invalid. Expected a list.",
            ),
            ("DryRun=yes", "InvalidParameterValue: Value (yes) for parameter DryRun is invalid."),
            ("a=1&a=2", "MalformedQueryString: The parameter a is given more than once"),
            ("a=1&a.b=2", "MalformedQueryString: The parameter a.b is both a text and a structure"),
            ("a..b=1", "MalformedQueryString: The parameter a..b has an empty part"),
            ("a.b.c.d.e.f.g.h.i=1", "MalformedQueryString: The parameter a.b.c.d.e.f.g.h.i has too many parts"),
        ] {
            assert_eq!(read(form).unwrap_err(), wrong, "{form}");
        }
        let many = "a=1&".repeat(PARAMETERS_MAX + 1);
        assert!(Call::parse(many.as_bytes()).is_err());
        for (form, code) in
            [("", "MissingParameter"), ("Action=Foo", "MissingParameter"), ("Action=Foo&Version=1", "NoSuchVersion")]
        {
            assert_eq!(Call::parse(form.as_bytes()).err().unwrap().code, code);
        }
    }

    #[test]
    fn signatures_are_no_parameters() {
        let form = "Action=Foo&Version=2016-11-15&AWSAccessKeyId=A&Signature=s&X-Amz-Credential=c&DryRun=true";
        let call = Call::parse(form.as_bytes()).unwrap();
        assert!(call.is_dry_run);
        assert!(call.parameters == Tree::Fields(BTreeMap::new()));
    }
}
