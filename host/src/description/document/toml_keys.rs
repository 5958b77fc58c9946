//! The names in a TOML text, as far as its parser could read it.

use std::borrow::Cow;
use std::ops::Range;

use ::toml::Spanned;
use ::toml::de::{DeTable, DeValue};

use crate::description::lines::Lines;

/// The names, in the order of the text.
pub(super) struct Keys<'r> {
    list: Vec<Key<'r>>,
}

/// A name and where it begins.
pub(super) struct Key<'r> {
    pub(super) name: &'r str,
    pub(super) at: usize,
    /// Where its value ends; of a table that has a header, the header.
    pub(super) end: usize,
    pub(super) kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// In the header of a table.
    Header,
    /// At the beginning of a line `name = value`.
    Line,
    /// Within a value.
    Inner,
}

impl<'r> Keys<'r> {
    pub(super) fn of(lines: &Lines<'_>, read: &'r DeTable<'_>) -> Self {
        let mut keys = Self { list: Vec::new() };
        keys.add_table(read, false, lines);
        keys.list.sort_by_key(|key| key.at);
        keys
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Key<'r>> {
        self.list.iter()
    }

    /// Where this name stands nearest before `end`.
    pub(super) fn last_before(&self, name: &str, end: usize) -> Option<usize> {
        let before = &self.list[..self.list.partition_point(|key| key.at < end)];
        before.iter().rfind(|key| key.name == name).map(|key| key.at)
    }

    fn add_table(&mut self, table: &'r DeTable<'_>, inner: bool, lines: &Lines<'_>) {
        for (name, value) in table {
            let name: &Spanned<Cow<'_, str>> = name;
            self.add(name.get_ref(), name.span().start..value.span().end, inner, lines);
            let inline = lines.text()[value.span().start..].starts_with('{');
            match value.get_ref() {
                DeValue::Table(table) => self.add_table(table, inner || inline, lines),
                DeValue::Array(items) => {
                    items.iter().for_each(|item| self.add_item(name.get_ref(), item, inner, lines));
                }
                _ => {}
            }
        }
    }

    fn add_item(&mut self, name: &'r str, item: &'r Spanned<DeValue<'_>>, inner: bool, lines: &Lines<'_>) {
        let at = item.span().start;
        match item.get_ref() {
            DeValue::Table(table) if lines.text()[at..].starts_with("[[") => {
                self.add(name, item.span(), inner, lines);
                self.add_table(table, inner, lines);
            }
            DeValue::Table(table) => self.add_table(table, true, lines),
            DeValue::Array(items) => items.iter().for_each(|item| self.add_item(name, item, true, lines)),
            _ => {}
        }
    }

    fn add(&mut self, name: &'r str, Range { start: at, end }: Range<usize>, inner: bool, lines: &Lines<'_>) {
        let line = &lines.text()[lines.around(at)];
        let kind = match inner {
            true => Kind::Inner,
            false if line.trim_start().starts_with('[') => Kind::Header,
            false => Kind::Line,
        };
        self.list.push(Key { name, at, end, kind });
    }
}
