//! Documents that a client has sent once with their hash, so that the hash is enough from then on.

use std::fmt::Write as _;
use std::sync::Arc;

use moka::sync::Cache;
use sha2::{Digest as _, Sha256};

/// What an entry costs beside its text, roughly.
const ENTRY_BYTES: usize = 160;

/// SHA-256 of a document's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Digest([u8; 32]);

impl Digest {
    pub(super) fn of(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }

    /// Reads 64 digits, small or large.
    pub(super) fn read(hex: &str) -> Option<Self> {
        let digits = hex.as_bytes();
        if digits.len() != 64 {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let digit = |at: usize| char::from(pair[at]).to_digit(16);
            *byte = u8::try_from(digit(0)? * 16 + digit(1)?).ok()?;
        }
        Some(Self(bytes))
    }

    /// As clients spell it.
    pub(super) fn to_hex(self) -> String {
        self.0.iter().fold(String::with_capacity(64), |mut text, byte| {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

/// The store, of so many bytes and no more; what nobody asks for goes first.
#[derive(Clone)]
pub(super) struct SentOnce {
    texts: Cache<Digest, Arc<str>>,
}

impl SentOnce {
    pub(super) fn new(bytes: u64) -> Self {
        let weigh = |_: &Digest, text: &Arc<str>| {
            u32::try_from(text.len() + ENTRY_BYTES).unwrap_or(u32::MAX)
        };
        Self { texts: Cache::builder().max_capacity(bytes).weigher(weigh).build() }
    }

    pub(super) fn text(&self, digest: Digest) -> Option<Arc<str>> {
        self.texts.get(&digest)
    }

    pub(super) fn keep(&self, digest: Digest, text: &str) {
        if !self.texts.contains_key(&digest) {
            self.texts.insert(digest, text.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_read_as_it_is_written() {
        let hash = "ecf4edb46db40b5132295c0291d62fb65d6759a9eedfa4d5d612dd5ec54a6b38";
        let digest = Digest::of("{__typename}");
        assert_eq!(digest.to_hex(), hash);
        assert_eq!(Digest::read(hash), Some(digest));
        assert_eq!(Digest::read(&hash.to_uppercase()), Some(digest));
        for wrong in ["", "ecf4", &hash.replace('e', "g"), &format!("{hash}0"), &"é".repeat(32)] {
            assert_eq!(Digest::read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn no_more_is_kept_than_there_is_room_for() {
        let store = SentOnce::new(64 * 1024);
        for n in 0..2_000 {
            let text = format!("{{ n{n} }} # {}", "x".repeat(500));
            store.keep(Digest::of(&text), &text);
        }
        store.texts.run_pending_tasks();
        assert!(store.texts.weighted_size() <= 64 * 1024, "{}", store.texts.weighted_size());
        assert!(store.texts.entry_count() > 0);
    }
}
