//! What a document amounts to after its fragments are opened, without ever opening one twice.

use std::collections::HashMap;

use async_graphql::parser::types::{
    Directive, ExecutableDocument, OperationDefinition, OperationType, Selection, SelectionSet,
};
use async_graphql::{Name, Pos, Positioned};

use super::Limits;
use super::code::{EdgeCode, Rejection};

/// Fields of the introspection types that hold lists of types, and so multiply when nested.
const TYPE_LISTS: [&str; 4] = ["fields", "inputFields", "interfaces", "possibleTypes"];
/// One level of them is every tool's query; three levels are an attack (graphql-js draws the same line).
const MAX_TYPE_LISTS: u32 = 2;

/// Refuses a document above the limits, which every operation in it must keep; counts the selections of
/// them all.
pub(super) fn check(document: &ExecutableDocument, limits: &Limits) -> Result<u64, Rejection> {
    if document.operations.iter().len() > limits.operations {
        return Err(too_complex("The document has too many operations."));
    }
    let mut opened = Opened { document, limits, fragments: HashMap::new() };
    for name in document.fragments.keys() {
        opened.fragment(name, Pos::default())?;
    }
    let mut selections = 0_u64;
    for (_, operation) in document.operations.iter() {
        opened.known(&operation.node.directives)?;
        for variable in &operation.node.variable_definitions {
            opened.known(&variable.node.directives)?;
        }
        let shape = opened.set(&operation.node.selection_set.node)?;
        within(&shape, &operation.node, limits).map_err(|rejection| rejection.at(operation.pos))?;
        selections = selections.saturating_add(shape.selections);
    }
    Ok(selections)
}

fn within(
    shape: &Shape,
    operation: &OperationDefinition,
    limits: &Limits,
) -> Result<(), Rejection> {
    let variables = &operation.variable_definitions;
    let directives = operation.directives.len()
        + variables.iter().map(|variable| variable.node.directives.len()).sum::<usize>();
    let root_fields = match operation.ty {
        OperationType::Query => limits.query_fields,
        OperationType::Mutation => limits.mutation_fields,
        OperationType::Subscription => 1,
    };
    if shape.introspects && !limits.introspection {
        return Err(Rejection::new(
            EdgeCode::IntrospectionDisabled,
            "Introspection is switched off.",
        ));
    }
    if variables.len() > limits.variables {
        return Err(too_complex("The operation declares too many variables."));
    }
    if shape.selections > limits.selections {
        return Err(too_complex("The operation selects too much."));
    }
    if shape.depth > limits.depth
        || shape.type_depth > limits.introspection_depth
        || shape.type_lists > MAX_TYPE_LISTS
    {
        return Err(too_complex("The operation is nested too deeply."));
    }
    if shape.aliases > limits.aliases {
        return Err(too_complex("The operation has too many aliases."));
    }
    if shape.directives.saturating_add(directives as u64) > limits.directives {
        return Err(too_complex("The operation has too many directives."));
    }
    if shape.fields > root_fields {
        return Err(too_complex("The operation has too many root fields."));
    }
    if operation.ty == OperationType::Mutation && shape.alone > 1 {
        return Err(too_complex("Log-ins, sign-ups and refreshes must be sent one at a time."));
    }
    Ok(())
}

fn too_complex(message: &'static str) -> Rejection {
    Rejection::new(EdgeCode::TooComplex, message)
}

/// Of one selection set with everything below it.
#[derive(Clone, Copy, Default)]
struct Shape {
    depth: u32,
    /// Depth below `__schema` and `__type`, which count as one level of `depth`.
    type_depth: u32,
    /// Most lists of types on one path below them.
    type_lists: u32,
    /// The same, should this set turn out to stand below them.
    lists: u32,
    introspects: bool,
    fields: u64,
    /// Of these fields, those that an operation may hold one of.
    alone: u64,
    aliases: u64,
    directives: u64,
    selections: u64,
}

