//! Whether a document could ever be let in, whatever variables come with it.

use async_graphql::Variables;
use async_graphql::parser::types::ExecutableDocument;

use super::code::{EdgeCode, Rejection};
use super::{Guard, cost};

impl Guard {
    /// Reads a document as for a request, but keeps nothing of it; refuses one of which some operation costs
    /// too much.
    pub fn vet(&self, text: &str) -> Result<ExecutableDocument, Rejection> {
        let parsed = self.read(text)?.parsed;
        let none = Variables::default();
        for (_, operation) in parsed.operations.iter() {
            let cost = cost::of_operation(&parsed, &operation.node, &none, &self.limits);
            // Pages that variables size are judged with the variables.
            if cost.fixed && cost.points > self.limits.cost {
                let message =
                    format!("The operation costs {} of {} points.", cost.points, self.limits.cost);
                return Err(Rejection::new(EdgeCode::TooComplex, message).at(operation.pos));
            }
        }
        Ok(parsed)
    }
}
