//! Every file of code says its purpose on line one, is short enough to be read at once, and has a name
//! that means something.

use moim_house::{File, expect_none, expect_one, files};

const MOST_LINES: usize = 400;
const EMPTY_NAMES: &[&str] =
    &["util", "utils", "common", "helper", "helpers", "manager", "managers", "misc"];

fn breaches(files: &[File]) -> Vec<String> {
    let mut found = Vec::new();
    for File { path, text } in files.iter().filter(|file| file.is_rust()) {
        if !text.starts_with("//! ") {
            found.push(format!("{path} does not begin with `//!` and its purpose"));
        }
        let lines = text.lines().count();
        if lines > MOST_LINES {
            found.push(format!("{path} has {lines} lines, more than {MOST_LINES}"));
        }
        let named = path.trim_end_matches(".rs").split('/');
        for name in named.filter(|name| EMPTY_NAMES.contains(name)) {
            found.push(format!("{path}: `{name}` says nothing about what is in it"));
        }
        for name in text.lines().filter_map(module_opened).filter(|it| EMPTY_NAMES.contains(it)) {
            found.push(format!("{path}: `mod {name}` says nothing about what is in it"));
        }
    }
    found
}

fn module_opened(line: &str) -> Option<&str> {
    let (visible, name) = line.trim().split_once("mod ")?;
    let name = name.strip_suffix(" {").or_else(|| name.strip_suffix(';'))?;
    (visible.is_empty() || visible.starts_with("pub")).then_some(name)
}

#[test]
fn every_file_of_code_has_a_purpose_a_length_and_a_name() {
    expect_none(&breaches(&files()));
}

#[test]
fn a_file_without_its_purpose_is_found() {
    let planted = File::planted("kit/src/x.rs", "use std::fs;\n");
    expect_one(&breaches(&[planted]), "does not begin");
}

#[test]
fn a_file_that_grew_too_long_is_found() {
    let long = |lines: usize| File::planted("kit/src/x.rs", &"//! One.\n".repeat(lines));
    expect_none(&breaches(&[long(MOST_LINES)]));
    expect_one(&breaches(&[long(MOST_LINES + 1)]), "has 401 lines");
}

#[test]
fn a_name_that_says_nothing_is_found() {
    for path in ["kit/src/utils.rs", "kit/src/helpers/mod.rs"] {
        expect_one(&breaches(&[File::planted(path, "//! One.\n")]), "says nothing");
    }
    let inline = File::planted("kit/src/x.rs", "//! One.\npub(crate) mod common {\n}\n");
    expect_one(&breaches(&[inline]), "`mod common`");
    let sound = File::planted("kit/src/x.rs", "//! One.\nmod commons;\nlet a = \"mod common;\";\n");
    expect_none(&breaches(&[sound]));
}
