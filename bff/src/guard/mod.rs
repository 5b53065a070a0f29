//! Decides whether a document is worth executing, before any library sees it.
//!
//! The text is scanned once in linear time, parsed once per document, and measured with every fragment
//! opened at most once. A bounded cache keeps what was parsed; what depends on variables, the cost of
//! pages, is added up again per request, in time linear in the document.

mod code;
mod cost;
mod lexer;
mod measure;
mod outline;
mod variables;
mod vet;

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::parser::types::{ExecutableDocument, OperationDefinition, OperationType};
use async_graphql::parser::{Error, parse_query};
use async_graphql::{Name, Pos, Variables};
use moka::sync::Cache;

pub use code::{EdgeCode, Rejection, coded};
pub use outline::{Entry, Outline};

/// How much one request may ask for.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of a document's text.
    pub text_bytes: usize,
    /// Tokens of a document.
    pub tokens: u32,
    /// Brackets of any kind within brackets.
    pub nesting: u32,
    /// Bytes of a name: answers repeat names in keys and paths.
    pub name_bytes: usize,
    /// Operations in a document.
    pub operations: usize,
    /// Levels of fields, fragments opened.
    pub depth: u32,
    /// Levels below `__schema` and `__type`; tools' own introspection queries are about 13 deep.
    pub introspection_depth: u32,
    /// Selections of any kind, fragments opened.
    pub selections: u64,
    /// Aliases, fragments opened.
    pub aliases: u64,
    /// Directives of any kind, fragments opened.
    pub directives: u64,
    /// Names of the directives there are; any other is refused at its first place.
    pub known_directives: Vec<&'static str>,
    /// Fields at the root of a query.
    pub query_fields: u64,
    /// Fields at the root of a mutation.
    pub mutation_fields: u64,
    /// Mutations of which an operation may hold one, once: those that cost a guesser nothing but a word.
    pub alone: Vec<&'static str>,
    /// Mutations that try to get in, told apart for those who count them.
    pub attempts: Vec<&'static str>,
    /// Points an operation may cost.
    pub cost: u64,
    /// Rows counted for a connection that names neither `first` nor `last`.
    pub default_page: u32,
    /// Rows counted for fields that are lists without saying so.
    pub list_sizes: Vec<(&'static str, u32)>,
    /// Variables declared or sent.
    pub variables: usize,
    /// Items of one list within the variables.
    pub list_items: usize,
    /// Levels of lists and objects within one variable.
    pub value_depth: u32,
    /// Whether `__schema` and `__type` are answered.
    pub introspection: bool,
    /// Bytes the parsed documents may take together, roughly.
    pub cache_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            text_bytes: 16 * 1024,
            tokens: 1_000,
            nesting: 40,
            name_bytes: 128,
            operations: 10,
            depth: 16,
            introspection_depth: 20,
            selections: 2_000,
            aliases: 30,
            directives: 20,
            known_directives: vec!["skip", "include"],
            query_fields: 20,
            mutation_fields: 3,
            alone: Vec::new(),
            attempts: Vec::new(),
            cost: 5_000,
            default_page: 20,
            list_sizes: Vec::new(),
            variables: 50,
            list_items: 1_000,
            value_depth: 64,
            introspection: true,
            cache_bytes: 32 * 1024 * 1024,
        }
    }
}

/// The guard of one schema.
#[derive(Debug)]
pub struct Guard {
    limits: Limits,
    documents: Cache<Arc<str>, Arc<Document>>,
}

/// A document that was let in.
#[derive(Debug)]
struct Document {
    parsed: ExecutableDocument,
    /// Bytes it takes, roughly.
    weight: u32,
    /// Cost of its only operation, when no variable can change it.
    fixed_cost: Option<u64>,
    /// Of every operation, by name.
    outlines: HashMap<Option<Name>, Arc<Outline>>,
}

/// An operation that was let in.
#[derive(Clone, Debug)]
pub struct Inspected {
    document: Arc<Document>,
    /// What its answer can hold.
    pub outline: Arc<Outline>,
    /// Query, mutation or subscription.
    pub kind: OperationType,
    /// Its name in the document.
    pub name: Option<Name>,
    /// Whether the document is one of those known beforehand; not for the guard to know.
    pub listed: bool,
    /// Points it costs at most.
    pub cost: u64,
    /// Fields at its root that try to get in.
    pub attempts: u64,
}

impl Inspected {
    /// The parsed form, a copy the executor may take apart.
    pub fn parsed(&self) -> ExecutableDocument {
        self.document.parsed.clone()
    }
}

