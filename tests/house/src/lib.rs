//! Reads the house as its rules look at it: its files, and its crates with what each depends on.
#![allow(clippy::unwrap_used, reason = "test support fails loudly")]

use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, MetadataCommand, Package};

/// A file that somebody wrote, whether or not it is tracked.
#[derive(Clone, Debug)]
pub struct File {
    /// From the root of the house, with `/` between.
    pub path: String,
    /// What it says; empty when it is no text.
    pub text: String,
}

impl File {
    /// A file made up by a test.
    pub fn planted(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    /// True for Rust code.
    pub fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Its lines with their numbers, comments left out.
    pub fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let numbered = self.text.lines().enumerate().map(|(index, line)| (index + 1, line));
        numbered.filter(|(_, line)| !line.trim_start().starts_with("//"))
    }
}

/// A crate of this workspace.
#[derive(Clone, Debug)]
pub struct Crate {
    /// Its name.
    pub name: String,
    /// Where it stands, from the root of the house.
    pub directory: String,
    /// What it depends on directly, by name.
    pub dependencies: Vec<(String, DependencyKind)>,
    /// Its features, and what each turns on.
    pub features: Vec<(String, Vec<String>)>,
    /// Features it turns on in a dependency, each with the dependency's name.
    pub asked_for: Vec<(String, String)>,
}

/// Where the house stands.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Every file outside what tools make: `target`, `data`, `node_modules` and hidden directories but `.ci`.
pub fn files() -> Vec<File> {
    let root = root();
    let mut found = Vec::new();
    collect(&root, &root, &mut found);
    found.sort_by(|one, other| one.path.cmp(&other.path));
    assert!(found.len() > 100, "the house was not found at {}", root.display());
    found
}

fn collect(root: &Path, directory: &Path, found: &mut Vec<File>) {
    for entry in fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let path = entry.path();
        let kind = entry.file_type().unwrap();
        let made = matches!(name.as_str(), "node_modules" | "__generated__")
            || directory == root && matches!(name.as_str(), "target" | "data")
            || name.starts_with('.') && name != ".ci";
        if kind.is_dir() && !made {
            collect(root, &path, found);
        // A linked worktree has a file there, which says where the rest of it lies.
        } else if kind.is_file() && name != ".git" {
            // Others may be at work: a file that has just gone is no file.
            let Ok(bytes) = fs::read(&path) else { continue };
            let path = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            found.push(File { path, text: String::from_utf8(bytes).unwrap_or_default() });
        }
    }
}

/// Programs that crates name for `cargo run`, which starts none unless it is exactly one.
pub fn default_programs() -> Vec<String> {
    packages().into_iter().filter_map(|package| package.default_run).collect()
}

fn packages() -> Vec<Package> {
    let manifest = root().join("Cargo.toml");
    MetadataCommand::new().manifest_path(manifest).no_deps().exec().unwrap().packages
}

/// Every crate of the workspace.
pub fn crates() -> Vec<Crate> {
    let root = root();
    let directory = |manifest: &Path| {
        let parent = manifest.parent().unwrap().canonicalize().unwrap();
        parent.strip_prefix(&root).unwrap().to_str().unwrap().to_owned()
    };
    packages()
        .iter()
        .map(|package| Crate {
            name: package.name.to_string(),
            directory: directory(package.manifest_path.as_std_path()),
            dependencies: package
                .dependencies
                .iter()
                .map(|dependency| (dependency.name.clone(), dependency.kind))
                .collect(),
            features: package.features.clone().into_iter().collect(),
            asked_for: package
                .dependencies
                .iter()
                .flat_map(|it| it.features.iter().map(|asked| (it.name.clone(), asked.clone())))
                .collect(),
        })
        .collect()
}

/// Fails with every breach on a line of its own.
#[track_caller]
pub fn expect_none(breaches: &[String]) {
    assert!(breaches.is_empty(), "found:\n{}\n", breaches.join("\n"));
}

/// Fails unless the breach that was planted, and no other, was found.
#[track_caller]
pub fn expect_one(breaches: &[String], told: &str) {
    assert!(
        matches!(breaches, [breach] if breach.contains(told)),
        "one breach telling {told:?} was expected: {breaches:#?}"
    );
}
