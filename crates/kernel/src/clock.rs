//! Time as an input: the real clock truncated to what PostgreSQL stores, or one that a test moves.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use jiff::Timestamp;

/// Tells the time in whole microseconds, as PostgreSQL stores it, so that what is stored reads back equal.
#[derive(Debug, Clone, Default)]
pub struct Clock(Option<Arc<AtomicI64>>);

impl Clock {
    /// The clock of the machine.
    #[must_use]
    pub fn system() -> Self {
        Self(None)
    }

    /// A clock that stands still at `start` until it is moved by [`Clock::advance_seconds`].
    #[must_use]
    pub fn fake(start: Timestamp) -> Self {
        Self(Some(Arc::new(AtomicI64::new(start.as_microsecond()))))
    }

    /// The present moment.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place where time comes from")]
    pub fn now(&self) -> Timestamp {
        let micros = match &self.0 {
            Some(fake) => fake.load(Ordering::SeqCst),
            None => Timestamp::now().as_microsecond(),
        };
        Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// Moves a fake clock; the system's clock cannot be moved and stays as it is.
    pub fn advance_seconds(&self, seconds: i64) {
        if let Some(fake) = &self.0 {
            fake.fetch_add(seconds.saturating_mul(1_000_000), Ordering::SeqCst);
        }
    }
}
