//! How often something may be done.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A limit on how often something may be done: `limit` times per window in the long run, `burst` times at once, and
/// `queue` more wait for their turn instead of being refused.
///
/// It is a bucket of `burst` tokens into which `limit` tokens per window drip evenly: within any one window at most
/// `limit + burst + queue` pass, and a caller who keeps to the limit never waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RateLimit {
    /// How often per window.
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub limit: u32,
    /// The window in seconds.
    #[serde(alias = "window_seconds")]
    #[schema(minimum = 1, maximum = 86_400)]
    pub window_seconds: u32,
    /// How often at once.
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub burst: u32,
    /// How many more wait; together they wait at most ten seconds.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1_000)]
    pub queue: u32,
}

impl RateLimit {
    /// The longest that somebody in the queue may have to wait, in seconds.
    const MOST_WAIT: u64 = 10;

    /// A limit with its burst and queue.
    #[must_use]
    pub const fn new(limit: u32, window_seconds: u32, burst: u32, queue: u32) -> Self {
        Self { limit, window_seconds, burst, queue }
    }

    /// Refuses limits that cannot work: the field's name and what it must be.
    ///
    /// # Errors
    /// The first field that is out of bounds.
    pub fn validate(&self) -> Result<(), (&'static str, &'static str)> {
        if !(1..=1_000_000).contains(&self.limit) {
            return Err(("limit", "must be between 1 and 1000000"));
        }
        if !(1..=86_400).contains(&self.window_seconds) {
            return Err(("windowSeconds", "must be between 1 and 86400"));
        }
        if !(1..=1_000_000).contains(&self.burst) {
            return Err(("burst", "must be between 1 and 1000000"));
        }
        let wait = u64::from(self.queue) * u64::from(self.window_seconds);
        if self.queue > 1_000 || wait > Self::MOST_WAIT * u64::from(self.limit) {
            return Err((
                "queue",
                "must be at most 1000 and wait at most 10 seconds at the rate of the limit",
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // HTTP-10
    #[test]
    fn limits_that_cannot_work_are_refused_by_field() {
        assert_eq!(RateLimit::new(100, 10, 100, 10).validate(), Ok(()));
        let wrong = [
            (RateLimit::new(0, 10, 1, 0), "limit"),
            (RateLimit::new(1, 0, 1, 0), "windowSeconds"),
            (RateLimit::new(1, 1, 0, 0), "burst"),
            (RateLimit::new(1, 60, 1, 1), "queue"),
            (RateLimit::new(1_000_000, 1, 1, 1_001), "queue"),
        ];
        for (limit, field) in wrong {
            assert_eq!(limit.validate().unwrap_err().0, field, "{limit:?}");
        }
    }
}
