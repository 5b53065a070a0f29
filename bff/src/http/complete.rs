//! Makes of what the library executed the answer the specification asks for.
//!
//! Since 7.1 async-graphql leaves failed fields out of their object instead of making them null, makes an
//! object null of which every field failed, does not pass a failure on from where null is not allowed
//! (section 6.4.4 of the specification), and writes fields in the order they were finished instead of
//! the order they were asked for (section 7.2.2).

use async_graphql::parser::types::{BaseType, OperationType, Type};
use async_graphql::{PathSegment, ServerError, Value};

use super::types::{Types, innermost};
use crate::guard::{Entry, Outline};

/// Completes the data of an answer.
pub(super) fn complete(
    data: &mut Value,
    errors: &[ServerError],
    outline: &Outline,
    kind: OperationType,
    types: &Types,
) {
    let failed = errors.iter().filter(|error| !error.path.is_empty());
    let places: Vec<_> =
        failed.map(|error| Place::find(data, &error.path, outline, kind, types)).collect();
    for place in &places {
        put_null(data, place.path, outline);
    }
    // Afterwards, so that nothing is put back into what a failure took along.
    for place in &places {
        if let Some(taken) = place.taken {
            put_null(data, taken, outline);
        }
    }
    order(data, outline);
}

/// Where a failure shows.
struct Place<'a> {
    /// The field or item that failed.
    path: &'a [PathSegment],
    /// What it takes along, because it must not be null itself.
    taken: Option<&'a [PathSegment]>,
}

impl<'a> Place<'a> {
    fn find(
        data: &Value,
        path: &'a [PathSegment],
        outline: &Outline,
        kind: OperationType,
        types: &Types,
    ) -> Self {
        let (mut outline, mut value) = (Some(outline), Some(data));
        let mut parent = types.root(kind);
        let mut ty: Option<&Type> = None;
        // The answer itself may always be null.
        let mut nearest = 0;
        let mut nullable = true;
        let mut length = 0;
        for segment in path {
            match segment {
                PathSegment::Field(key) => {
                    let entry = outline.and_then(|outline| outline.entry(key));
                    ty = entry.and_then(|entry| type_of(entry, parent, types));
                    parent = ty.map(innermost);
                    outline = entry.map(|entry| &entry.below);
                    value = match value {
                        Some(Value::Object(fields)) => fields.get(key.as_str()),
                        _ => None,
                    };
                }
                PathSegment::Index(index) => {
                    // A list that failed as a whole is not there; then it is what failed.
                    let Some(Value::List(items)) = value else { break };
                    value = items.get(*index);
                    ty = ty.and_then(|ty| match &ty.base {
                        BaseType::List(item) => Some(&**item),
                        BaseType::Named(_) => None,
                    });
                }
            }
            length += 1;
            nullable = ty.is_none_or(|ty| ty.nullable);
            if nullable {
                nearest = length;
            }
        }
        let (path, taken) = (&path[..length], &path[..nearest]);
        Self { path, taken: (!nullable).then_some(taken) }
    }
}

fn type_of<'a>(entry: &Entry, parent: Option<&str>, types: &'a Types) -> Option<&'a Type> {
    let on = entry.on.as_ref().map(|name| name.as_str());
    let of = |name: Option<&str>| name.and_then(|name| types.field(name, &entry.field));
    of(on).or_else(|| of(parent))
}

/// Makes what stands at a path null; objects on the way that were left null are begun anew.
fn put_null(data: &mut Value, path: &[PathSegment], outline: &Outline) {
    let (mut value, mut outline) = (data, Some(outline));
    for segment in path {
        match segment {
            PathSegment::Field(key) => {
                let Some(entry) = outline.and_then(|outline| outline.entry(key)) else { return };
                outline = Some(&entry.below);
                if *value == Value::Null {
                    *value = Value::Object(Default::default());
                }
                let Value::Object(fields) = value else { return };
                value = fields.entry(entry.key.clone()).or_default();
            }
            PathSegment::Index(index) => {
                let Value::List(items) = value else { return };
                let Some(item) = items.get_mut(*index) else { return };
                value = item;
            }
        }
    }
    *value = Value::Null;
}

/// Brings the fields of every object into the order they were asked for.
fn order(value: &mut Value, outline: &Outline) {
    match value {
        Value::List(items) => items.iter_mut().for_each(|item| order(item, outline)),
        Value::Object(fields) if !outline.entries.is_empty() => {
            let mut entries = outline.entries.iter();
            let in_order = fields.keys().all(|key| entries.any(|entry| entry.key == *key));
            if !in_order {
                fields.sort_by_cached_key(|key, _| {
                    outline.entries.iter().position(|entry| entry.key == *key)
                });
            }
            let mut entries = outline.entries.iter();
            for (key, field) in fields.iter_mut() {
                if let Some(entry) = entries.find(|entry| entry.key == *key)
                    && !entry.below.entries.is_empty()
                {
                    order(field, &entry.below);
                }
            }
        }
        _ => {}
    }
}