impl Shape {
    fn join(&mut self, other: Self) {
        self.depth = self.depth.max(other.depth);
        self.type_depth = self.type_depth.max(other.type_depth);
        self.type_lists = self.type_lists.max(other.type_lists);
        self.lists = self.lists.max(other.lists);
        self.introspects |= other.introspects;
        self.fields = self.fields.saturating_add(other.fields);
        self.alone = self.alone.saturating_add(other.alone);
        self.aliases = self.aliases.saturating_add(other.aliases);
        self.directives = self.directives.saturating_add(other.directives);
        self.selections = self.selections.saturating_add(other.selections);
    }

    /// The shape of a field that has this one below it.
    fn under(mut self, name: &str, limits: &Limits) -> Self {
        self.fields = 1;
        self.alone = u64::from(limits.alone.contains(&name));
        if matches!(name, "__schema" | "__type") {
            self.introspects = true;
            self.type_depth = self.depth.saturating_add(1);
            self.type_lists = self.lists;
            self.depth = 1;
        } else {
            self.depth = self.depth.saturating_add(1);
            self.lists = self.lists.saturating_add(u32::from(TYPE_LISTS.contains(&name)));
        }
        self
    }
}

struct Opened<'a> {
    document: &'a ExecutableDocument,
    limits: &'a Limits,
    /// None while a fragment is being opened: meeting that again is a cycle.
    fragments: HashMap<&'a str, Option<Shape>>,
}

impl<'a> Opened<'a> {
    /// One error for what would be one for each place.
    fn known(&self, directives: &[Positioned<Directive>]) -> Result<(), Rejection> {
        let known = |name: &str| self.limits.known_directives.contains(&name);
        match directives.iter().find(|directive| !known(directive.node.name.node.as_str())) {
            Some(directive) => {
                let message = format!("There is no directive @{}.", directive.node.name.node);
                let rejection = Rejection::new(EdgeCode::ValidationFailed, message);
                Err(rejection.at(directive.pos))
            }
            None => Ok(()),
        }
    }

    fn set(&mut self, set: &'a SelectionSet) -> Result<Shape, Rejection> {
        let mut whole = Shape::default();
        for selection in &set.items {
            let mut shape = match &selection.node {
                Selection::Field(field) => {
                    let mut shape = self
                        .set(&field.node.selection_set.node)?
                        .under(field.node.name.node.as_str(), self.limits);
                    shape.aliases += u64::from(field.node.alias.is_some());
                    shape
                }
                Selection::InlineFragment(inline) => self.set(&inline.node.selection_set.node)?,
                Selection::FragmentSpread(spread) => {
                    self.fragment(&spread.node.fragment_name.node, selection.pos)?
                }
            };
            shape.selections = shape.selections.saturating_add(1);
            let directives = selection.node.directives();
            self.known(directives)?;
            shape.directives = shape.directives.saturating_add(directives.len() as u64);
            whole.join(shape);
        }
        Ok(whole)
    }

    fn fragment(&mut self, name: &'a Name, position: Pos) -> Result<Shape, Rejection> {
        match self.fragments.get(name.as_str()) {
            Some(Some(shape)) => return Ok(*shape),
            Some(None) => {
                let message = "Fragments must not spread themselves.";
                return Err(Rejection::new(EdgeCode::ValidationFailed, message).at(position));
            }
            None => {}
        }
        // Unknown fragments are the validator's to report.
        let Some(fragment) = self.document.fragments.get(name) else {
            return Ok(Shape::default());
        };
        self.fragments.insert(name.as_str(), None);
        self.known(&fragment.node.directives)?;
        let mut shape = self.set(&fragment.node.selection_set.node)?;
        shape.directives = shape.directives.saturating_add(fragment.node.directives.len() as u64);
        self.fragments.insert(name.as_str(), Some(shape));
        Ok(shape)
    }
}
