//! What the guard lets in, what it refuses, and what it thinks things cost.

#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

use async_graphql::Variables;
use moim_bff::guard::{EdgeCode, Guard, Inspected, Limits, Rejection};
use serde_json::{Value, json};

/// What GraphiQL and every code generator ask first.
const INTROSPECTION: &str = include_str!("guard/introspection.graphql");

fn inspect(guard: &Guard, text: &str, variables: Value) -> Result<Inspected, Rejection> {
    guard.inspect(text, None, &Variables::from_json(variables))
}

fn verdict(text: &str) -> Option<EdgeCode> {
    let guard = Guard::new(Limits::default());
    inspect(&guard, text, json!({})).err().map(|rejection| rejection.code)
}

fn cost(text: &str, variables: Value) -> u64 {
    let limits = Limits { cost: u64::MAX, list_sizes: vec![("regions", 250)], ..Limits::default() };
    inspect(&Guard::new(limits), text, variables).unwrap().cost
}

/// A selection so many fields deep.
fn deep(levels: usize) -> String {
    format!("{}{}", "{ a ".repeat(levels), "}".repeat(levels))
}

#[test]
fn each_limit_lets_its_last_value_in_and_refuses_the_next() {
    let fields = |count: usize| format!("{{ {} }}", "a ".repeat(count));
    let mutation = |count: usize| format!("mutation {}", fields(count));
    let aliases = |count: usize| {
        let all: String = (0..count).map(|n| format!("x{n}: b ")).collect();
        format!("{{ a {{ {all} }} }}")
    };
    let directives = |count: usize| format!("{{ a {{ {} }} }}", "b @skip ".repeat(count));
    let operations =
        |count: usize| (0..count).map(|n| format!("query Q{n} {{ a }} ")).collect::<String>();
    let variables = |count: usize| {
        let all: String = (0..count).map(|n| format!("$v{n}: Int ")).collect();
        format!("query ({all}) {{ a }}")
    };
    for (name, fits, exceeds) in [
        ("depth", deep(16), deep(17)),
        (
            "depth of inline fragments",
            format!("{{ ... {} }}", deep(16)),
            format!("{{ ... {} }}", deep(17)),
        ),
        ("query fields", fields(20), fields(21)),
        ("mutation fields", mutation(3), mutation(4)),
        ("aliases", aliases(30), aliases(31)),
        ("directives", directives(20), directives(21)),
        ("variables", variables(50), variables(51)),
    ] {
        assert_eq!(verdict(&fits), None, "{name}");
        assert_eq!(verdict(&exceeds), Some(EdgeCode::TooComplex), "{name}");
    }
    let guard = Guard::new(Limits::default());
    let none = Variables::default();
    assert!(guard.inspect(&operations(10), Some("Q9"), &none).is_ok());
    let refused = guard.inspect(&operations(11), Some("Q9"), &none).unwrap_err();
    assert_eq!(refused.code, EdgeCode::TooComplex);
}

#[test]
fn limits_are_kept_through_fragments() {
    let spreads = |count: usize, body: &str| {
        format!("{{ {} }} fragment F on Query {{ {body} }}", "a { ...F } ".repeat(count))
    };
    assert_eq!(verdict(&spreads(3, "x: b y: b z: b @skip")), None);
    assert_eq!(verdict(&spreads(16, "x: b y: b")), Some(EdgeCode::TooComplex), "aliases");
    assert_eq!(verdict(&spreads(11, "b @skip @include")), Some(EdgeCode::TooComplex), "directives");
    assert_eq!(
        verdict(&spreads(1, &format!("a {}", deep(15)))),
        Some(EdgeCode::TooComplex),
        "depth"
    );
    let many = format!("{{ ...F }} fragment F on Query {{ {} }}", "a ".repeat(21));
    assert_eq!(verdict(&many), Some(EdgeCode::TooComplex), "root fields");
}

