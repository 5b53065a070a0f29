//! Configuration in layers: defaults in the code, a file, then `MOIM_<ROOM>__<KNOB>` from the environment.

use std::path::{Path, PathBuf};

use figment::Figment;
use figment::providers::{Env, Format as _, Serialized, Toml};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Why a configuration was refused, in one sentence.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file named does not exist or cannot be read.
    #[error("the configuration file {0} cannot be read: {1}")]
    Unreadable(PathBuf, String),
    /// A value is missing, unknown or of the wrong kind.
    #[error("the configuration is wrong: {0}")]
    Wrong(String),
}

/// Reads a configuration: `T::default()`, then the file, then the environment.
#[allow(clippy::result_large_err, reason = "figment's error is turned into a sentence at once")]
pub fn load<T>(file: Option<&Path>) -> Result<T, ConfigError>
where
    T: Default + Serialize + DeserializeOwned,
{
    let mut figment = Figment::from(Serialized::defaults(T::default()));
    if let Some(path) = file {
        std::fs::read_to_string(path)
            .map_err(|error| ConfigError::Unreadable(path.to_owned(), error.to_string()))?;
        figment = figment.merge(Toml::file_exact(path));
    }
    figment
        // Without the two underscores it is somebody else's, such as what Kubernetes injects for a
        // service named moim.
        .merge(Env::prefixed("MOIM_").filter(|key| key.as_str().contains("__")).split("__"))
        .extract()
        .map_err(|error| ConfigError::Wrong(sentence(&error.to_string())))
}

/// A parser shows the place in several lines with a drawing: the first line and the last say it all.
fn sentence(text: &str) -> String {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default();
    lines.next_back().map_or_else(|| first.to_owned(), |last| format!("{first}: {last}"))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct House {
        bff: Bff,
    }
    #[derive(Debug, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Bff {
        port: u16,
    }
    impl Default for House {
        fn default() -> Self {
            Self { bff: Bff { port: 4000 } }
        }
    }

    fn load_text(text: &str) -> Result<House, ConfigError> {
        let path = std::env::temp_dir().join(format!("moim-config-{}", uuid::Uuid::now_v7()));
        std::fs::File::create(&path).and_then(|mut file| file.write_all(text.as_bytes())).unwrap();
        load(Some(&path))
    }

    #[test]
    fn a_file_overrides_the_default() {
        assert_eq!(load_text("[bff]\nport = 5000").unwrap().bff.port, 5000);
    }

    #[test]
    fn a_wrong_file_is_refused_in_a_sentence_naming_the_knob() {
        for (text, named) in
            [("[bff]\nport = \"x\"", "port"), ("[bff]\nprot = 1", "prot"), ("bff = [", "TOML")]
        {
            let sentence = load_text(text).unwrap_err().to_string();
            assert!(sentence.contains(named), "{sentence}");
        }
        assert!(load::<House>(Some(Path::new("/nowhere.toml"))).is_err());
    }
}
