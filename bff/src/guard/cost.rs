//! What an operation may at most make the platform fetch: fields times the sizes of the pages they are on.

use std::collections::HashMap;

use async_graphql::parser::types::{
    ExecutableDocument, Field, OperationDefinition, Selection, SelectionSet,
};
use async_graphql::{Name, Value, Variables};

use super::Limits;

/// Cost of an operation, and whether other variables could change it.
pub(super) struct Cost {
    pub points: u64,
    pub fixed: bool,
}

/// Adds up an operation; fragments are opened once each, and sums stop at the largest number.
pub(super) fn of_operation(
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    variables: &Variables,
    limits: &Limits,
) -> Cost {
    let mut bill =
        Bill { document, operation, variables, limits, fragments: HashMap::new(), fixed: true };
    let points = bill.set(&operation.selection_set.node).total();
    Cost { points, fixed: bill.fixed }
}

/// A level's points: those of the rows of a page, and those beside them.
#[derive(Clone, Copy, Default)]
struct Points {
    beside: u64,
    rows: u64,
    /// True when the level has `edges` or `nodes`, which makes its field a connection.
    paged: bool,
}

impl Points {
    fn total(self) -> u64 {
        self.beside.saturating_add(self.rows)
    }
}

struct Bill<'a> {
    document: &'a ExecutableDocument,
    operation: &'a OperationDefinition,
    variables: &'a Variables,
    limits: &'a Limits,
    fragments: HashMap<&'a str, Points>,
    fixed: bool,
}

impl<'a> Bill<'a> {
    fn set(&mut self, set: &'a SelectionSet) -> Points {
        let mut level = Points::default();
        for selection in &set.items {
            let points = match &selection.node {
                Selection::Field(field) => self.field(&field.node),
                Selection::InlineFragment(inline) => self.set(&inline.node.selection_set.node),
                Selection::FragmentSpread(spread) => self.fragment(&spread.node.fragment_name.node),
            };
            level.beside = level.beside.saturating_add(points.beside);
            level.rows = level.rows.saturating_add(points.rows);
            level.paged |= points.paged;
        }
        level
    }

    fn field(&mut self, field: &'a Field) -> Points {
        let below = self.set(&field.selection_set.node);
        let name = field.name.node.as_str();
        if field.arguments.is_empty() {
            match name {
                // The shape of a page, not a thing fetched: what stands below them counts.
                "edges" | "nodes" => {
                    return Points { beside: 0, rows: below.total(), paged: true };
                }
                "node" => return Points { beside: below.total(), rows: 0, paged: false },
                _ => {}
            }
        }
        let asked = self.size(field);
        let points = if below.paged {
            let size = asked.unwrap_or(u64::from(self.limits.default_page));
            below.beside.saturating_add(below.rows.saturating_mul(size))
        } else {
            below.total().saturating_mul(asked.unwrap_or(1))
        };
        Points { beside: points.saturating_add(1), rows: 0, paged: false }
    }

    fn fragment(&mut self, name: &'a Name) -> Points {
        if let Some(points) = self.fragments.get(name.as_str()) {
            return *points;
        }
        let Some(fragment) = self.document.fragments.get(name) else {
            return Points::default();
        };
        let points = self.set(&fragment.node.selection_set.node);
        self.fragments.insert(name.as_str(), points);
        points
    }

    /// How many things a field was asked for, when its arguments or its name tell.
    fn size(&mut self, field: &Field) -> Option<u64> {
        let lists = &self.limits.list_sizes;
        let usual = lists.iter().find(|(name, _)| *name == field.name.node.as_str());
        let mut size = usual.map(|(_, size)| u64::from(*size));
        for (name, value) in &field.arguments {
            if matches!(name.node.as_str(), "first" | "last" | "ids") {
                let given = value.node.clone().into_const_with(|variable| self.given(&variable));
                size = size.max(given.ok().as_ref().and_then(count));
            }
        }
        size
    }

    fn given(&mut self, name: &Name) -> Result<Value, ()> {
        self.fixed = false;
        let definitions = &self.operation.variable_definitions;
        let default = || {
            let definition = definitions.iter().find(|it| it.node.name.node == *name)?;
            definition.node.default_value.as_ref().map(|value| &value.node)
        };
        self.variables.get(name).or_else(default).cloned().ok_or(())
    }
}

fn count(value: &Value) -> Option<u64> {
    match value {
        // A negative page is refused where it is fetched; until then it counts as one.
        Value::Number(number) => Some(number.as_u64().unwrap_or(1)),
        Value::List(items) => Some(items.len() as u64),
        _ => None,
    }
}
