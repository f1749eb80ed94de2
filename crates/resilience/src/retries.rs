//! Calling again what failed for a passing reason.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use backon::{ExponentialBuilder, Retryable as _};
use metrics::Counter;

use crate::RetryConfig;

/// One call's worth of budget.
const CALL: i64 = 100;
/// Calls that may be made again before there were others to earn them, and the most that are saved up.
const RESERVE: i64 = 10 * CALL;

/// How calls of one kind are made again: a few times, with growing pauses, within a budget, so that something that
/// struggles does not get more calls than before. Cheap to clone; clones share the budget.
#[derive(Clone)]
pub struct Retries(Arc<Inner>);

struct Inner {
    config: RetryConfig,
    /// In hundredths of a call.
    budget: AtomicI64,
    made: Counter,
    spent: Counter,
}

impl Retries {
    pub(crate) fn new(name: &'static str, config: RetryConfig) -> Self {
        metrics::describe_counter!(
            "markethall_retries_total",
            "Calls made again after a passing failure, by what was called."
        );
        metrics::describe_counter!(
            "markethall_retries_refused_total",
            "Calls not made again because too many were, by what was called."
        );
        let made = metrics::counter!("markethall_retries_total", "of" => name);
        let spent = metrics::counter!("markethall_retries_refused_total", "of" => name);
        made.increment(0);
        spent.increment(0);
        Self(Arc::new(Inner { config, budget: AtomicI64::new(RESERVE), made, spent }))
    }

    /// Makes `call`, and again while it fails with an error of which `is_passing` is true. Only for calls of which two
    /// do no more than one.
    ///
    /// # Errors
    /// That of the last call.
    pub async fn run<T, E, F: Future<Output = Result<T, E>>>(
        &self,
        is_passing: impl FnMut(&E) -> bool,
        call: impl FnMut() -> F,
    ) -> Result<T, E> {
        let RetryConfig { times, first_ms, budget_percent } = self.0.config;
        self.earn(budget_percent);
        let pauses = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(first_ms))
            .with_factor(2.0)
            .with_max_times(times as usize)
            .with_jitter();
        let mut is_passing = is_passing;
        call.retry(pauses).when(|error| is_passing(error) && self.spend()).await
    }

    fn earn(&self, percent: u32) {
        let add = |budget: i64| Some((budget + i64::from(percent)).min(RESERVE));
        // Never fails: it is always a number.
        let _ = self.0.budget.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }

    fn spend(&self) -> bool {
        let take = |budget: i64| (budget >= CALL).then_some(budget - CALL);
        let spent = self.0.budget.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok();
        if spent {
            self.0.made.increment(1)
        } else {
            self.0.spent.increment(1)
        }
        spent
    }
}

impl fmt::Debug for Retries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retries").field("config", &self.0.config).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use tokio::time::Instant;

    use super::*;

    async fn calls(retries: &Retries, failures: u32, passing: bool) -> (u32, bool) {
        let made = AtomicU32::new(0);
        let done = retries
            .run(
                |()| passing,
                || {
                    let nth = made.fetch_add(1, Ordering::Relaxed);
                    async move { if nth < failures { Err(()) } else { Ok(()) } }
                },
            )
            .await;
        (made.load(Ordering::Relaxed), done.is_ok())
    }

    // RES-2
    #[tokio::test(start_paused = true)]
    async fn a_passing_failure_is_tried_three_times_more_with_growing_pauses() {
        let retries = Retries::new("test", RetryConfig::default());
        assert_eq!(calls(&retries, 3, true).await, (4, true));
        let begun = Instant::now();
        assert_eq!(calls(&retries, 9, true).await, (4, false));
        let took = begun.elapsed();
        // 100, 200 and 400 ms, each with up to as much again.
        assert!((Duration::from_millis(700)..=Duration::from_millis(1_410)).contains(&took), "{took:?}");
    }

    // RES-2
    #[tokio::test]
    async fn an_answer_that_says_no_is_not_asked_for_again() {
        let retries = Retries::new("test", RetryConfig::default());
        assert_eq!(calls(&retries, 9, false).await, (1, false));
    }

    // RES-2
    #[tokio::test(start_paused = true)]
    async fn calls_made_again_are_a_tenth_of_all_calls_at_most() {
        let retries = Retries::new("test", RetryConfig::default());
        let mut made = 0;
        for _ in 0..1_000 {
            made += calls(&retries, 9, true).await.0;
        }
        let again = made - 1_000;
        assert!((100..=110).contains(&again), "{again} of 1000");
    }
}
