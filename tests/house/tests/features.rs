//! What must never be built unless it is asked for by name: no crate turns it on for another.

use moim_house::{Crate, crates, expect_none, expect_one};

/// Features for proofs alone.
const NEVER_BY_THEMSELVES: &[&str] = &["crash"];

fn breaches(crates: &[Crate]) -> Vec<String> {
    let mut found = Vec::new();
    for Crate { name, features, asked_for, .. } in crates {
        for feature in NEVER_BY_THEMSELVES {
            for (other, includes) in features.iter().filter(|(other, _)| other != feature) {
                let is_met = |it: &String| it.rsplit('/').next() == Some(*feature);
                if includes.iter().any(is_met) {
                    found.push(format!("the feature {other} of {name} turns on {feature}"));
                }
            }
            for (dependency, _) in asked_for.iter().filter(|(_, asked)| asked == feature) {
                found.push(format!("{name} asks {dependency} for {feature}"));
            }
        }
    }
    found
}

#[test]
fn nothing_that_is_for_proofs_is_built_by_default() {
    let crates = crates();
    let has = |name: &str| {
        let of = crates.iter().find(|each| each.name == name).expect("a crate of ours");
        of.features.iter().any(|(feature, _)| feature == "crash")
    };
    assert!(has("moim-storage") && has("moim"), "{crates:#?}");
    expect_none(&breaches(&crates));
}

fn planted(features: &[(&str, &[&str])], asked_for: &[(&str, &str)]) -> Crate {
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    Crate {
        name: "planted".to_owned(),
        directory: "planted".to_owned(),
        dependencies: Vec::new(),
        features: features.iter().map(|(name, on)| ((*name).to_owned(), owned(on))).collect(),
        asked_for: asked_for.iter().map(|(of, it)| ((*of).to_owned(), (*it).to_owned())).collect(),
    }
}

#[test]
fn a_feature_turned_on_in_passing_is_found() {
    let sound = planted(&[("crash", &["moim-storage/crash"])], &[("tokio", "fs")]);
    expect_none(&breaches(&[sound]));
    for including in ["crash", "moim-storage/crash"] {
        let broken = planted(&[("default", &[including])], &[]);
        expect_one(&breaches(&[broken]), "default of planted turns on crash");
    }
    let broken = planted(&[], &[("moim-storage", "crash")]);
    expect_one(&breaches(&[broken]), "planted asks moim-storage for crash");
}
