//! Whose work we build on and under which terms: deny.toml's lists of licences and of banned crates, held
//! against every crate of the lock file. `cargo deny check` asks the same and more, where it is installed.

use std::fs;
use std::process::Command;

use cargo_metadata::MetadataCommand;
use moim_house::{expect_none, expect_one, root};
use toml::Table;

struct Terms {
    allowed: Vec<String>,
    banned: Vec<String>,
}

impl Terms {
    fn read() -> Self {
        let deny: Table = parse("deny.toml");
        let strings = |value: &toml::Value| value.as_str().expect("a string").to_owned();
        let list =
            |section: &str, key: &str| deny[section][key].as_array().expect("a list").clone();
        let allowed = list("licenses", "allow").iter().map(strings).collect();
        let banned = list("bans", "deny").iter().map(|ban| strings(&ban["crate"])).collect();
        Self { allowed, banned }
    }
}

fn parse(path: &str) -> Table {
    let text = fs::read_to_string(root().join(path)).expect("a file at the root");
    text.parse().expect("TOML")
}

/// True when an SPDX expression can be met with the licences allowed.
fn is_met(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    either(&mut rest, allowed) && rest.is_empty()
}

fn either(rest: &mut &[&str], allowed: &[String]) -> bool {
    let mut met = both(rest, allowed);
    while let ["OR", after @ ..] = *rest {
        *rest = after;
        met |= both(rest, allowed);
    }
    met
}

fn both(rest: &mut &[&str], allowed: &[String]) -> bool {
    let mut met = one(rest, allowed);
    while let ["AND", after @ ..] = *rest {
        *rest = after;
        met &= one(rest, allowed);
    }
    met
}

fn one(rest: &mut &[&str], allowed: &[String]) -> bool {
    let (name, after) = match *rest {
        ["(", after @ ..] => {
            *rest = after;
            let met = either(rest, allowed);
            let closed = rest.first() == Some(&")");
            *rest = rest.get(1..).unwrap_or_default();
            return met && closed;
        }
        [name, "WITH", exception, after @ ..] => (format!("{name} WITH {exception}"), after),
        [name, after @ ..] => ((*name).to_owned(), after),
        [] => return false,
    };
    *rest = after;
    allowed.contains(&name)
}

fn unlicensed(licences: &[(String, String)], terms: &Terms) -> Vec<String> {
    let unmet = licences.iter().filter(|(_, licence)| !is_met(licence, &terms.allowed));
    unmet.map(|(name, licence)| format!("{name} asks for {licence:?}")).collect()
}

fn banned(names: &[String], terms: &Terms) -> Vec<String> {
    let met = names.iter().filter(|name| terms.banned.contains(name));
    met.map(|name| format!("{name} is banned and yet in the lock file")).collect()
}

/// Every crate that is built here, with its licence. Crates for other systems alone are not on this disk.
fn licences() -> Vec<(String, String)> {
    let version = Command::new("rustc").arg("-vV").output().expect("rustc").stdout;
    let version = String::from_utf8(version).expect("text");
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).expect("a host");
    let metadata = MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .other_options(["--filter-platform".to_owned(), host.to_owned()])
        .exec()
        .expect("metadata");
    let licence = |package: &cargo_metadata::Package| package.license.clone().unwrap_or_default();
    metadata.packages.iter().map(|it| (it.name.to_string(), licence(it))).collect()
}

/// Every crate of the lock file, those for other systems too.
fn locked() -> Vec<String> {
    let lock = parse("Cargo.lock");
    let packages = lock["package"].as_array().expect("packages");
    packages.iter().map(|it| it["name"].as_str().expect("a name").to_owned()).collect()
}

#[test]
fn every_crate_comes_under_a_licence_we_accept() {
    let licences = licences();
    assert!(licences.len() > 100, "{} crates", licences.len());
    expect_none(&unlicensed(&licences, &Terms::read()));
}

#[test]
fn no_banned_crate_is_in_the_lock_file() {
    let terms = Terms::read();
    for name in ["openssl", "openssl-sys", "native-tls", "aws-lc-rs", "aws-lc-sys"] {
        assert!(terms.banned.iter().any(|banned| banned == name), "{name} is to be banned");
    }
    expect_none(&banned(&locked(), &terms));
}

#[test]
fn a_licence_we_do_not_accept_is_found() {
    let terms = Terms::read();
    let of = |licence: &str| [("planted".to_owned(), licence.to_owned())];
    for licence in [
        "GPL-3.0-only",
        "",
        "MIT AND GPL-3.0-only",
        "GPL-2.0 OR AGPL-3.0",
        "(MIT OR Apache-2.0) AND SSPL-1.0",
        "Apache-2.0 WITH Nothing-exception",
        "(MIT",
    ] {
        expect_one(&unlicensed(&of(licence), &terms), "planted asks for");
    }
    for licence in ["MIT/Apache-2.0", "GPL-3.0-only OR MIT", "(MIT OR GPL-2.0) AND Apache-2.0"] {
        expect_none(&unlicensed(&of(licence), &terms));
    }
}

#[test]
fn a_banned_crate_is_found() {
    let names = ["serde", "openssl-sys"].map(str::to_owned);
    expect_one(&banned(&names, &Terms::read()), "openssl-sys is banned");
}
