//! The outline of an operation's answer: which keys an object can have, in the order they were asked for.

use async_graphql::Name;
use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};

/// Keys of one object, fragments opened, in order of first appearance.
#[derive(Debug, Default)]
pub struct Outline {
    /// The keys.
    pub entries: Vec<Entry>,
}

/// One key of an object.
#[derive(Debug)]
pub struct Entry {
    /// As it stands in the answer.
    pub key: Name,
    /// The field behind it.
    pub field: Name,
    /// The type a fragment around it names; None for the object's own.
    pub on: Option<Name>,
    /// What is below.
    pub below: Outline,
}

impl Outline {
    /// Outlines a selection set; the document must have been measured, which bounds how large this gets.
    pub(super) fn of(document: &ExecutableDocument, set: &SelectionSet) -> Self {
        let mut outline = Self::default();
        outline.add(document, set, None);
        outline
    }

    /// The entry of a key.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key.as_str() == key)
    }

    fn add(&mut self, document: &ExecutableDocument, set: &SelectionSet, on: Option<&Name>) {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => {
                    let field = &field.node;
                    let key = &field.alias.as_ref().unwrap_or(&field.name).node;
                    let known = self.entries.iter().position(|entry| entry.key == *key);
                    let at = known.unwrap_or_else(|| {
                        self.entries.push(Entry {
                            key: key.clone(),
                            field: field.name.node.clone(),
                            on: on.cloned(),
                            below: Self::default(),
                        });
                        self.entries.len() - 1
                    });
                    if let Some(entry) = self.entries.get_mut(at) {
                        entry.below.add(document, &field.selection_set.node, None);
                    }
                }
                Selection::InlineFragment(inline) => {
                    let named = inline.node.type_condition.as_ref().map(|it| &it.node.on.node);
                    self.add(document, &inline.node.selection_set.node, named.or(on));
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = document.fragments.get(&spread.node.fragment_name.node)
                    {
                        let named = &fragment.node.type_condition.node.on.node;
                        self.add(document, &fragment.node.selection_set.node, Some(named));
                    }
                }
            }
        }
    }
}