#[test]
fn some_mutations_come_one_at_a_time_and_tries_to_get_in_are_told() {
    let limits =
        Limits { alone: vec!["logIn", "refresh"], attempts: vec!["logIn"], ..Limits::default() };
    let guard = Guard::new(limits);
    for (text, attempts) in [
        ("mutation { logIn { a } }", 1),
        ("mutation { ...F } fragment F on M { x: logIn { a } }", 1),
        ("mutation { x: refresh { a } b }", 0),
        ("mutation { b { logIn refresh logIn } }", 0),
        ("{ logIn refresh }", 0),
    ] {
        assert_eq!(inspect(&guard, text, json!({})).unwrap().attempts, attempts, "{text}");
    }
    for text in [
        "mutation { a: logIn b: logIn }",
        "mutation { logIn refresh }",
        "mutation { ...F ...G } fragment F on M { logIn } fragment G on M { x: logIn }",
        "mutation { logIn ... { ... on M { x: refresh } } }",
        "query A { b } mutation B { a: logIn b: logIn }",
    ] {
        let refused = inspect(&guard, text, json!({})).unwrap_err();
        assert_eq!(refused.code, EdgeCode::TooComplex, "{text}");
    }
}

#[test]
fn a_directive_there_is_not_is_refused_at_its_first_place() {
    let many = "@nothing ".repeat(50);
    for text in [
        "{ a @nothing }".to_owned(),
        format!("{{ a {many} }}"),
        "{ ...F @nothing } fragment F on T { a }".to_owned(),
        "{ ...F } fragment F on T @nothing { a }".to_owned(),
        "{ a } fragment F on T { a @nothing }".to_owned(),
        "{ ... @nothing { a } }".to_owned(),
        "query A @nothing { a }".to_owned(),
        "query A($n: Int @nothing) { a }".to_owned(),
    ] {
        let guard = Guard::new(Limits::default());
        let refused = inspect(&guard, &text, json!({})).unwrap_err();
        assert_eq!(refused.code, EdgeCode::ValidationFailed, "{text}");
        let position = refused.position.unwrap();
        let place = text.find('@').unwrap() + 1;
        assert_eq!((position.line, position.column), (1, place), "{text}");
    }
}

/// Each fragment spreads the next so often: width^levels fields when opened.
fn bomb(levels: usize, width: usize) -> String {
    let mut text = "{ ...F0 }".to_owned();
    for level in 0..levels {
        let next = format!("...F{} ", level + 1).repeat(width);
        text += &format!(" fragment F{level} on Query {{ {next} }}");
    }
    text + &format!(" fragment F{levels} on Query {{ a }}")
}

#[test]
fn fragment_bombs_are_measured_without_being_opened() {
    for (levels, width) in [(23, 2), (60, 2), (10, 10), (7, 30)] {
        let text = bomb(levels, width);
        assert_eq!(verdict(&text), Some(EdgeCode::TooComplex), "{width}^{levels}");
    }
    assert_eq!(verdict(&bomb(10, 2)), Some(EdgeCode::TooComplex), "too many root fields");
    assert_eq!(verdict(&bomb(4, 2)), None);
    // Nested fields instead of spreads alone.
    let mut text = "{ ...F0 }".to_owned();
    for level in 0..9 {
        let next = level + 1;
        text += &format!(
            " fragment F{level} on T {{ x {{ ...F{next} }} y {{ ...F{next} }} z {{ ...F{next} }} }}"
        );
    }
    text += " fragment F9 on T { a }";
    assert_eq!(verdict(&text), Some(EdgeCode::TooComplex));
}

#[test]
fn cycles_are_refused_wherever_they_are() {
    for text in [
        "{ ...A } fragment A on T { ...A }",
        "{ ...A } fragment A on T { a { ...B } } fragment B on T { b { ...A } }",
        "{ a } fragment A on T { ...B } fragment B on T { ...C } fragment C on T { ...A }",
        "{ a } fragment A on T { ... on T { a { ...A } } }",
    ] {
        assert_eq!(verdict(text), Some(EdgeCode::ValidationFailed), "{text}");
    }
    // A long chain is no cycle, and does not exhaust the stack.
    let chain: String =
        (0..120).map(|n| format!("fragment F{n} on T {{ ...F{} }} ", n + 1)).collect();
    assert_eq!(verdict(&format!("{{ ...F0 }} {chain} fragment F120 on T {{ a }}")), None);
}