impl Guard {
    /// A guard with an empty cache.
    pub fn new(limits: Limits) -> Self {
        let documents = Cache::builder()
            .max_capacity(limits.cache_bytes)
            .weigher(|_: &Arc<str>, document: &Arc<Document>| document.weight)
            .build();
        Self { limits, documents }
    }

    /// The limits it keeps.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// How many documents it remembers.
    pub fn remembered(&self) -> u64 {
        self.documents.run_pending_tasks();
        self.documents.entry_count()
    }

    /// Lets a request in, or says why not.
    pub fn inspect(
        &self,
        text: &str,
        operation_name: Option<&str>,
        variables: &Variables,
    ) -> Result<Inspected, Rejection> {
        variables::check_size(variables, &self.limits)?;
        let document = match self.documents.get(text) {
            Some(document) => document,
            None => {
                let document = Arc::new(self.read(text)?);
                self.documents.insert(text.into(), Arc::clone(&document));
                document
            }
        };
        let (name, operation) = chosen(&document.parsed, operation_name)?;
        let name = name.cloned();
        let outline = document.outlines.get(&name).cloned().unwrap_or_default();
        variables::check_required(operation, variables)?;
        let cost = document.fixed_cost.unwrap_or_else(|| {
            cost::of_operation(&document.parsed, operation, variables, &self.limits).points
        });
        if cost > self.limits.cost {
            let message = format!("The operation costs {cost} of {} points.", self.limits.cost);
            return Err(Rejection::new(EdgeCode::TooComplex, message));
        }
        let kind = operation.ty;
        let attempt = |field: &Name| self.limits.attempts.contains(&field.as_str());
        let attempts = match kind {
            OperationType::Mutation => {
                outline.entries.iter().filter(|entry| attempt(&entry.field)).count() as u64
            }
            _ => 0,
        };
        Ok(Inspected { document, outline, kind, name, listed: false, cost, attempts })
    }

    fn read(&self, text: &str) -> Result<Document, Rejection> {
        let tokens = lexer::count_tokens(text, &self.limits)?;
        let parsed = parse_query(text).map_err(|error| not_graphql(&error))?;
        let selections = measure::check(&parsed, &self.limits)?;
        let outlines = parsed.operations.iter().map(|(name, operation)| {
            let outline = Outline::of(&parsed, &operation.node.selection_set.node);
            (name.cloned(), Arc::new(outline))
        });
        let outlines = outlines.collect();
        let mut operations = parsed.operations.iter();
        let fixed_cost = match (operations.next(), operations.next()) {
            (Some((_, only)), None) => {
                let none = Variables::default();
                let cost = cost::of_operation(&parsed, &only.node, &none, &self.limits);
                cost.fixed.then_some(cost.points)
            }
            _ => None,
        };
        // A token becomes about a quarter of a kilobyte of names, positions and vectors, a selection
        // half of that in the outline.
        let parts = text.len() as u64 + u64::from(tokens) * 256 + selections * 128;
        let weight = u32::try_from(parts).unwrap_or(u32::MAX);
        Ok(Document { parsed, weight, fixed_cost, outlines })
    }
}

fn chosen<'a>(
    document: &'a ExecutableDocument,
    wanted: Option<&str>,
) -> Result<(Option<&'a Name>, &'a OperationDefinition), Rejection> {
    let refuse = |message: &'static str| Err(Rejection::new(EdgeCode::OperationNotFound, message));
    let mut operations = document.operations.iter();
    let found = match wanted {
        Some(wanted) => operations.find(|(name, _)| name.is_some_and(|name| name == wanted)),
        None if operations.len() > 1 => {
            return refuse("The document has several operations; operationName must choose one.");
        }
        None => operations.next(),
    };
    match found {
        Some((name, operation)) => Ok((name, &operation.node)),
        None => refuse("The document has no operation of that name."),
    }
}

/// The parser's own text draws the document around the error; a position and what was expected will do.
fn not_graphql(error: &Error) -> Rejection {
    let rejection = match error {
        Error::Syntax { message, .. } => {
            let expected = message.rsplit("= ").next().map(str::trim).unwrap_or_default();
            Rejection::new(EdgeCode::ParseFailed, format!("Syntax error: {expected}."))
        }
        other => Rejection::new(EdgeCode::ParseFailed, format!("Syntax error: {other}.")),
    };
    let position: Option<Pos> = error.positions().next();
    match position {
        Some(position) => rejection.at(position),
        None => rejection,
    }
}
