//! The table of fields of searching, which is for everybody.

use crate::fields::See::Null;
use crate::fields::{Group, See, ask, plain};
use crate::rows::EVERYONE;

const NOTHING: [See; 4] = [Null; 4];

pub const GROUPS: &[Group] = &[
    Group {
        of: "Query",
        through: "{ <*> }",
        at: "",
        rows: &[
            ask(
                "search",
                r#"search(query: "아침 산책", first: 1) { edges { cursor } }"#,
                "/edges",
                EVERYONE,
            ),
            ask("searchSuggestions", r#"searchSuggestions(prefix: "ㄷㅅ")"#, "", EVERYONE),
            ask("popularSearches", "popularSearches { term }", "", EVERYONE),
        ],
    },
    Group {
        of: "SearchConnection",
        through: r#"{ search(query: "아침 산책", first: 1) { <*> } }"#,
        at: "/search",
        rows: &[
            ask("edges", "edges { cursor }", "", EVERYONE),
            ask("pageInfo", "pageInfo { hasNextPage }", "/hasNextPage", EVERYONE),
            plain("totalCount", EVERYONE),
            plain("correctedQuery", NOTHING),
        ],
    },
    Group {
        of: "SearchConnection",
        through: r#"{ search(query: "dkcla tkscor", first: 1) { <*> } }"#,
        at: "/search",
        rows: &[plain("correctedQuery", EVERYONE)],
    },
    Group {
        of: "SearchEdge",
        through: r#"{ search(query: "아침 산책", first: 1) { edges { <*> } } }"#,
        at: "/search/edges/0",
        rows: &[
            plain("cursor", EVERYONE),
            ask("node", "node { __typename }", "/__typename", EVERYONE),
            ask("highlights", "highlights { field }", "", EVERYONE),
        ],
    },
    Group {
        of: "Highlight",
        through: r#"{ search(query: "아침 산책", first: 1) { edges { highlights { <*> } } } }"#,
        at: "/search/edges/0/highlights/0",
        rows: &[
            plain("field", EVERYONE),
            plain("text", EVERYONE),
            ask("ranges", "ranges { start }", "", EVERYONE),
        ],
    },
    Group {
        of: "TextRange",
        through: r#"{ search(query: "아침 산책", first: 1) {
            edges { highlights { ranges { <*> } } } } }"#,
        at: "/search/edges/0/highlights/0/ranges/0",
        rows: &[plain("start", EVERYONE), plain("end", EVERYONE)],
    },
    Group {
        of: "PopularSearch",
        through: "{ popularSearches(first: 1) { <*> } }",
        at: "/popularSearches/0",
        rows: &[plain("term", EVERYONE), plain("change", NOTHING)],
    },
];
