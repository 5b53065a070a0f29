//! The room plan: whoever knows one service finds their way in every other.

use std::collections::{BTreeMap, BTreeSet};

use moim_house::{File, expect_none, expect_one, files};

/// Files that make the character of a room; every other file of every room is in the plan.
const CHARACTER: &[(&str, &[&str])] = &[
    ("gathering", &["region.rs", "regions.tsv", "roster.rs"]),
    ("member", &["password.rs", "session.rs", "sweeper.rs", "token.rs"]),
    ("notification", &["rules.rs", "sweeper.rs", "words.rs"]),
    (
        "payment",
        &[
            "auditor.rs",
            "ledger.rs",
            "provider.rs",
            "saga.rs",
            "sandbox.rs",
            "sweeper.rs",
            "till.rs",
            "toss.rs",
            "toss_api.rs",
            "toss_tests.rs",
            "toss_webhook.rs",
            "worker.rs",
        ],
    ),
    ("schedule", &["attendance.rs", "fee.rs", "ics.rs", "order.rs", "seats.rs", "sweeper.rs"]),
    (
        "search",
        &[
            "alive.rs",
            "analysis.rs",
            "ballot.rs",
            "counted.rs",
            "highlight.rs",
            "index.rs",
            "indexer.rs",
            "korean.rs",
            "layout.rs",
            "listing.rs",
            "normal.rs",
            "popular.rs",
            "prepared.rs",
            "query.rs",
            "ranking.rs",
            "schema.rs",
            "search.rs",
            "senses.rs",
            "spelling.rs",
            "suggest.rs",
            "synonyms.rs",
            "terms.rs",
            "tokens.rs",
            "tree.rs",
            "verbs.rs",
            "vocabulary.rs",
            "votes.rs",
            "data/abusive.txt",
            "data/hobbies.txt",
            "data/synonyms.txt",
            "tests/relevance/README.md",
            "tests/relevance/corpus.tsv",
            "tests/relevance/fresh.tsv",
            "tests/relevance/queries.tsv",
        ],
    ),
];

/// A module may be a file, or a directory with `mod.rs` when it would grow too long.
const MODULES: &[&str] = &["lib", "config", "fault", "model", "convert", "store", "events", "rpc"];
const MAY_BE_DIRECTORIES: &[&str] = &["store", "events", "rpc"];

fn breaches(files: &[File]) -> Vec<String> {
    let mut rooms: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for file in files {
        let inside = file.path.strip_prefix("services/").and_then(|path| path.split_once('/'));
        if let Some((room, path)) = inside {
            rooms.entry(room).or_default().insert(path);
        }
    }
    let mut found = Vec::new();
    for (room, paths) in rooms {
        check_present(room, &paths, &mut found);
        check_migrations(room, &paths, &mut found);
        check_nothing_else(room, &paths, &mut found);
    }
    found
}

fn check_present(room: &str, paths: &BTreeSet<&str>, found: &mut Vec<String>) {
    for path in ["README.md", "Cargo.toml"] {
        if !paths.contains(path) {
            found.push(format!("{room} has no {path}"));
        }
    }
    for module in MODULES {
        let file = format!("src/{module}.rs");
        let directory = format!("src/{module}/mod.rs");
        let split = MAY_BE_DIRECTORIES.contains(module) && paths.contains(directory.as_str());
        if !split && !paths.contains(file.as_str()) {
            found.push(format!("{room} has no {file}"));
        }
    }
    if !paths.contains("tests/rpc.rs") && !paths.contains("tests/rpc/main.rs") {
        found.push(format!("{room} has no tests/rpc.rs"));
    }
}

fn check_migrations(room: &str, paths: &BTreeSet<&str>, found: &mut Vec<String>) {
    let names: Vec<_> = paths.iter().filter_map(|path| path.strip_prefix("migrations/")).collect();
    if names.is_empty() {
        found.push(format!("{room} has no migrations"));
    }
    for name in names {
        let number = name.split_once('_').filter(|(number, _)| number.len() == 4);
        let number = number.and_then(|(number, _)| number.parse::<u32>().ok());
        if !name.ends_with(".sql") || number.is_none_or(|number| number < 100) {
            found.push(format!("{room}: migrations/{name} is not 0100_name.sql or after it"));
        }
    }
}

fn check_nothing_else(room: &str, paths: &BTreeSet<&str>, found: &mut Vec<String>) {
    let character = CHARACTER.iter().find(|(name, _)| *name == room).map_or(&[][..], |(_, it)| it);
    for path in paths {
        let name = path.strip_prefix("src/").unwrap_or(path);
        let planned = match path.split_once('/') {
            None => matches!(*path, "README.md" | "Cargo.toml"),
            Some(("migrations", _)) => true,
            Some(("tests", rest)) => rest == "rpc.rs" || rest.starts_with("rpc/"),
            Some(("src", rest)) => match rest.split_once('/') {
                Some((directory, _)) => MAY_BE_DIRECTORIES.contains(&directory),
                None => rest.strip_suffix(".rs").is_some_and(|name| MODULES.contains(&name)),
            },
            Some(_) => false,
        };
        if !planned && !character.contains(&name) {
            found.push(format!(
                "{room}: {path} is neither in the plan nor in the table of characters"
            ));
        }
    }
}

#[test]
fn every_room_follows_the_plan() {
    let files = files();
    assert!(files.iter().any(|file| file.path.starts_with("services/member/")));
    expect_none(&breaches(&files));
}

/// A room as it should be, less one file.
fn room_without(path: &str) -> Vec<File> {
    let modules = MODULES.iter().map(|module| format!("src/{module}.rs"));
    let others = ["README.md", "Cargo.toml", "migrations/0100_x.sql", "tests/rpc.rs"];
    let all = modules.chain(others.map(str::to_owned)).filter(|each| each != path);
    all.map(|each| File::planted(&format!("services/review/{each}"), "")).collect()
}

#[test]
fn a_room_as_it_should_be_passes() {
    expect_none(&breaches(&room_without("")));
    let mut grown = room_without("src/store.rs");
    grown.push(File::planted("services/review/src/store/mod.rs", ""));
    grown.push(File::planted("services/review/src/store/stars.rs", ""));
    expect_none(&breaches(&grown));
}

#[test]
fn a_missing_file_is_found() {
    for missing in ["README.md", "src/model.rs", "src/store.rs", "tests/rpc.rs"] {
        expect_one(&breaches(&room_without(missing)), &format!("review has no {missing}"));
    }
    expect_one(&breaches(&room_without("migrations/0100_x.sql")), "no migrations");
}

#[test]
fn a_file_outside_the_plan_is_found() {
    for stray in ["src/stars.rs", "src/model/stars.rs", "tests/stars.rs", "build.rs"] {
        let mut files = room_without("");
        files.push(File::planted(&format!("services/review/{stray}"), ""));
        expect_one(&breaches(&files), stray);
    }
}

#[test]
fn a_migration_in_the_numbers_of_storage_is_found() {
    let mut files = room_without("");
    files.push(File::planted("services/review/migrations/0002_stars.sql", ""));
    expect_one(&breaches(&files), "0002_stars.sql");
}
