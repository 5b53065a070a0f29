//! Variables: how much of them, and whether those an operation requires are there.

use async_graphql::parser::types::OperationDefinition;
use async_graphql::{Value, Variables};

use super::Limits;
use super::code::{EdgeCode, Rejection};

/// Refuses more or deeper variables than any client of ours sends.
pub(super) fn check_size(variables: &Variables, limits: &Limits) -> Result<(), Rejection> {
    if variables.len() > limits.variables {
        return Err(too_complex("Too many variables were sent."));
    }
    variables.values().try_for_each(|value| check_value(value, limits.value_depth, limits))
}

/// Refuses an operation whose non-null variables are missing or null: the executor would find out
/// only while it is running, and answer data for what is an error of the request.
pub(super) fn check_required(
    operation: &OperationDefinition,
    variables: &Variables,
) -> Result<(), Rejection> {
    for definition in &operation.variable_definitions {
        let variable = &definition.node;
        let (name, expected) = (&variable.name.node, &variable.var_type.node);
        let given = variables.get(name);
        let null = given == Some(&Value::Null);
        let missing = given.is_none() && variable.default_value.is_none();
        if !expected.nullable && (null || missing) {
            let problem = if null { "must not be null" } else { "was not provided" };
            let message =
                format!("Variable \"${name}\" of required type \"{expected}\" {problem}.");
            return Err(Rejection::new(EdgeCode::ValidationFailed, message).at(variable.name.pos));
        }
    }
    Ok(())
}

fn check_value(value: &Value, depth: u32, limits: &Limits) -> Result<(), Rejection> {
    let below =
        || depth.checked_sub(1).ok_or_else(|| too_complex("A variable is nested too deeply."));
    match value {
        Value::List(items) if items.len() > limits.list_items => {
            Err(too_complex("A list in the variables is too long."))
        }
        Value::List(items) => {
            let depth = below()?;
            items.iter().try_for_each(|item| check_value(item, depth, limits))
        }
        Value::Object(fields) => {
            let depth = below()?;
            fields.values().try_for_each(|field| check_value(field, depth, limits))
        }
        _ => Ok(()),
    }
}

fn too_complex(message: &'static str) -> Rejection {
    Rejection::new(EdgeCode::TooComplex, message)
}
