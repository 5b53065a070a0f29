//! Inside a room: SQL only in the store, protocol only at the edges, and imports that run one way,
//! `fault <- model <- {convert, store} <- events <- rpc <- lib`.

use std::collections::BTreeSet;

use moim_house::{File, expect_none, expect_one, files};

/// The floors from the ground up; a module imports from its own floor or from below.
///
/// `config` and what makes a room's character stand with `model`, and what works by itself with `events`.
const FLOORS: &[&[&str]] = &[
    &["fault"],
    &[
        "model",
        "analysis",
        "attendance",
        "ballot",
        "config",
        "counted",
        "fee",
        "ics",
        "korean",
        "layout",
        "ledger",
        "normal",
        "order",
        "password",
        "popular",
        "prepared",
        "provider",
        "region",
        "roster",
        "rules",
        "saga",
        "sandbox",
        "seats",
        "session",
        "spelling",
        "suggest",
        "synonyms",
        "terms",
        "token",
        "tokens",
        "toss",
        "toss_api",
        "toss_tests",
        "toss_webhook",
        "tree",
        "verbs",
        "words",
    ],
    &[
        "convert",
        "store",
        "alive",
        "highlight",
        "index",
        "listing",
        "query",
        "ranking",
        "schema",
        "search",
        "senses",
        "vocabulary",
    ],
    &["events", "auditor", "indexer", "sweeper", "till", "votes", "worker"],
    &["rpc"],
    &["lib"],
];
/// These share a floor and do not know each other.
const STRANGERS: &[&str] = &["convert", "store"];
const SPEAK_PROTO: &[&str] = &["convert", "events", "rpc"];
const SQL: &[&str] = &["SELECT", "INSERT INTO", "UPDATE", "DELETE FROM"];
/// What a decision does not need.
const DOES_IO: &[&str] = &["sqlx", "moim_storage", "tokio::", ".await", "Clock"];

/// Room, module and how deep a file stands in it: `services/x/src/store/a.rs` is (`x`, `store`, 1).
fn place(path: &str) -> Option<(&str, &str, usize)> {
    let (room, path) = path.strip_prefix("services/")?.split_once("/src/")?;
    let (module, rest) =
        path.strip_suffix(".rs")?.split_once('/').unwrap_or((path.strip_suffix(".rs")?, "mod"));
    let depth = if rest == "mod" { 0 } else { 1 + rest.matches('/').count() };
    Some((room, module, depth))
}

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|modules| modules.contains(&module))
}

fn breaches(files: &[File]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        check_sql(file, &mut found);
        let Some((_, module, depth)) = place(&file.path) else { continue };
        check_proto(file, module, &mut found);
        check_direction(file, module, depth, &mut found);
        if module == "model" {
            check_decides_only(file, &mut found);
        }
    }
    found
}

fn check_sql(file: &File, found: &mut Vec<String>) {
    // Tests may look into the tables, to prove that a refused call left nothing there.
    let is_test = file.path.starts_with("tests/") || file.path.contains("/tests/");
    let in_store = place(&file.path).is_some_and(|(_, module, _)| module == "store");
    if is_test || in_store || file.path.starts_with("storage/") {
        return;
    }
    for (number, line) in file.code() {
        for word in SQL.iter().filter(|word| says(line, word)) {
            found.push(format!("{}:{number} speaks SQL: {word}", file.path));
        }
    }
}

fn says(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        let part = |near: Option<char>| near.is_some_and(|it| it.is_alphanumeric() || it == '_');
        !part(before) && after.is_none_or(char::is_whitespace)
    })
}

fn check_proto(file: &File, module: &str, found: &mut Vec<String>) {
    if SPEAK_PROTO.contains(&module) {
        return;
    }
    for (number, line) in file.code().filter(|(_, line)| line.contains("moim_proto")) {
        // Somebody must put the generated server around the room's calls.
        if !(module == "lib" && line.contains("_server::")) {
            found.push(format!("{}:{number} imports moim_proto in {module}", file.path));
        }
    }
}

fn check_direction(file: &File, module: &str, depth: usize, found: &mut Vec<String>) {
    let Some(own) = floor(module) else {
        found.push(format!("{} stands on no floor", file.path));
        return;
    };
    for imported in imported(&file.text, depth) {
        let above = floor(&imported).is_some_and(|floor| floor > own);
        let stranger = STRANGERS.contains(&module) && STRANGERS.contains(&imported.as_str());
        if imported != module && (above || stranger) {
            found.push(format!("{}: {module} imports {imported}", file.path));
        }
    }
}

