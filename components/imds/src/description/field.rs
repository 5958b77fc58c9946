//! What is known of a field besides its type: whether it is a secret or a time, when
//! it can change, and whether it is in the identity document.
//!
//! It is declared once, with the field. The rules that depend on it read it from
//! [`KNOWN`], and shells from the schema.

use core::net::{Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use super::Description;
use super::operation::Operation;
use super::part::Part;
use super::problem::pointer_step;

/// A field of a table.
pub struct Field {
    /// Its name in a description.
    pub name: &'static str,
    /// What its values are.
    pub shape: Shape,
    /// When it can change.
    pub changes: Changes,
    /// Whether the identity document tells of it.
    pub is_identity: bool,
}

/// When a field can change.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Changes {
    /// At any time until the instance is terminated.
    Running,
    /// While the instance is stopped. Source: EC2 user guide,
    /// `ModifyInstanceAttribute`.
    Stopped,
    /// Never: an instance is launched with it and keeps it for life.
    Never,
}

impl Changes {
    /// The word as the schema writes it.
    #[cfg(feature = "schema")]
    pub fn as_str(self) -> &'static str {
        match self {
            Changes::Running => "running",
            Changes::Stopped => "stopped",
            Changes::Never => "never",
        }
    }
}

/// What the values of a field are, as far as rules depend on it.
#[derive(Clone, Copy)]
pub enum Shape {
    /// Anything else.
    Plain,
    /// What no log and no operator's screen shows.
    Secret,
    /// A time, which may be relative.
    Time,
    /// A table.
    Table(&'static Table),
    /// A list of such values.
    List(&'static Shape),
}

/// A type of tables.
pub struct Table {
    /// The type, as the schema calls it.
    #[cfg_attr(not(feature = "schema"), allow(dead_code, reason = "only the schema names types"))]
    pub name: &'static str,
    /// Its fields, in the order of their declaration.
    pub fields: &'static [Field],
}

/// A type of values.
pub trait Shaped {
    /// What its values are.
    const SHAPE: Shape;
}

impl Field {
    /// A field that can change at any time.
    pub const fn new(name: &'static str, shape: Shape) -> Field {
        Field { name, shape, changes: Changes::Running, is_identity: false }
    }

    /// The same with a name that is not that of the type's field.
    pub const fn named(self, name: &'static str) -> Field {
        Field { name, ..self }
    }

    /// The same as a secret, whatever its type.
    pub const fn secret(self) -> Field {
        Field { shape: Shape::Secret, ..self }
    }

    /// The same, changed only while the instance is stopped.
    pub const fn stopped(self) -> Field {
        Field { changes: Changes::Stopped, ..self }
    }

    /// The same, never changed.
    pub const fn never(self) -> Field {
        Field { changes: Changes::Never, ..self }
    }

    /// The same, of which the identity document tells.
    pub const fn identity(self) -> Field {
        Field { is_identity: true, ..self }
    }
}

/// The name of a field as a description writes it, `user-data` for `user_data`, in
/// as many bytes.
pub const fn hyphens<const N: usize>(name: &str) -> [u8; N] {
    let mut bytes = [0; N];
    let mut index = 0;
    while index < N {
        bytes[index] = match name.as_bytes()[index] {
            b'_' => b'-',
            byte => byte,
        };
        index += 1;
    }
    bytes
}

/// The fields of a description and of an operation of which rules know.
pub struct Known {
    /// JSON Pointers to what an instance keeps for life.
    pub never: Vec<String>,
    /// JSON Pointers to what changes only while it is stopped.
    pub stopped: Vec<String>,
    /// JSON Pointers to that of which the identity document tells.
    pub identity: Vec<String>,
    /// Names of fields, from the outermost in, to secrets; `*` stands for each entry
    /// of a list.
    pub secrets: Vec<Vec<&'static str>>,
    /// The same to times.
    pub times: Vec<Vec<&'static str>>,
}

/// All of them.
pub static KNOWN: LazyLock<Known> = LazyLock::new(|| {
    let mut known =
        Known { never: Vec::new(), stopped: Vec::new(), identity: Vec::new(), secrets: Vec::new(), times: Vec::new() };
    known.add(Description::SHAPE, &mut Vec::new());
    known.add(Operation::SHAPE, &mut vec![super::operation::FIELD]);
    known
});

impl Known {
    /// Adds what is known of a shape at a path, which is left as it is.
    fn add(&mut self, shape: Shape, path: &mut Vec<&'static str>) {
        match shape {
            Shape::Plain => {}
            Shape::Secret => self.secrets.push(path.clone()),
            Shape::Time => self.times.push(path.clone()),
            Shape::List(shape) => {
                path.push("*");
                self.add(*shape, path);
                path.pop();
            }
            Shape::Table(table) => {
                for field in table.fields {
                    path.push(field.name);
                    self.add_field(field, path);
                    path.pop();
                }
            }
        }
    }

    fn add_field(&mut self, field: &Field, path: &mut Vec<&'static str>) {
        let pointer = || path.iter().map(|name| pointer_step(name)).collect();
        match field.changes {
            Changes::Running => {}
            Changes::Stopped => self.stopped.push(pointer()),
            Changes::Never => self.never.push(pointer()),
        }
        if field.is_identity {
            self.identity.push(pointer());
        }
        self.add(field.shape, path);
    }
}

impl<T: Shaped> Shaped for Option<T> {
    const SHAPE: Shape = T::SHAPE;
}

impl<T: Shaped> Shaped for Part<T> {
    const SHAPE: Shape = T::SHAPE;
}

impl<T: Shaped + 'static> Shaped for Vec<T> {
    const SHAPE: Shape = Shape::List(&T::SHAPE);
}

macro_rules! plain {
    ($($type:ty),*) => { $(impl Shaped for $type {
        const SHAPE: Shape = Shape::Plain;
    })* };
}

plain!(bool, u16, u32, String, Ipv4Addr, Ipv6Addr);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_known_by_their_places() {
        let dotted = |paths: &[Vec<&str>]| paths.iter().map(|path| path.join(".")).collect::<Vec<_>>();
        assert_eq!(KNOWN.stopped, ["/instance-type", "/user-data", "/user-data-base64", "/kernel-id", "/ramdisk-id"]);
        assert!(KNOWN.never.contains(&"/placement/availability-zone".to_owned()));
        assert!(KNOWN.identity.contains(&"/network-interfaces".to_owned()));
        let times = dotted(&KNOWN.times);
        for time in ["launch-time", "events.*.not-after", "faults.*.from", "operation.interrupt.time"] {
            assert!(times.contains(&time.to_owned()), "{time}: {times:?}");
        }
        assert_eq!(
            dotted(&KNOWN.secrets),
            [
                "user-data",
                "user-data-base64",
                "iam-instance-profile.credentials-source.process",
                "iam-instance-profile.credentials.access-key-id",
                "iam-instance-profile.credentials.secret-access-key",
                "iam-instance-profile.credentials.session-token",
                "iam-instance-profile.credentials-without-token.access-key-id",
                "iam-instance-profile.credentials-without-token.secret-access-key",
                "iam-instance-profile.credentials-without-token.session-token",
                "container-credentials.*.credentials-id",
                "container-credentials.*.authorization-token",
                "container-credentials.*.credentials.access-key-id",
                "container-credentials.*.credentials.secret-access-key",
                "container-credentials.*.credentials.session-token",
                "extra-entries",
            ]
        );
    }
}