#[test]
fn what_is_not_graphql_is_told_by_position_and_not_echoed() {
    let guard = Guard::new(Limits::default());
    let secret = "hunter2";
    for text in
        ["", "{", "{ a(: 1) }", "type A { b: Int }", "query { a } { b }", "fragment F on T { a }"]
    {
        let text = format!("# {secret}\n{text}");
        let rejection = inspect(&guard, &text, json!({})).unwrap_err();
        assert_eq!(rejection.code, EdgeCode::ParseFailed, "{text}");
        assert!(rejection.message.starts_with("Syntax error: "), "{}", rejection.message);
        assert!(!rejection.message.contains(secret), "{}", rejection.message);
        assert!(!rejection.message.contains('\n'), "{}", rejection.message);
    }
    let rejection = inspect(&guard, "{\n  a(: 1)\n}", json!({})).unwrap_err();
    let position = rejection.position.unwrap();
    assert_eq!((position.line, position.column), (2, 5));
}

#[test]
fn operations_are_chosen_as_the_language_says() {
    let guard = Guard::new(Limits::default());
    let none = Variables::default();
    let choose = |text: &str, name| guard.inspect(text, name, &none).map_err(|no| no.code);
    assert!(choose("{ a }", None).is_ok());
    assert!(choose("query A { a }", None).is_ok());
    assert!(choose("query A { a } mutation B { b }", Some("B")).is_ok());
    for (text, name) in
        [("{ a }", Some("A")), ("query A { a }", Some("B")), ("query A { a } query B { b }", None)]
    {
        assert_eq!(choose(text, name).unwrap_err(), EdgeCode::OperationNotFound, "{text}");
    }
}

#[test]
fn tools_may_introspect_but_not_in_circles() {
    assert_eq!(verdict(INTROSPECTION), None);
    assert_eq!(
        verdict("{ __type(name: \"Query\") { fields { type { fields { name } } } } }"),
        None
    );
    let circle = |times: usize| {
        format!(
            "{{ __schema {{ types {{ {} name {} }} }} }}",
            "fields { type { ".repeat(times),
            "} }".repeat(times)
        )
    };
    assert_eq!(verdict(&circle(2)), None);
    assert_eq!(verdict(&circle(3)), Some(EdgeCode::TooComplex));
    let through_fragments = "{ __schema { types { ...A } } }
        fragment A on __Type { fields { type { ...B } } }
        fragment B on __Type { interfaces { possibleTypes { name } } }";
    assert_eq!(verdict(through_fragments), Some(EdgeCode::TooComplex));
    let of_type = format!(
        "{{ __type(name: \"A\") {{ {} name {} }} }}",
        "ofType { ".repeat(21),
        "}".repeat(21)
    );
    assert_eq!(verdict(&of_type), Some(EdgeCode::TooComplex));
}

#[test]
fn introspection_can_be_switched_off_in_every_disguise() {
    let guard = Guard::new(Limits { introspection: false, ..Limits::default() });
    for text in [
        INTROSPECTION,
        "{ __schema { types { name } } }",
        "{ a: __type(name: \"A\") { name } }",
        "{ ...F } fragment F on Query { ... { __schema { types { name } } } }",
        "query A { a } query B { __schema { types { name } } }",
    ] {
        let refused =
            guard.inspect(text, text.contains("query A").then_some("A"), &Variables::default());
        assert_eq!(refused.unwrap_err().code, EdgeCode::IntrospectionDisabled, "{text}");
    }
    assert!(inspect(&guard, "{ __typename a { __typename } }", json!({})).is_ok());
}

#[test]
fn costs_are_fields_times_the_pages_they_are_on() {
    for (text, points) in [
        ("{ a }", 1),
        ("{ a { b c { d } } }", 4),
        ("{ gatherings(first: 20) { edges { node { title host { id nickname } } } } }", 81),
        ("{ gatherings { edges { node { title } } } }", 21),
        ("{ gatherings(last: 3) { nodes { title } } }", 4),
        (
            "{ gatherings(first: 100) { pageInfo { hasNextPage } totalCount edges { cursor } } }",
            104,
        ),
        (
            "{ gatherings(first: 100) { edges { node { schedules(first: 20) { edges { node { title } } } } } } }",
            2_101,
        ),
        (
            "{ gatherings(first: 3) { ...Page } } fragment Page on C { edges { ...Row } } fragment Row on E { node { title } }",
            4,
        ),
        ("{ popular(first: 10) { term } }", 11),
        ("{ regions { name } }", 251),
        ("{ nodes(ids: [\"a\", \"b\", \"c\"]) { id } }", 4),
        ("{ node(id: \"a\") { id } }", 2),
        ("{ a(first: -1) { b } }", 2),
        ("{ a(first: null) { edges { b } } }", 21),
    ] {
        assert_eq!(cost(text, json!({})), points, "{text}");
    }
    let huge = "{ a(first: 4000000000) { edges { node { a(first: 4000000000) { edges { node { a(first: 4000000000) { edges { b } } } } } } } } }";
    assert_eq!(cost(huge, json!({})), u64::MAX, "sums stop at the largest number");
}

