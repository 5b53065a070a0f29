//! Compiles the contracts with protox, so that building needs no protoc.

use std::path::{Path, PathBuf};

use prost::Message as _;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut files = Vec::new();
    collect(Path::new("moim"), &mut files)?;
    files.sort();
    println!("cargo::rerun-if-changed=moim");
    let descriptors = protox::compile(&files, ["."])?;
    // What a room tells of itself when it is asked by reflection.
    #[allow(clippy::disallowed_methods, reason = "cargo's word to a build script, no knob")]
    let told = PathBuf::from(std::env::var("OUT_DIR")?).join("descriptors.bin");
    std::fs::write(&told, descriptors.encode_to_vec())?;
    let mut paths = Vec::new();
    for file in &descriptors.file {
        for service in &file.service {
            let names = service.method.iter().map(|method| method.name());
            let path = |name| format!("/{}.{}/{name}", file.package(), service.name());
            paths.extend(names.map(path));
        }
    }
    std::fs::write(told.with_file_name("methods.rs"), format!("&{paths:?}"))?;
    tonic_prost_build::configure().bytes(".").compile_fds(descriptors)?;
    Ok(())
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            files.push(path);
        }
    }
    Ok(())
}
