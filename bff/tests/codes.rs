//! `docs/codes.md` lists every code that can leave the house, as the code has them.

use std::fmt::Write as _;
use std::path::Path;

use moim_bff::guard::EdgeCode;
use moim_kit::Code;

const TOLD: &str = include_str!("../../docs/codes.md");

const HEAD: &str = "# Codes

Every code that an answer can carry: in `extensions.code` of an error at the top, or, where it says *as data*, in
`userErrors` of a mutation. Nothing else ever stands there: what has no code of this list is logged and told as
`INTERNAL`, without a word of what it was. The same request may succeed a little later where it is *retryable*; the
error then says `\"retryable\": true`, and how long to wait in `retryAfterMs` when that is known. With a retry of a
mutation goes the same idempotency key.

This page is made from the code and held to it by a test.
";

/// The list as it ought to be.
fn page() -> String {
    let mut page = HEAD.to_owned();
    let mut table = |title: &str, rows: &[(&str, bool, bool, &str)]| {
        let mut rows = rows.to_vec();
        rows.sort_unstable();
        let _ = write!(page, "\n## {title}\n\n| code | retryable | as data | meaning |\n");
        page += "| --- | --- | --- | --- |\n";
        for (name, retryable, as_data, meaning) in rows {
            let yes = |it: bool| if it { "yes" } else { "" };
            let _ = writeln!(
                page,
                "| `{name}` | {} | {} | {} |",
                yes(retryable),
                yes(as_data),
                meaning.trim()
            );
        }
    };
    let edge: Vec<_> = EdgeCode::ALL
        .iter()
        .map(|code| (code.name(), code.is_retryable(), false, code.meaning()))
        .collect();
    table("Of the request", &edge);
    let rooms: Vec<_> = Code::ALL
        .iter()
        .map(|code| (code.name(), code.is_retryable(), code.is_expected(), code.meaning()))
        .collect();
    table("Of what was asked", &rooms);
    page
}

#[test]
fn the_page_lists_what_the_code_has() {
    let page = page();
    if page != TOLD {
        let made = Path::new(env!("CARGO_TARGET_TMPDIR")).join("codes.md");
        std::fs::write(&made, &page).unwrap();
        panic!("docs/codes.md is not what the code says; copy {} over it", made.display());
    }
}

#[test]
fn no_name_is_used_for_two_things_or_spelled_otherwise() {
    let edge: Vec<_> = EdgeCode::ALL.iter().map(|code| code.name()).collect();
    let rooms: Vec<_> = Code::ALL.iter().map(|code| code.name()).collect();
    for names in [&edge, &rooms] {
        let mut sorted = names.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), names.len());
        for name in names {
            assert!(name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_'), "{name}");
        }
    }
    for code in EdgeCode::ALL {
        assert_eq!(EdgeCode::from_name(code.name()), Some(*code));
        // What both have means the same to whoever decides whether to try again.
        if let Some(room) = Code::from_name(code.name()) {
            assert_eq!(room.is_retryable(), code.is_retryable(), "{}", code.name());
        }
    }
    for code in Code::ALL {
        assert_eq!(Code::from_name(code.name()), Some(*code));
        assert!(!code.meaning().trim().is_empty());
    }
}