#[test]
fn pages_may_be_named_by_variables() {
    let text =
        "query ($n: Int = 5, $ids: [ID!]) { a(first: $n) { edges { b } } nodes(ids: $ids) { id } }";
    for (variables, points) in [
        (json!({}), 8),
        (json!({ "n": 100 }), 103),
        (json!({ "n": 100, "ids": ["a", "b"] }), 104),
        (json!({ "n": null }), 23),
        (json!({ "n": "x" }), 23),
    ] {
        assert_eq!(cost(text, variables.clone()), points, "{variables}");
    }
    let guard = Guard::new(Limits::default());
    let text = "query ($n: Int!) { a(first: $n) { edges { node { b c } } } }";
    assert!(inspect(&guard, text, json!({ "n": 100 })).is_ok());
    let refused = inspect(&guard, text, json!({ "n": 100_000 })).unwrap_err();
    assert_eq!(refused.code, EdgeCode::TooComplex);
    assert_eq!(refused.message, "The operation costs 200001 of 5000 points.");
    assert!(inspect(&guard, text, json!({ "n": 100 })).is_ok(), "judged anew each time");
}

#[test]
fn variables_must_be_few_small_and_there() {
    let guard = Guard::new(Limits::default());
    let code = |text: &str, variables| inspect(&guard, text, variables).err().map(|no| no.code);
    let text = "query ($a: Int!, $b: Int! = 1, $c: [Int!]) { x(a: $a, b: $b, c: $c) }";
    assert_eq!(code(text, json!({ "a": 1 })), None);
    assert_eq!(code(text, json!({ "a": null })), Some(EdgeCode::ValidationFailed));
    assert_eq!(code(text, json!({ "a": 1, "b": null })), Some(EdgeCode::ValidationFailed));
    assert_eq!(code(text, json!({})), Some(EdgeCode::ValidationFailed));
    let nested = |levels: usize| (0..levels).fold(json!(1), |inner, _| json!([inner]));
    let many: serde_json::Map<_, _> = (0..51).map(|n| (format!("v{n}"), json!(n))).collect();
    for (variables, expected) in [
        (json!({ "a": 1, "x": nested(64) }), None),
        (json!({ "a": 1, "x": nested(65) }), Some(EdgeCode::TooComplex)),
        (json!({ "a": 1, "x": vec![0; 1_000] }), None),
        (json!({ "a": 1, "x": { "y": vec![0; 1_001] } }), Some(EdgeCode::TooComplex)),
        (Value::Object(many), Some(EdgeCode::TooComplex)),
    ] {
        assert_eq!(code(text, variables), expected);
    }
}

#[test]
fn documents_are_read_once_and_forgotten_when_there_are_too_many() {
    let guard = Guard::new(Limits { cache_bytes: 100_000, ..Limits::default() });
    for _ in 0..10 {
        inspect(&guard, "{ a }", json!({})).unwrap();
    }
    assert_eq!(guard.remembered(), 1);
    assert!(inspect(&guard, "{ a", json!({})).is_err());
    assert_eq!(guard.remembered(), 1, "what is refused is not kept");
    for n in 0..1_000 {
        inspect(&guard, &format!("{{ a{n} }}"), json!({})).unwrap();
    }
    assert!(guard.remembered() < 200, "{}", guard.remembered());
}

#[test]
fn codes_are_a_closed_list_of_names() {
    for code in EdgeCode::ALL {
        assert_eq!(EdgeCode::from_name(code.name()), Some(*code));
        assert!(code.name().chars().all(|c| c.is_ascii_uppercase() || c == '_'));
    }
    assert_eq!(EdgeCode::from_name("FULL"), None);
}
