//! What the limits say about one call.

use std::time::Duration;

use kernel::RateLimit;
use smallvec::SmallVec;

/// A call falls under few limits.
pub(crate) type Few<T> = SmallVec<[T; 3]>;

/// How a caller stands with one limit, after this call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    /// The policy's name.
    pub(crate) name: &'static str,
    /// The policy.
    pub(crate) limit: RateLimit,
    /// How many more calls pass at once.
    pub(crate) left: u32,
    /// When that is the whole burst again.
    pub(crate) full_in: Duration,
}

/// What becomes of one call.
#[derive(Debug, Clone)]
pub(crate) struct Verdict {
    /// The policy that refuses it; `None` when it passes.
    pub(crate) refused_by: Option<&'static str>,
    /// How long to wait: before it goes on, or before another try makes sense.
    pub(crate) wait: Duration,
    /// How the caller stands with each limit.
    pub(crate) standings: Few<Standing>,
}

impl Verdict {
    /// A call that passes as far as is known.
    pub(super) fn passes() -> Self {
        Self { refused_by: None, wait: Duration::ZERO, standings: Few::new() }
    }

    /// Adds that `name` refuses, or that it waits: the longest time counts.
    pub(super) fn add(&mut self, name: &'static str, refuses: bool, wait: Duration) {
        match (refuses, self.refused_by) {
            (true, None) => (self.refused_by, self.wait) = (Some(name), wait),
            (true, Some(_)) if wait > self.wait => (self.refused_by, self.wait) = (Some(name), wait),
            (false, None) => self.wait = self.wait.max(wait),
            _ => {}
        }
    }
}
