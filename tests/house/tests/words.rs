//! Words that have no place in finished work: what is left undone, and where somebody's machine keeps it.

use moim_house::{File, expect_none, expect_one, files};

// Spelled in halves, so that this file does not find itself.
const UNDONE: &[&str] = &[
    concat!("to", "do!"),
    concat!("unimple", "mented!"),
    concat!("FIX", "ME"),
    concat!("#[ig", "nore"),
];
const SOMEWHERE: &[&str] =
    &[concat!("/ho", "me/"), concat!("/Us", "ers/"), concat!("/ro", "ot/"), concat!("/wo", "rk/")];

fn breaches(files: &[File]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files {
        for (index, line) in file.text.lines().enumerate() {
            let place = format!("{}:{}", file.path, index + 1);
            for word in UNDONE.iter().filter(|word| file.is_rust() && line.contains(*word)) {
                found.push(format!("{place} says `{word}`"));
            }
            for path in SOMEWHERE.iter().filter(|path| names(line, path)) {
                found.push(format!("{place} names a place on one machine: `{path}`"));
            }
        }
    }
    found
}

/// True when the path stands in the line and is not the middle of a longer one.
fn names(line: &str, path: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/}".contains(&byte);
    line.match_indices(path).any(|(at, _)| at == 0 || !inside(line.as_bytes()[at - 1]))
}

#[test]
fn nothing_is_left_undone_and_no_machine_is_named() {
    expect_none(&breaches(&files()));
}

#[test]
fn what_is_left_undone_is_found() {
    for word in UNDONE {
        let planted = |path| [File::planted(path, &format!("//! One.\n    {word}\n"))];
        expect_one(&breaches(&planted("kit/src/x.rs")), "kit/src/x.rs:2");
        expect_none(&breaches(&planted("docs/x.md")));
    }
}

#[test]
fn a_place_on_one_machine_is_found_in_any_file() {
    for path in SOMEWHERE {
        let planted = File::planted("docs/x.md", &format!("see `{path}me/notes`"));
        expect_one(&breaches(&[planted]), "names a place");
        let address = File::planted("docs/x.md", &format!("see example.org{path}me"));
        expect_none(&breaches(&[address]));
    }
}
