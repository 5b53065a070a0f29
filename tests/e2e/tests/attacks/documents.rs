//! The table of documents that ask for too much or for nothing there is.

use std::fmt::Write as _;

/// A document and the code it is refused with.
pub struct Row {
    pub what: &'static str,
    pub document: String,
    pub code: &'static str,
}

const COMPLEX: &str = "TOO_COMPLEX";
const INVALID: &str = "VALIDATION_FAILED";

fn row(code: &'static str, what: &'static str, document: impl Into<String>) -> Row {
    Row { what, document: document.into(), code }
}

fn times(count: usize, part: impl Fn(usize) -> String) -> String {
    (0..count).map(part).collect()
}

/// A document so many braces deep.
pub fn deep(levels: usize) -> String {
    format!("{}{}", "{a".repeat(levels), "}".repeat(levels))
}

/// Fragments that each spread the next one twice: two to the power of `levels` fields, in few bytes.
pub fn bomb(levels: usize) -> String {
    let mut document = "{...F0}".to_owned();
    for level in 0..levels {
        let next = level + 1;
        write!(document, "fragment F{level} on Query{{...F{next} ...F{next}}}").unwrap();
    }
    document + &format!("fragment F{levels} on Query{{__typename}}")
}

/// A log-in under an alias.
pub fn log_in(alias: &str, email: &str, password: &str) -> String {
    format!(
        "{alias}: authLogIn(input: {{ email: \"{email}\", password: \"{password}\" }}) \
         {{ tokens {{ accessToken }} userErrors {{ code }} }} "
    )
}

/// Aliases, directives, fields, brackets and everything else there can be too much of.
pub fn too_much() -> Vec<Row> {
    let aliases = |count: usize| times(count, |at| format!("x{at}: id "));
    let spread_twice = "{ a: viewer { ...F } b: viewer { ...F } } fragment F on Viewer";
    let pages = "gatherings(first: 100) { edges { node { members(first: 100) { edges { node {
        member { memberships(first: 100) { edges { node { id } } } } } } } } } }";
    let inline = format!("{{ {}__typename{} }}", "... { ".repeat(50), " }".repeat(50));
    let chain =
        times(17, |at| format!("fragment C{at} on Gathering {{ host {{ ...C{} }} }} ", at + 1));
    vec![
        row(COMPLEX, "aliases in fragments", format!("{spread_twice} {{ {} }}", aliases(16))),
        row(
            COMPLEX,
            "aliases of __typename",
            format!("{{ viewer {{ {} }} }}", times(31, |at| format!("x{at}: __typename "))),
        ),
        row(
            COMPLEX,
            "aliases that multiply with every fragment",
            times(8, |at| format!("fragment F{at} on Query {{ a: viewer {{ ...G{at} }} ...F{} }} fragment G{at} on Viewer {{ b: id c: id d: id }} ", at + 1))
                + "fragment F8 on Query { __typename } { ...F0 }",
        ),
        row(COMPLEX, "a field many times", format!("{{ {} }}", "__typename ".repeat(900))),
        row(COMPLEX, "more tokens than there may be", format!("{{ viewer {{ {} }} }}", "id ".repeat(1_000))),
        row(
            COMPLEX,
            "selections that multiply with every fragment",
            "{ viewer { ...A ...A ...A } } fragment A on Viewer { ...B ...B ...B ...B ...B }
             fragment B on Viewer { ...C ...C ...C ...C ...C } fragment C on Viewer { ...D ...D ...D ...D ...D }
             fragment D on Viewer { id email id email id email }",
        ),
        row(COMPLEX, "a name without end", format!("{{ {}: __typename }}", "x".repeat(5_000))),
        row(COMPLEX, "a variable's name without end", format!("query(${}: Int) {{ __typename }}", "x".repeat(5_000))),
        row(COMPLEX, "directives on spreads", format!("{{ {} }} fragment F on Query {{ __typename }}", "...F @skip(if: true) ".repeat(21))),
        row(
            COMPLEX,
            "directives in a fragment that is spread often",
            "{ ...F ...F ...F ...F } fragment F on Query {
             __typename @skip(if: true) ... @skip(if: true) { __typename @skip(if: true) }
             ... @include(if: true) { __typename @skip(if: true) @include(if: true) } }",
        ),
        row(COMPLEX, "seventeen levels", format!("{{ a {} }}", deep(16))),
        row(COMPLEX, "fifty levels", deep(50)),
        row(COMPLEX, "fifty thousand levels", "{a".repeat(50_000)),
        row(COMPLEX, "levels in a chain of fragments", chain + r#"fragment C17 on Gathering { id } { node(id: "x") { ...C0 } }"#),
        row(COMPLEX, "fifty inline fragments within each other", inline),
        row(COMPLEX, "a list of a thousand", format!("{{ nodes(ids: [{}]) {{ id }} }}", "1 ".repeat(1_000))),
        row(COMPLEX, "a list within lists", format!("{{ nodes(ids: {}{}) {{ id }} }}", "[".repeat(60), "]".repeat(60))),
        row(COMPLEX, "an object within objects", format!("{{ member(by: {}1{}) {{ id }} }}", "{a: ".repeat(60), "}".repeat(60))),
        row(COMPLEX, "two to the power of twenty-three", bomb(23)),
        row(COMPLEX, "two to the power of sixty", bomb(60).chars().take(16_000).collect::<String>()),
        row(COMPLEX, "a page of a hundred thousand", "{ gatherings(first: 100000) { edges { cursor } } }"),
        row(COMPLEX, "a count of a hundred thousand", "{ search(query: \"x\", last: 100000) { totalCount } }"),
        row(COMPLEX, "a hundred to the power of three", format!("{{ {pages} }}")),
        row(COMPLEX, "eleven operations", times(11, |at| format!("query Q{at} {{ __typename }} "))),
        row(COMPLEX, "fifty-one variables", format!("query({}) {{ __typename }}", times(51, |at| format!("$v{at}: Int ")))),
        row(COMPLEX, "comments without end", format!("{{ __typename }}{}", "\n#".repeat(9_000))),
        row(COMPLEX, "twenty-one fields of the root in fragments", format!("{{ ...F }} fragment F on Query {{ {} }}", "regions { id } ".repeat(21))),
        row(
            COMPLEX,
            "four mutations",
            format!("mutation {{ {} }}", times(4, |at| format!("m{at}: authLogOut(input: {{ everywhere: true }}) {{ userErrors {{ code }} }} "))),
        ),
    ]
}

