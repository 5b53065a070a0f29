//! Who may import whom: a crate is a wall, and each Cargo.toml says who knows whom.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::DependencyKind;
use moim_house::{Crate, crates, expect_none, expect_one};

/// What a crate imports of ours; `None`: whatever it wants.
fn allowed(directory: &str) -> Option<&'static [&'static str]> {
    match directory {
        "proto" | "kit" => Some(&[]),
        "storage" => Some(&["kit"]),
        "bff" => Some(&["kit", "proto"]),
        _ if directory.starts_with("services/") => Some(&["kit", "proto", "storage"]),
        "app" => None,
        _ if directory.starts_with("tests/") => None,
        _ => panic!("{directory} has no place in the table of imports"),
    }
}

/// Crates of others that only some of ours may know.
const KEPT_APART: &[(&str, &[&str])] = &[
    ("sqlx", &["storage", "services/", "tests/testbed", "tests/proof", "tests/load"]),
    ("redis", &["kit", "tests/load"]),
    ("async-graphql", &["bff", "tests/"]),
];

const TESTBED: &str = "tests/testbed";

fn breaches(crates: &[Crate]) -> Vec<String> {
    let places: BTreeMap<_, _> =
        crates.iter().map(|each| (each.name.as_str(), each.directory.as_str())).collect();
    let mut found = Vec::new();
    for each in crates {
        check_own(each, &places, &mut found);
        check_kept_apart(each, &mut found);
    }
    found
}

fn check_own(each: &Crate, places: &BTreeMap<&str, &str>, found: &mut Vec<String>) {
    let Some(allowed) = allowed(&each.directory) else { return };
    let allowed: BTreeSet<&str> = allowed.iter().copied().collect();
    let ours = |development: bool| -> BTreeSet<&str> {
        each.dependencies
            .iter()
            .filter(|(_, kind)| (*kind == DependencyKind::Development) == development)
            .filter_map(|(name, _)| places.get(name.as_str()).copied())
            .collect()
    };
    let imports = ours(false);
    if imports != allowed {
        found.push(format!("{} imports {imports:?}, not {allowed:?}", each.name));
    }
    for place in ours(true) {
        if place != TESTBED && !allowed.contains(place) {
            found.push(format!("the tests of {} import {place}", each.name));
        }
    }
}

fn check_kept_apart(each: &Crate, found: &mut Vec<String>) {
    for (name, places) in KEPT_APART {
        let uses = each.dependencies.iter().any(|(dependency, _)| dependency == name);
        let may = places.iter().any(|place| {
            each.directory == *place || place.ends_with('/') && each.directory.starts_with(place)
        });
        if uses && !may {
            found.push(format!("{} imports {name}, which is for {places:?}", each.name));
        }
    }
}

#[test]
fn every_crate_imports_exactly_what_the_plan_says() {
    let crates = crates();
    assert!(crates.iter().any(|each| each.directory == "services/member"), "{crates:#?}");
    expect_none(&breaches(&crates));
}

/// The house with one more dependency in one of its crates.
fn planted(directory: &str, dependency: &str, kind: DependencyKind) -> Vec<Crate> {
    let mut crates = crates();
    let into = crates.iter_mut().find(|each| each.directory == directory);
    into.expect("a crate of ours").dependencies.push((dependency.to_owned(), kind));
    crates
}

#[test]
fn a_door_broken_through_a_wall_is_found() {
    for (from, to) in [
        ("services/schedule", "moim-member"),
        ("bff", "moim-storage"),
        ("kit", "moim-proto"),
        ("storage", "moim"),
        ("bff", "sqlx"),
        ("app", "sqlx"),
        ("kit", "async-graphql"),
    ] {
        let crates = planted(from, to, DependencyKind::Normal);
        let sound: BTreeSet<_> = breaches(&self::crates()).into_iter().collect();
        let new: Vec<_> = breaches(&crates).into_iter().filter(|it| !sound.contains(it)).collect();
        assert_eq!(new.len(), 1, "{from} -> {to}: {new:#?}");
    }
}

#[test]
fn a_missing_import_is_found() {
    let mut crates = crates();
    for each in crates.iter_mut().filter(|each| each.directory == "storage") {
        each.dependencies.retain(|(name, _)| name != "moim-kit");
    }
    assert!(breaches(&crates).iter().any(|breach| breach.starts_with("moim-storage imports {}")));
}

#[test]
fn tests_may_stand_on_the_testbed_and_on_no_other_room() {
    let crate_of = |name: &str, directory: &str, dependencies: &[(&str, DependencyKind)]| Crate {
        name: name.to_owned(),
        directory: directory.to_owned(),
        dependencies: dependencies.iter().map(|(to, kind)| ((*to).to_owned(), *kind)).collect(),
        features: Vec::new(),
        asked_for: Vec::new(),
    };
    let development = DependencyKind::Development;
    let bed = crate_of("moim-testbed", TESTBED, &[]);
    let app = crate_of("moim", "app", &[]);
    let sound = crate_of("moim-kit", "kit", &[("moim-testbed", development)]);
    expect_none(&breaches(&[bed.clone(), app.clone(), sound]));
    let broken = crate_of("moim-kit", "kit", &[("moim", development)]);
    expect_one(&breaches(&[bed, app, broken]), "the tests of moim-kit import app");
}
