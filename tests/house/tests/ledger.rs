//! What is written in a ledger stays as it was written: no statement changes or removes it.

use moim_house::{File, expect_none, expect_one, files};

/// Tables whose rows are only ever inserted.
const KEPT: &[&str] = &["entry", "journal"];

fn breaches(files: &[File]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files.iter().filter(|file| file.path.starts_with("services/payment/")) {
        if !(file.is_rust() || file.path.ends_with(".sql")) {
            continue;
        }
        let words: Vec<&str> = file
            .text
            .split(|it: char| !(it.is_alphanumeric() || it == '_'))
            .filter(|word| !word.is_empty())
            .collect();
        for pair in words.windows(3) {
            let verb = match pair {
                ["UPDATE", "ONLY", table] | ["DELETE", "FROM", table] => Some(table),
                ["DROP" | "TRUNCATE", "TABLE", table] => Some(table),
                ["UPDATE" | "TRUNCATE", table, _] => Some(table),
                _ => None,
            };
            if let Some(table) = verb.filter(|table| KEPT.contains(table)) {
                found.push(format!("{} changes or removes rows of {table}", file.path));
            }
        }
        if file.text.contains("ON DELETE CASCADE") {
            found.push(format!("{} lets rows go with others", file.path));
        }
    }
    found
}

#[test]
fn no_statement_changes_or_removes_what_was_booked() {
    let files = files();
    assert!(files.iter().any(|file| file.text.contains("INSERT INTO entry")));
    expect_none(&breaches(&files));
}

#[test]
fn a_statement_that_does_is_found() {
    for sql in [
        "UPDATE entry SET amount_krw = 0",
        "UPDATE\n    journal SET kind = ''",
        "DELETE FROM entry WHERE TRUE",
        "TRUNCATE journal CASCADE",
        "DROP TABLE entry;",
        "REFERENCES journal (id) ON DELETE CASCADE",
    ] {
        let planted = File::planted("services/payment/src/store/x.rs", sql);
        expect_one(&breaches(&[planted]), "services/payment/src/store/x.rs");
    }
    let other = "UPDATE wallet SET version = 2; INSERT INTO entry (id) VALUES ($1)";
    expect_none(&breaches(&[File::planted("services/payment/src/store/x.rs", other)]));
}
