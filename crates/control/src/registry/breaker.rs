//! A breaker before the control database: while it is away, nobody waits for it.

use std::{
    sync::atomic::{AtomicU32, AtomicU64, Ordering},
    time::{Duration, Instant},
};

use db::DbError;

/// So many failures in a row open it.
const FAILURES: u32 = 3;
/// It stays open this long; then one caller tries.
const PAUSE: Duration = Duration::from_secs(2);

/// Closed while the database answers; open for [`PAUSE`] after [`FAILURES`] failures in a row.
#[derive(Debug)]
pub(crate) struct Breaker {
    started: Instant,
    failures: AtomicU32,
    open_until_ms: AtomicU64,
}

impl Default for Breaker {
    fn default() -> Self {
        Self { started: Instant::now(), failures: AtomicU32::new(0), open_until_ms: AtomicU64::new(0) }
    }
}

impl Breaker {
    fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Whether the database is not to be asked at the moment.
    pub(crate) fn is_open(&self) -> bool {
        let until = self.open_until_ms.load(Ordering::Acquire);
        until != 0 && self.now_ms() < until
    }

    /// Runs `work` unless open; only [`DbError::Unavailable`] counts as a failure.
    pub(crate) async fn run<T>(&self, work: impl Future<Output = Result<T, DbError>>) -> Result<T, DbError> {
        if !self.may_try() {
            return Err(DbError::Unavailable("the control database was away a moment ago".to_owned()));
        }
        let done = work.await;
        match &done {
            Err(DbError::Unavailable(_)) => self.failed(),
            _ => self.succeeded(),
        }
        done
    }

    /// When the pause is over, the first caller gets through and the others wait for the outcome in a new pause.
    fn may_try(&self) -> bool {
        let until = self.open_until_ms.load(Ordering::Acquire);
        if until == 0 {
            return true;
        }
        let now = self.now_ms();
        let next = now + u64::try_from(PAUSE.as_millis()).unwrap_or(0);
        now >= until
            && self.open_until_ms.compare_exchange(until, next, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    fn failed(&self) {
        let failures = self.failures.fetch_add(1, Ordering::AcqRel).saturating_add(1);
        if failures >= FAILURES {
            if failures == FAILURES {
                tracing::warn!("the control database does not answer: going on with what is known");
            }
            let until = self.now_ms() + u64::try_from(PAUSE.as_millis()).unwrap_or(0);
            self.open_until_ms.store(until, Ordering::Release);
        }
    }

    fn succeeded(&self) {
        if self.failures.swap(0, Ordering::AcqRel) >= FAILURES {
            tracing::info!("the control database answers again");
        }
        self.open_until_ms.store(0, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // PLT-3: a breaker keeps requests from waiting for a database that is away.
    #[tokio::test]
    async fn three_failures_in_a_row_open_it_and_a_success_closes_it() {
        let breaker = Breaker::default();
        let away = || async { Err::<(), _>(DbError::Unavailable("away".to_owned())) };
        for _ in 0..2 {
            assert!(breaker.run(away()).await.is_err());
            assert!(!breaker.is_open());
        }
        assert!(breaker.run(async { Ok(()) }).await.is_ok());
        for _ in 0..3 {
            assert!(breaker.run(away()).await.is_err());
        }
        assert!(breaker.is_open());
        assert!(breaker.run(async { Ok(()) }).await.is_err());
        // As if the pause were over: one caller gets through.
        breaker.open_until_ms.store(1, Ordering::SeqCst);
        while breaker.now_ms() < 1 {
            tokio::task::yield_now().await;
        }
        assert!(breaker.run(async { Ok(()) }).await.is_ok());
        assert!(!breaker.is_open());
    }

    #[tokio::test]
    async fn other_errors_are_answers_and_do_not_open_it() {
        let breaker = Breaker::default();
        for _ in 0..5 {
            let done = breaker.run(async { Err::<(), _>(DbError::Other("wrong".to_owned())) }).await;
            assert!(done.is_err());
        }
        assert!(!breaker.is_open());
    }
}
