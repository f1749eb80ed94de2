//! The moments at which a process may die, so that tests can die in each of them.

use std::{fmt, sync::Arc};

/// A moment between two steps of carrying a message that are not one effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Window {
    /// The outbox is known to have more, nothing of it was read.
    Reading,
    /// Deliveries are written and the place has moved, nothing was carried.
    Read,
    /// NATS has stored a message that nobody has taken, as far as its sender knows.
    Sent,
    /// Somebody has a message in hand, nothing of it is written.
    Taken,
    /// The handler is through, its transaction is open.
    Handled,
    /// The effect is committed, nobody knows.
    Committed,
    /// The attempt has failed, the failure is not on record.
    Failing,
    /// The failure or the dead letter is on record, nobody knows.
    Failed,
    /// NATS was told that the message is dealt with, the leader was not.
    Acknowledged,
}

/// What happens in each [`Window`]: nothing, outside tests.
#[derive(Clone, Default)]
pub struct Windows(Option<Arc<dyn Fn(Window) + Send + Sync>>);

impl Windows {
    /// Calls `watch` in every window; a test ends its process there.
    pub fn watched(watch: impl Fn(Window) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(watch)))
    }

    pub(crate) fn at(&self, window: Window) {
        if let Some(watch) = &self.0 {
            watch(window);
        }
    }
}

impl fmt::Debug for Windows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Windows(watched)" } else { "Windows" })
    }
}
