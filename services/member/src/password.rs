//! Hashing passwords with argon2id: a few at once and a bounded queue behind them, so that a rush
//! of log-ins cannot take every core and all memory.

use std::fmt;
use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{Error as HashError, PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use moim_kit::Fault;
use tokio::sync::Semaphore;

use crate::config::{Config, refused};
use crate::fault::Reason;

/// Hashes and verifies; clones share the pool.
#[derive(Clone)]
pub(crate) struct Passwords {
    argon: Argon2<'static>,
    /// Those being hashed and those waiting.
    admitted: Arc<Semaphore>,
    running: Arc<Semaphore>,
    /// Nobody's hash, verified in the place of an account that does not exist.
    nobody: Arc<str>,
}

impl Passwords {
    /// Opens the pool; hashes once, so that parameters that cannot work are found at start.
    pub async fn open(config: &Config) -> Result<Self, Fault> {
        let (memory, passes, lanes) =
            (config.hashing_memory_kib, config.hashing_passes, config.hashing_lanes);
        let params = Params::new(memory, passes, lanes, None)
            .map_err(|error| refused(format!("member.hashing_* cannot be used: {error}")))?;
        let running = config.hashing_threads as usize;
        let mut passwords = Self {
            argon: Argon2::new(Algorithm::Argon2id, Version::V0x13, params),
            admitted: Arc::new(Semaphore::new(running + config.hashing_queue as usize)),
            running: Arc::new(Semaphore::new(running)),
            nobody: "".into(),
        };
        let nobody = STANDARD_NO_PAD.encode(rand::random::<[u8; 32]>());
        passwords.nobody = passwords.hash(nobody).await?.into();
        Ok(passwords)
    }

    /// The hash of a password under a fresh salt, in PHC form.
    pub async fn hash(&self, password: String) -> Result<String, Fault> {
        let argon = self.argon.clone();
        self.run(move || {
            let hash: PasswordHash =
                argon.hash_password(password.as_bytes()).map_err(Fault::internal)?;
            Ok(hash.to_string())
        })
        .await
    }

    /// True when the password is the one hashed; without a hash it takes as long and is false.
    pub async fn verify(&self, password: String, hash: Option<String>) -> Result<bool, Fault> {
        let argon = self.argon.clone();
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.nobody.to_string());
        self.run(move || {
            let hash = PasswordHash::new(&hash).map_err(Fault::internal)?;
            match argon.verify_password(password.as_bytes(), &hash) {
                Ok(()) => Ok(known),
                Err(HashError::PasswordInvalid) => Ok(false),
                Err(error) => Err(Fault::internal(error)),
            }
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let admitted =
            self.admitted.clone().try_acquire_owned().map_err(|_| Reason::HashingBusy)?;
        let running = self.running.clone().acquire_owned().await.map_err(Fault::internal)?;
        let hashing = tokio::task::spawn_blocking(move || {
            // The work goes on when its caller is gone, so the work holds the places.
            let _held = (admitted, running);
            work()
        });
        hashing.await.map_err(Fault::internal)?
    }
}

impl fmt::Debug for Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passwords").field("params", self.argon.params()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> Config {
        Config { hashing_memory_kib: 8, hashing_passes: 1, ..Config::default() }
    }

    #[tokio::test]
    async fn a_password_is_known_again_and_no_other_is() {
        let passwords = Passwords::open(&small()).await.unwrap();
        let hash = passwords.hash("correct horse".to_owned()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{hash}");
        assert!(passwords.verify("correct horse".to_owned(), Some(hash.clone())).await.unwrap());
        assert!(!passwords.verify("battery staple".to_owned(), Some(hash)).await.unwrap());
        assert!(!passwords.verify("correct horse".to_owned(), None).await.unwrap());
    }

    #[tokio::test]
    async fn beyond_the_queue_it_is_busy_at_once_and_recovers() {
        let config = Config { hashing_threads: 1, hashing_queue: 1, ..small() };
        let passwords = Passwords::open(&config).await.unwrap();
        let held = passwords.running.clone().acquire_owned().await.unwrap();
        let mut first = Box::pin(passwords.hash("a".to_owned()));
        let mut second = Box::pin(passwords.hash("b".to_owned()));
        assert!(futures::poll!(&mut first).is_pending());
        assert!(futures::poll!(&mut second).is_pending());
        let third = passwords.hash("c".to_owned()).await.unwrap_err();
        assert_eq!(third.reason(), "HASHING_BUSY");
        drop(held);
        assert!(first.await.is_ok() && second.await.is_ok());
        assert!(passwords.hash("c".to_owned()).await.is_ok());
    }

    #[tokio::test]
    async fn parameters_that_cannot_work_are_refused_at_start() {
        let config = Config { hashing_memory_kib: 1, ..small() };
        let fault = Passwords::open(&config).await.unwrap_err();
        assert_eq!(fault.reason(), "CONFIG_INVALID");
    }
}
