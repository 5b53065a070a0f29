//! One event of a subscription: what hangs on it is loaded in a scope of its own.

use std::borrow::Cow;
use std::time::Duration;

use async_graphql::parser::types::Field;
use async_graphql::registry::Registry;
use async_graphql::{
    ContextSelectionSet, Data, OutputType, Positioned, ServerResult, Value, async_trait,
};
use tokio::time::Instant;

use super::scope::Scope;

/// For everything that hangs on one event.
const DEADLINE: Duration = Duration::from_secs(10);

/// A value that is resolved with fresh loaders and a fresh deadline; in the schema it is the value.
///
/// The data of a subscription lives as long as the subscription, and so would what its loaders remember.
pub struct Fresh<T> {
    value: T,
    data: Data,
}

impl<T> Fresh<T> {
    /// For the asker of a scope.
    pub fn new(scope: &Scope, value: T) -> Self {
        let mut data = Data::default();
        data.insert(scope.afresh(Instant::now() + DEADLINE));
        Self { value, data }
    }
}

#[async_trait::async_trait]
impl<T: OutputType> OutputType for Fresh<T> {
    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn qualified_type_name() -> String {
        T::qualified_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    async fn resolve(
        &self,
        ctx: &ContextSelectionSet<'_>,
        field: &Positioned<Field>,
    ) -> ServerResult<Value> {
        let mut ctx = ctx.clone();
        ctx.execute_data = Some(&self.data);
        self.value.resolve(&ctx, field).await
    }
}