/// The modules of its room that a file names, by `crate::` or by enough `super::`.
fn imported(text: &str, depth: usize) -> BTreeSet<String> {
    let text: String = text.split_whitespace().collect();
    let up = "super::".repeat(depth + 1);
    // Unit tests stand one step further in: there `super` is the file itself.
    let (code, _tests) = text.split_once("#[cfg(test)]").unwrap_or((&text, ""));
    let mut found = names_after(&text, "crate::");
    found.extend(names_after(code, &up));
    found
}

fn names_after(text: &str, prefix: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices(prefix) {
        if text[..at].ends_with("super::") {
            continue;
        }
        let rest = &text[at + prefix.len()..];
        match rest.strip_prefix('{') {
            Some(group) => found.extend(names_of_group(group)),
            None => found.extend(name_at_start(rest)),
        }
    }
    found
}

/// The first name of each member of `a, b::c, d::{e, f}}`.
fn names_of_group(group: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut deep = 0;
    let mut begins = true;
    for (at, letter) in group.char_indices() {
        if begins {
            found.extend(name_at_start(&group[at..]));
        }
        begins = letter == ',' && deep == 0;
        match letter {
            '{' => deep += 1,
            '}' if deep == 0 => break,
            '}' => deep -= 1,
            _ => {}
        }
    }
    found
}

fn name_at_start(text: &str) -> Option<String> {
    let end = text.find(|it: char| !it.is_alphanumeric() && it != '_').unwrap_or(text.len());
    (end > 0).then(|| text[..end].to_owned())
}

fn check_decides_only(file: &File, found: &mut Vec<String>) {
    for (number, line) in file.code() {
        for word in DOES_IO.iter().filter(|word| line.contains(*word)) {
            found.push(format!("{}:{number} decides and does more: {word}", file.path));
        }
    }
}

#[test]
fn every_room_keeps_its_floors() {
    let files = files();
    assert!(files.iter().any(|file| place(&file.path) == Some(("member", "store", 1))));
    expect_none(&breaches(&files));
}

#[test]
fn sql_outside_the_store_is_found() {
    let text = "//! One.\nconst ALL: &str = \"\nSELECT id\nFROM member\";\n";
    for path in ["services/member/src/rpc.rs", "bff/src/x.rs", "app/src/town/x.rs"] {
        expect_one(&breaches(&[File::planted(path, text)]), ":3 speaks SQL: SELECT");
    }
    for path in ["services/member/src/store/members.rs", "storage/src/x.rs"] {
        expect_none(&breaches(&[File::planted(path, text)]));
    }
}

#[test]
fn protocol_away_from_the_edges_is_found() {
    let text = "//! One.\nuse moim_proto::member::v1::Member;\n";
    for module in ["model", "store/members", "lib"] {
        let path = format!("services/member/src/{module}.rs");
        expect_one(&breaches(&[File::planted(&path, text)]), ":2 imports moim_proto");
    }
    expect_none(&breaches(&[File::planted("services/member/src/convert.rs", text)]));
}

#[test]
fn an_import_that_runs_upwards_is_found() {
    for (path, text) in [
        ("model", "use crate::store::Store;"),
        ("model", "use super::store::Store;"),
        ("fault", "use crate::model;"),
        ("convert", "use crate::{\n    fault::Reason,\n    store::{Row, Store},\n};"),
        ("store/rows", "use super::super::convert;"),
        ("store/mod", "use super::events;"),
        ("events", "use crate::rpc::Rpc;"),
        ("ics", "fn f() { crate::rpc::g() }"),
    ] {
        let planted = File::planted(&format!("services/member/src/{path}.rs"), text);
        expect_one(&breaches(&[planted]), " imports ");
    }
}

#[test]
fn imports_that_run_downwards_pass() {
    for (path, text) in [
        ("rpc/reads", "use super::Rpc;\nuse crate::{convert, events, store};"),
        ("store/rows", "use super::Store;\nuse super::rows;\nuse crate::model::{Card, Role};"),
        ("model", "use crate::fault::Reason;\n#[cfg(test)]\nmod tests {\n use super::*;\n}"),
        ("lib", "mod rpc;\nuse rpc::Rpc;"),
    ] {
        let planted = File::planted(&format!("services/member/src/{path}.rs"), text);
        expect_none(&breaches(&[planted]));
    }
}

#[test]
fn a_model_that_does_more_than_decide_is_found() {
    let planted = |text| [File::planted("services/member/src/model.rs", text)];
    expect_one(&breaches(&planted("//! One.\nuse sqlx::FromRow;\n")), "decides and does more");
    expect_one(&breaches(&planted("//! One.\nfn now(clock: &Clock) {}\n")), "Clock");
}

#[test]
fn a_module_that_stands_on_no_floor_is_found() {
    let planted = File::planted("services/member/src/stars.rs", "//! One.\n");
    expect_one(&breaches(&[planted]), "stands on no floor");
}
