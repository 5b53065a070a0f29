//! The published contract is the schema that the endpoint executes.

use std::fs;

use moim_bff::Config;

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

#[test]
fn the_guard_knows_the_directives_and_mutations_there_are() {
    let executed = moim_bff::schema::sdl();
    let guard = Config::default().settings().expect("the defaults are good").guard;
    let directives = executed.lines().filter_map(|line| {
        let (name, places) = line.strip_prefix("directive @")?.split_once(" on ")?;
        let executable = places.split(" | ").any(|place| place == "FIELD");
        executable.then(|| name.split('(').next().unwrap_or(name).to_owned())
    });
    let mut directives: Vec<_> = directives.collect();
    let mut known = guard.known_directives.clone();
    directives.sort();
    known.sort_unstable();
    assert_eq!(known, directives);
    let mutations = executed.split_once("\ntype Mutation {").expect("there are mutations").1;
    let mutations = mutations.split_once("\n}").expect("they end").0;
    for name in guard.alone.iter().chain(&guard.attempts) {
        assert!(mutations.contains(&format!("\n  {name}(\n")), "there is no mutation {name}");
    }
}
