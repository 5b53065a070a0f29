//! Where the program under test is, built when it is missing or older than its sources.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The `moim` to test: the one named by `MOIM_BIN`, or the one beside this test.
pub fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| match std::env::var_os("MOIM_BIN") {
        Some(named) => PathBuf::from(named),
        None => built("moim", &[]),
    })
}

/// The same program with crash points: the one named by `MOIM_CRASH_BIN`, or the one beside this test.
pub fn crashing_program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| match std::env::var_os("MOIM_CRASH_BIN") {
        Some(named) => PathBuf::from(named),
        None => built("moim-crash", &["--features", "crash"]),
    })
}

fn built(name: &str, with: &[&str]) -> PathBuf {
    let own = std::env::current_exe().unwrap();
    // <target>/<profile>/deps/<this test>, or without deps when it is a program itself.
    let beside = own.parent().unwrap();
    let profile = beside.parent().filter(|_| beside.ends_with("deps")).unwrap_or(beside);
    let program = profile.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    if is_fresh(&program) {
        return program;
    }
    // Test processes run side by side; one of them builds and the others find it done.
    let lock = File::create(profile.join(".moim-e2e.lock")).unwrap();
    lock.lock().unwrap();
    if !is_fresh(&program) {
        // What changes while it is being built is not in it: the stamp is from before.
        let begun = profile.join(".moim-e2e.begun");
        File::create(&begun).unwrap();
        build(profile, name, with);
        fs::rename(begun, stamp(&program)).unwrap();
        assert!(program.exists(), "cargo built no {}", program.display());
    }
    program
}

fn build(profile: &Path, name: &str, with: &[&str]) {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--quiet", "-p", "moim", "--bin", name]).args(with);
    command.arg("--target-dir").arg(profile.parent().unwrap());
    if profile.file_name().is_some_and(|name| name == "release") {
        command.arg("--release");
    }
    let output = command.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the program does not build:\n{said}");
}

/// Tells when a build that found nothing to do was begun last.
fn stamp(program: &Path) -> PathBuf {
    let name = program.file_stem().unwrap_or_default().to_string_lossy();
    program.with_file_name(format!(".{name}-e2e.built"))
}

/// True when the program is there and nothing that cargo says it was made of is newer.
fn is_fresh(program: &Path) -> bool {
    let changed = |path: &Path| fs::metadata(path).and_then(|it| it.modified()).ok();
    let (Some(made), Ok(sources)) =
        (changed(program), fs::read_to_string(program.with_extension("d")))
    else {
        return false;
    };
    let made = changed(&stamp(program)).map_or(made, |checked| checked.max(made));
    let sources = sources.split_once(": ").map_or("", |(_, sources)| sources);
    // Cargo writes a space inside a path as "\ ".
    let sources = sources.trim().replace("\\ ", "\0");
    let sources = sources.split(' ').map(|source| PathBuf::from(source.replace('\0', " ")));
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let manifests = ["Cargo.lock", "Cargo.toml"].map(|name| workspace.join(name));
    sources.chain(manifests).all(|source| changed(&source).is_some_and(|at| at <= made))
}
