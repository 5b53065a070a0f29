//! The published contract is the schema that the endpoint executes.

use std::fs;

const PUBLISHED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../schema.graphql");
const REMEDY: &str = "run `cargo run -- schema > schema.graphql`";

#[test]
fn the_published_schema_is_the_one_executed() {
    let published = fs::read_to_string(PUBLISHED)
        .unwrap_or_else(|error| panic!("schema.graphql cannot be read ({error}); {REMEDY}"));
    let executed = moim_bff::schema::sdl();
    let mut lines = published.lines().zip(executed.lines()).enumerate();
    if let Some((at, (old, new))) = lines.find(|(_, (old, new))| old != new) {
        panic!("line {} of schema.graphql is\n  {old}\nand should be\n  {new}\n{REMEDY}", at + 1);
    }
    assert!(
        published == executed,
        "schema.graphql is shorter or longer than it should be; {REMEDY}"
    );
}
