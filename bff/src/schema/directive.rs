//! Directives of the schema: what a nullable field means, and keys that make a retry safe.

use std::borrow::Cow;

use async_graphql::indexmap::IndexMap;
use async_graphql::registry::{
    __DirectiveLocation as Location, Deprecation, MetaDirective, MetaDirectiveInvocation,
    MetaInputValue, Registry, location_traits::Directive_At_FIELD_DEFINITION,
};
use async_graphql::{Context, CustomDirective, Directive, InputType, Name, TypeDirective, Value};

/// Marks a field as null only when resolving failed, as Relay and Apollo Kotlin read it.
///
/// Written out because the macro would spell the default of `levels` at each use.
pub struct SemanticNonNull;

impl SemanticNonNull {
    /// The directive as a field carries it.
    pub fn apply() -> MetaDirectiveInvocation {
        MetaDirectiveInvocation { name: Self.name().into_owned(), args: IndexMap::new() }
    }
}

impl TypeDirective for SemanticNonNull {
    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed("semanticNonNull")
    }

    fn register(&self, registry: &mut Registry) {
        let levels = MetaInputValue {
            name: "levels".to_owned(),
            description: Some(
                "Depths of lists at which it holds; 0 is the field itself.".to_owned(),
            ),
            ty: <Vec<i32> as InputType>::create_type_info(registry),
            deprecation: Deprecation::NoDeprecated,
            default_value: Some("[0]".to_owned()),
            visible: None,
            inaccessible: false,
            tags: Vec::new(),
            is_secret: false,
            directive_invocations: Vec::new(),
        };
        registry.add_directive(MetaDirective {
            name: self.name().into_owned(),
            description: Some(
                "Null only when resolving failed, never as a business value.".to_owned(),
            ),
            locations: vec![Location::FIELD_DEFINITION],
            args: IndexMap::from_iter([(levels.name.clone(), levels)]),
            is_repeatable: false,
            visible: None,
            composable: None,
        });
    }
}

impl Directive_At_FIELD_DEFINITION for SemanticNonNull {}

struct Idempotent;

impl CustomDirective for Idempotent {}

/// Makes a retried mutation safe: the same key and input return the first result for 24 hours.
/// The same key with another input fails with IDEMPOTENCY_KEY_REUSED. Use one fresh UUID per intention.
#[allow(unused_variables, reason = "mutations read the key themselves")]
#[Directive(location = "Field")]
pub fn idempotent(
    #[graphql(desc = "Fresh for each intention, such as a UUID.")] key: String,
) -> impl CustomDirective {
    Idempotent
}

/// The key given with `@idempotent(key:)` on the field being resolved.
pub fn idempotency_key(ctx: &Context<'_>) -> Option<String> {
    let directives = &ctx.item.node.directives;
    let directive = directives.iter().find(|given| given.node.name.node == "idempotent")?;
    let key = directive.node.get_argument("key")?.node.clone();
    let variable = |name: &Name| {
        let defined = &ctx.query_env.operation.node.variable_definitions;
        let default = || defined.iter().find(|it| it.node.name.node == *name)?.node.default_value();
        ctx.query_env.variables.get(name).or_else(default).cloned()
    };
    match key.into_const_with(|name| variable(&name).ok_or(())) {
        Ok(Value::String(key)) => Some(key),
        _ => None,
    }
}
