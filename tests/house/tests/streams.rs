//! A method that streams says so by its name: a wire must know it from one that is answered whole.

use moim_house::{File, expect_none, expect_one, files};

const NAMES: [&str; 2] = ["Follow", "Watch"];

fn breaches(files: &[File]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files.iter().filter(|file| file.path.ends_with(".proto")) {
        for (number, line) in file.code() {
            let Some(method) = line.trim().strip_prefix("rpc ") else { continue };
            let streams = method.contains("(stream ");
            if streams != NAMES.iter().any(|name| method.starts_with(name)) {
                found.push(format!("{}:{number} is not named as it answers: {method}", file.path));
            }
        }
    }
    found
}

#[test]
fn methods_that_stream_and_no_others_are_named_so() {
    let files = files();
    let text = files.iter().filter(|file| file.path.ends_with(".proto")).map(|file| &file.text);
    assert!(text.clone().any(|text| text.contains("(stream ")), "{}", text.count());
    expect_none(&breaches(&files));
}

#[test]
fn a_stream_by_another_name_is_found_and_so_is_a_name_without_a_stream() {
    for line in ["rpc Listen(A) returns (stream B);", "rpc Follow(A) returns (B);"] {
        let planted = File::planted("proto/x.proto", &format!("service S {{\n  {line}\n}}"));
        expect_one(&breaches(&[planted]), "proto/x.proto:2");
    }
}
