//! Sign-ins of one account go one after the other, so that the limit of failures cannot be raced past.

use std::hash::{BuildHasher as _, RandomState};

use tokio::sync::{Mutex, MutexGuard, Semaphore, SemaphorePermit};

const STRIPES: usize = 64;
/// Sign-ins under way in this process; more are sent away.
const MOST: usize = 128;

/// The door of sign-in: one at a time per account, a bounded number in all.
#[derive(Debug)]
pub struct SignInGate {
    hasher: RandomState,
    stripes: Vec<Mutex<()>>,
    room: Semaphore,
}

impl Default for SignInGate {
    fn default() -> Self {
        Self::with_room(MOST)
    }
}

/// The right to check one account's password.
pub struct Turn<'a>(
    #[expect(dead_code, reason = "held, not read")] (MutexGuard<'a, ()>, SemaphorePermit<'a>),
);

impl SignInGate {
    /// A door that lets `most` in at once, waiting ones included.
    #[must_use]
    pub fn with_room(most: usize) -> Self {
        Self {
            hasher: RandomState::new(),
            stripes: (0..STRIPES).map(|_| Mutex::default()).collect(),
            room: Semaphore::new(most),
        }
    }

    /// Waits for the turn of `email`; `None` when too many wait already.
    pub async fn enter(&self, email: &str) -> Option<Turn<'_>> {
        let room = self.room.try_acquire().ok()?;
        let stripe = usize::try_from(self.hasher.hash_one(email) % STRIPES as u64).unwrap_or(0);
        Some(Turn((self.stripes[stripe].lock().await, room)))
    }
}
