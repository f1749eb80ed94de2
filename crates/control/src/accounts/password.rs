//! Passwords: argon2id with the parameters that OWASP recommends, few at once, never on a thread that serves requests.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use argon2::{Argon2, PasswordHasher as _, PasswordVerifier as _, password_hash::phc::PasswordHash};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Semaphore;

use crate::Control;

/// A stored password that nothing fits, with the parameters of all others (m = 19 MiB, t = 2, p = 1): unknown accounts
/// cost the same work.
const NOBODYS: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bWFya2V0aGFsbC1ub2JvZHk$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
/// More callers than this are sent away instead of waiting.
const MOST_WAITING: usize = 64;

/// A password could not be hashed or checked now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too many at once.
    #[error("too many passwords are being checked")]
    Busy,
    /// A stored password is damaged, or the system has no randomness.
    #[error("a password cannot be hashed")]
    Hashing,
}

/// Hashes and checks, with bounded concurrency.
#[derive(Debug)]
pub(crate) struct Passwords {
    permits: Arc<Semaphore>,
    waiting: AtomicUsize,
}

struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Passwords {
    /// `at_once` of 0 means half the cores.
    pub(crate) fn new(at_once: usize) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let permits = if at_once == 0 { (cores / 2).max(1) } else { at_once };
        Self { permits: Arc::new(Semaphore::new(permits)), waiting: AtomicUsize::new(0) }
    }

    /// The form to store.
    pub(crate) async fn hash(&self, password: SecretString) -> Result<String, PasswordError> {
        self.run(move || {
            let hash: Result<PasswordHash, _> =
                Argon2::default().hash_password(password.expose_secret().as_bytes());
            hash.map(|hash| hash.to_string()).map_err(|_| PasswordError::Hashing)
        })
        .await
    }

    /// Whether `password` fits what is stored; with nothing stored the answer is no, after the same work.
    pub(crate) async fn verify(
        &self,
        password: SecretString,
        stored: Option<String>,
    ) -> Result<bool, PasswordError> {
        self.run(move || {
            let known = stored.is_some();
            let stored = stored.as_deref().unwrap_or(NOBODYS);
            let hash = PasswordHash::new(stored).map_err(|_| PasswordError::Hashing)?;
            let fits = Argon2::default().verify_password(password.expose_secret().as_bytes(), &hash).is_ok();
            Ok(known && fits)
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let before = self.waiting.fetch_add(1, Ordering::SeqCst);
        let _waiting = Waiting(&self.waiting);
        if before >= MOST_WAITING {
            return Err(PasswordError::Busy);
        }
        let permit = self.permits.clone().acquire_owned().await.map_err(|_| PasswordError::Busy)?;
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            // Held until the memory is free again, also when the caller has gone away.
            drop(permit);
            done
        });
        done.await.map_err(|_| PasswordError::Hashing)?
    }
}

/// A made-up password: 120 random bits in 20 characters.
pub(crate) fn random_password() -> Result<SecretString, PasswordError> {
    let mut bytes = [0_u8; 15];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| PasswordError::Hashing)?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes).into())
}

/// The stored form of the password given, or of a made-up one, which is then to be shown once.
pub(crate) async fn first_password(
    control: &Control,
    given: Option<SecretString>,
) -> Result<(String, Option<SecretString>), PasswordError> {
    match given {
        Some(password) => Ok((control.passwords().hash(password).await?, None)),
        None => {
            let password = random_password()?;
            Ok((control.passwords().hash(password.clone()).await?, Some(password)))
        }
    }
}

/// A rule for request types: length decides (NIST SP 800-63B), at most 128 characters.
///
/// # Errors
/// With fewer than 8 or more than 128 characters.
pub fn check_password(password: &SecretString, _ctx: &()) -> garde::Result {
    let length = password.expose_secret().chars().count();
    if (8..=128).contains(&length) { Ok(()) } else { Err(garde::Error::new("must have 8 to 128 characters")) }
}

/// The same for a password that may be absent.
pub(crate) fn check_new_password(password: &Option<SecretString>, ctx: &()) -> garde::Result {
    password.as_ref().map_or(Ok(()), |password| check_password(password, ctx))
}

/// A rule for passwords that somebody claims to have: whatever they once were, but not without end.
///
/// # Errors
/// When empty or over 1024 bytes.
pub fn check_claimed_password(password: &SecretString, _ctx: &()) -> garde::Result {
    match password.expose_secret().len() {
        1..=1024 => Ok(()),
        _ => Err(garde::Error::new("must have 1 to 1024 bytes")),
    }
}

/// The same for a password that may be absent.
pub(crate) fn check_claim(password: &Option<SecretString>, ctx: &()) -> garde::Result {
    password.as_ref().map_or(Ok(()), |password| check_claimed_password(password, ctx))
}

#[cfg(test)]
mod tests {
    use super::*;

    // IDN-2
    #[tokio::test]
    async fn a_password_fits_its_own_hash_only_and_is_stored_as_argon2id() {
        let passwords = Passwords::new(1);
        let hash = passwords.hash("correct horse".into()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_eq!(passwords.verify("correct horse".into(), Some(hash.clone())).await, Ok(true));
        assert_eq!(passwords.verify("correct horsf".into(), Some(hash)).await, Ok(false));
        assert_eq!(passwords.verify("correct horse".into(), None).await, Ok(false));
    }

    #[test]
    fn the_stand_in_for_unknown_accounts_costs_the_same_work() {
        let stand_in = PasswordHash::new(NOBODYS).unwrap();
        let real: PasswordHash = Argon2::default().hash_password(b"x").unwrap();
        assert_eq!(stand_in.algorithm, real.algorithm);
        assert_eq!(stand_in.params, real.params);
        assert_eq!(stand_in.hash.map(|hash| hash.len()), real.hash.map(|hash| hash.len()));
    }

    #[tokio::test]
    async fn more_callers_than_can_wait_are_sent_away() {
        let passwords = Passwords::new(1);
        passwords.waiting.store(MOST_WAITING, Ordering::SeqCst);
        assert_eq!(passwords.hash("correct horse".into()).await, Err(PasswordError::Busy));
    }
}