/// What would otherwise be as many errors as there are places.
pub fn unknown() -> Vec<Row> {
    let unknown = |count: usize| times(count, |at| format!("@nothing{at} "));
    let overlaps = times(14, |at| format!("x{at}: id x{at}: email "));
    vec![
        row(INVALID, "unknown directives", format!("{{ __typename {} }}", unknown(15))),
        row(INVALID, "a hundred unknown directives", format!("{{ __typename {} }}", unknown(100))),
        row(
            INVALID,
            "an unknown directive on a spread",
            "{ ...F @nothing } fragment F on Query { __typename }",
        ),
        row(
            INVALID,
            "an unknown directive on a fragment",
            "{ ...F } fragment F on Query @nothing { __typename }",
        ),
        row(INVALID, "an unknown directive on an operation", "query Q @nothing { __typename }"),
        row(
            INVALID,
            "an unknown directive on a variable",
            "query($n: Int @nothing) { gatherings(first: $n) { edges { cursor } } }",
        ),
        row(INVALID, "@defer, which there is not", "{ ... @defer { __typename } }"),
        row(INVALID, "a cycle of one", "{ ...A } fragment A on Query { ...A }"),
        row(
            INVALID,
            "a cycle of three",
            "{ ...A } fragment A on Query { ...B } fragment B on Query { ...C } fragment C on Query { ...A }",
        ),
        row(
            INVALID,
            "a cycle through fields",
            r#"{ node(id: "x") { ...A } } fragment A on Gathering { host { ...B } } fragment B on Member { memberships { edges { node { gathering { ...A } } } } }"#,
        ),
        row(
            INVALID,
            "a cycle nobody enters",
            "{ __typename } fragment A on Query { ...B } fragment B on Query { ...A }",
        ),
        row(INVALID, "fields that overlap", format!("{{ viewer {{ {overlaps} }} }}")),
    ]
}
