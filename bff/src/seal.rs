//! Seen tokens leave the house sealed: rooms wait for what a token names, so nobody may make one up.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac as _};
use moim_kit::seen::Seen;
use sha2::Sha256;

/// Bytes of the seal: HMAC-SHA256 (RFC 2104), cut to 128 bits.
const SEAL_BYTES: usize = 16;

/// Seals and opens seen tokens under one key, the same in every process that answers clients.
#[derive(Clone)]
pub struct Seal {
    mac: Hmac<Sha256>,
}

impl Seal {
    /// Under a key of any length.
    pub fn new(key: &[u8]) -> Self {
        let mac = Hmac::new_from_slice(key).unwrap_or_else(|_| Hmac::new(&Default::default()));
        Self { mac }
    }

    /// As it goes to clients: the token, a dot, the seal.
    pub fn seal(&self, seen: &Seen) -> String {
        let text = seen.encode_text();
        let seal = self.mac.clone().chain_update(&text).finalize().into_bytes();
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(&seal[..SEAL_BYTES]))
    }

    /// Who somebody is, for rooms that count people without being told who they are: the same for the same
    /// person or place, and of no use to find out which.
    pub fn pseudonym(&self, whom: &str) -> String {
        // No seen token has a blank, so this never seals one.
        let mac = self.mac.clone().chain_update("somebody ").chain_update(whom);
        URL_SAFE_NO_PAD.encode(&mac.finalize().into_bytes()[..SEAL_BYTES])
    }

    /// Reads what a client sent back; what we did not seal counts as having seen nothing.
    pub fn open(&self, sealed: &str) -> Seen {
        let read = || {
            let (text, seal) = sealed.split_once('.')?;
            let seal = URL_SAFE_NO_PAD.decode(seal).ok().filter(|it| it.len() == SEAL_BYTES)?;
            self.mac.clone().chain_update(text).verify_truncated_left(&seal).ok()?;
            Some(Seen::decode_text(text))
        };
        read().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use moim_kit::Clock;
    use moim_kit::seen::Mark;
    use uuid::Uuid;

    use super::*;

    fn seen() -> Seen {
        let mut seen = Seen::default();
        seen.merge([Mark::new("member", Uuid::now_v7(), 2, Clock::system().now())]);
        seen
    }

    #[test]
    fn what_was_sealed_opens_again() {
        let seal = Seal::new(b"a key of the house");
        let seen = seen();
        assert_eq!(seal.open(&seal.seal(&seen)), seen);
    }

    #[test]
    fn a_pseudonym_is_the_same_for_one_and_tells_nothing() {
        let seal = Seal::new(b"a key of the house");
        assert_eq!(seal.pseudonym("192.0.2.1"), seal.pseudonym("192.0.2.1"));
        assert_ne!(seal.pseudonym("192.0.2.1"), seal.pseudonym("192.0.2.2"));
        assert_ne!(seal.pseudonym("x"), Seal::new(b"another key").pseudonym("x"));
        assert_eq!(seal.pseudonym("192.0.2.1").len(), 22);
    }

    #[test]
    fn a_token_of_somebody_elses_making_is_nothing_seen() {
        let seal = Seal::new(b"a key of the house");
        let sealed = seal.seal(&seen());
        let forged = format!("{}.{}", seen().encode_text(), "A".repeat(22));
        for text in ["", ".", "x", &seen().encode_text(), &sealed[..sealed.len() - 1], &forged] {
            assert!(seal.open(text).is_empty(), "{text}");
        }
        assert!(Seal::new(b"another key").open(&sealed).is_empty());
    }
}
