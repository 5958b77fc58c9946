//! Answers: elements with texts or with elements in them, as EC2's API writes them.

use std::borrow::Cow;
use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

/// The namespace of all answers that are no errors.
pub(super) const NAMESPACE: &str = "http://ec2.amazonaws.com/doc/2016-11-15/";

/// An element. Its fields are added in the order in which they are to stand.
#[derive(Clone, Debug)]
pub(super) struct Element {
    name: Cow<'static, str>,
    text: String,
    children: Vec<Element>,
    namespace: bool,
}

impl Element {
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self { name: name.into(), text: String::new(), children: Vec::new(), namespace: false }
    }

    /// One of a list.
    pub fn item() -> Self {
        Self::new("item")
    }

    /// The root of an answer, in EC2's namespace.
    pub fn root(name: String) -> Self {
        Self { namespace: true, ..Self::new(name) }
    }

    /// The same under another name.
    pub fn named(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = name.into();
        self
    }

    /// Adds a field with a text.
    pub fn text(self, name: &'static str, text: impl ToString) -> Self {
        let text = text.to_string().replace(|c| !is_xml(c), "\u{fffd}");
        self.child(Self { text, ..Self::new(name) })
    }

    /// One of a list of texts.
    pub fn item_of(text: impl ToString) -> Self {
        let text = text.to_string().replace(|c| !is_xml(c), "\u{fffd}");
        Self { text, ..Self::item() }
    }

    /// Adds a field if it has a text.
    pub fn some(self, name: &'static str, text: Option<impl ToString>) -> Self {
        match text {
            Some(text) => self.text(name, text),
            None => self,
        }
    }

    /// Adds a field that is made of others.
    pub fn child(mut self, child: Self) -> Self {
        self.children.push(child);
        self
    }

    /// Adds such a field if it is there.
    pub fn maybe(self, child: Option<Self>) -> Self {
        match child {
            Some(child) => self.child(child),
            None => self,
        }
    }

    /// Adds a list.
    pub fn set(self, name: &'static str, items: impl IntoIterator<Item = Self>) -> Self {
        let children = items.into_iter().map(|item| item.named("item")).collect();
        self.child(Self { children, ..Self::new(name) })
    }

    /// Adds the fields of another element.
    pub fn all_of(mut self, other: Self) -> Self {
        self.children.extend(other.children);
        self
    }

    /// The same with another field in the place of the one of its name.
    pub fn with(mut self, field: Self) -> Self {
        if let Some(its) = self.children.iter_mut().find(|its| its.name == field.name) {
            *its = field;
        }
        self
    }

    /// The text of an XML document of which it is the root.
    pub fn document(&self) -> String {
        let mut writer = Writer::new(Vec::new());
        let written = writer
            .write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))
            .and_then(|()| writer.write_event(Event::Text(BytesText::new("\n"))))
            .and_then(|()| self.write(&mut writer));
        // Writing to memory does not fail, and all of it is text.
        written.map_or_else(|_| String::new(), |()| String::from_utf8(writer.into_inner()).unwrap_or_default())
    }

    fn write(&self, writer: &mut Writer<Vec<u8>>) -> io::Result<()> {
        let mut element = writer.create_element(&*self.name);
        if self.namespace {
            element = element.with_attribute(("xmlns", NAMESPACE));
        }
        if self.children.is_empty() {
            return match &*self.text {
                "" => element.write_empty().map(drop),
                text => element.write_text_content(BytesText::new(text)).map(drop),
            };
        }
        element.write_inner_content(|writer| self.children.iter().try_for_each(|child| child.write(writer))).map(drop)
    }
}

/// Whether XML 1.0 has a character.
fn is_xml(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_written_in_their_order() {
        let tags = ["a&b", ""].map(|value| Element::new("x").text("value", value));
        let root = Element::root("FooResponse".to_owned())
            .text("requestId", "1")
            .some("absent", None::<&str>)
            .set("tagSet", tags)
            .set("emptySet", [])
            .child(Element::new("state").text("code", 16).text("name", "run\u{1}"));
        assert_eq!(
            root.document(),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <FooResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>1</requestId>\
             <tagSet><item><value>a&amp;b</value></item><item><value/></item></tagSet><emptySet/>\
             <state><code>16</code><name>run\u{fffd}</name></state></FooResponse>"
        );
    }
}
