//! Which fields of the schema may be null, read once from its SDL.

use std::collections::HashMap;

use async_graphql::Positioned;
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    BaseType, FieldDefinition, OperationType, Type, TypeKind, TypeSystemDefinition,
};

/// Types of fields, by the type they belong to.
#[derive(Debug, Default)]
pub(super) struct Types {
    fields: HashMap<String, HashMap<String, Type>>,
    query: Option<String>,
    mutation: Option<String>,
    subscription: Option<String>,
}

impl Types {
    /// Reads an SDL; what it does not tell is taken to be nullable.
    pub(super) fn read(sdl: &str) -> Self {
        let mut types = Self::default();
        let document = match parse_schema(sdl) {
            Ok(document) => document,
            Err(error) => {
                tracing::warn!(%error, "the schema cannot be read; failed fields become null where they stand");
                return types;
            }
        };
        for definition in document.definitions {
            match definition {
                TypeSystemDefinition::Schema(schema) => {
                    let name = |root: Option<Positioned<async_graphql::Name>>| {
                        root.map(|name| name.node.to_string())
                    };
                    types.query = name(schema.node.query);
                    types.mutation = name(schema.node.mutation);
                    types.subscription = name(schema.node.subscription);
                }
                TypeSystemDefinition::Type(definition) => {
                    let name = definition.node.name.node.to_string();
                    match definition.node.kind {
                        TypeKind::Object(object) => types.add(name, object.fields),
                        TypeKind::Interface(interface) => types.add(name, interface.fields),
                        _ => {}
                    }
                }
                TypeSystemDefinition::Directive(_) => {}
            }
        }
        types
    }

    fn add(&mut self, name: String, fields: Vec<Positioned<FieldDefinition>>) {
        let fields = fields.into_iter().map(|field| {
            let field = field.node;
            (field.name.node.to_string(), field.ty.node)
        });
        self.fields.entry(name).or_default().extend(fields);
    }

    /// The type an operation starts from.
    pub(super) fn root(&self, kind: OperationType) -> Option<&str> {
        let (name, usual) = match kind {
            OperationType::Query => (&self.query, "Query"),
            OperationType::Mutation => (&self.mutation, "Mutation"),
            OperationType::Subscription => (&self.subscription, "Subscription"),
        };
        let name = name.as_deref().unwrap_or(usual);
        self.fields.contains_key(name).then_some(name)
    }

    /// The type of a field of a type.
    pub(super) fn field(&self, parent: &str, field: &str) -> Option<&Type> {
        self.fields.get(parent)?.get(field)
    }
}

/// The name of the type within lists.
pub(super) fn innermost(ty: &Type) -> &str {
    match &ty.base {
        BaseType::Named(name) => name.as_str(),
        BaseType::List(items) => innermost(items),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_the_type_they_belong_to() {
        let types = Types::read(
            "interface Node { id: ID! } type Seat implements Node { id: ID! names: [String!] }
             type Start { seat: Seat! @semanticNonNull } schema { query: Start }
             directive @semanticNonNull(levels: [Int!]! = [0]) on FIELD_DEFINITION",
        );
        assert_eq!(types.root(OperationType::Query), Some("Start"));
        assert_eq!(types.root(OperationType::Mutation), None);
        let seat = types.field("Start", "seat").unwrap();
        assert!(!seat.nullable);
        let names = types.field(innermost(seat), "names").unwrap();
        assert!(names.nullable);
        assert_eq!(innermost(names), "String");
        assert!(types.field("Node", "id").is_some());
        assert!(types.field("Seat", "unknown").is_none());
    }

    #[test]
    fn what_cannot_be_read_tells_nothing() {
        assert_eq!(Types::read("{ a }").root(OperationType::Query), None);
    }
}
