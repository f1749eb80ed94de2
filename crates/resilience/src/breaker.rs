//! A breaker around one dependency.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use futures::future::BoxFuture;
use metrics::{Counter, Gauge};

use crate::{BreakerConfig, State, circuit::Circuit};

/// How often a probe asks whether the dependency is back.
const PROBE_EVERY: Duration = Duration::from_secs(1);
/// A probe that takes longer has failed.
const PROBE_WAIT: Duration = Duration::from_secs(2);

/// Asks the dependency for nothing, to see whether it answers.
pub type Probe = Arc<dyn Fn() -> BoxFuture<'static, bool> + Send + Sync>;

/// The call was not tried: the dependency was away a moment ago.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} was away a moment ago")]
pub struct Open {
    /// The breaker's name.
    pub name: Arc<str>,
    /// When another try makes sense.
    pub retry_after: Duration,
}

/// Why a guarded call has no answer.
#[derive(Debug, thiserror::Error)]
pub enum Guarded<E> {
    /// It was not tried.
    #[error(transparent)]
    Open(Open),
    /// It was tried and failed.
    #[error(transparent)]
    Failed(E),
}

/// A breaker around one dependency. Cheap to clone; clones are the same breaker.
#[derive(Clone)]
pub struct Breaker(Arc<Inner>);

struct Inner {
    name: Arc<str>,
    circuit: Mutex<Circuit>,
    probe: Option<Probe>,
    shown: Shown,
    opened: Counter,
    refused: Counter,
}

/// How a breaker's state is seen in metrics.
pub(crate) enum Shown {
    /// As a number of its own.
    Alone(Gauge),
    /// As one of those that are open.
    Among(Gauge),
}

impl Breaker {
    /// A closed breaker that tries again after its pause only.
    pub fn new(name: impl Into<Arc<str>>, config: BreakerConfig) -> Self {
        Self::alone(name.into(), config, None)
    }

    /// A closed breaker that, once open, asks `probe` every second and tries again as soon as it says yes.
    pub fn probed(name: impl Into<Arc<str>>, config: BreakerConfig, probe: Probe) -> Self {
        Self::alone(name.into(), config, Some(probe))
    }

    fn alone(name: Arc<str>, config: BreakerConfig, probe: Option<Probe>) -> Self {
        let state = metrics::gauge!("markethall_breaker_state", "breaker" => name.to_string());
        state.set(0.0);
        Self::made(name, config, probe, Shown::Alone(state))
    }

    pub(crate) fn made(name: Arc<str>, config: BreakerConfig, probe: Option<Probe>, shown: Shown) -> Self {
        let opened = metrics::counter!("markethall_breaker_opened_total", "breaker" => name.to_string());
        let refused = metrics::counter!("markethall_breaker_refused_total", "breaker" => name.to_string());
        let circuit = Mutex::new(Circuit::new(config));
        Self(Arc::new(Inner { name, circuit, probe, shown, opened, refused }))
    }

    /// Its name in health and metrics.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.0.name
    }

    /// Where it stands.
    #[must_use]
    pub fn state(&self) -> State {
        self.circuit().state()
    }

    /// Leave to make one call, whose outcome is told to the permit.
    ///
    /// # Errors
    /// [`Open`] while the dependency is taken to be away.
    pub fn permit(&self) -> Result<Permit, Open> {
        let now = Instant::now();
        let permitted = self.change(|circuit| circuit.permit(now));
        match permitted {
            Ok(era) => Ok(Permit { breaker: self.clone(), era, told: false }),
            Err(until) => {
                self.0.refused.increment(1);
                let retry_after = until.saturating_duration_since(now);
                Err(Open { name: self.0.name.clone(), retry_after })
            }
        }
    }

    /// Makes `call` unless the breaker is open; errors of which `is_away` is true count as failures, all else as an
    /// answer. A call that is dropped before its end counts as nothing.
    ///
    /// # Errors
    /// [`Guarded`].
    pub async fn run<T, E>(
        &self,
        is_away: impl FnOnce(&E) -> bool,
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Guarded<E>> {
        let permit = self.permit().map_err(Guarded::Open)?;
        let done = call.await;
        match &done {
            Err(error) if is_away(error) => permit.failed(),
            _ => permit.succeeded(),
        }
        done.map_err(Guarded::Failed)
    }

    fn circuit(&self) -> MutexGuard<'_, Circuit> {
        self.0.circuit.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the circuit; says so where its state has become another.
    fn change<T>(&self, work: impl FnOnce(&mut Circuit) -> T) -> T {
        let mut circuit = self.circuit();
        let before = circuit.state();
        let done = work(&mut circuit);
        let after = circuit.state();
        drop(circuit);
        if before != after {
            self.0.shown.change(before, after);
            self.became(after);
        }
        done
    }

    fn became(&self, state: State) {
        let name = &*self.0.name;
        match state {
            State::Closed => tracing::info!(breaker = name, "answers again"),
            State::HalfOpen => {}
            State::Open => {
                self.0.opened.increment(1);
                tracing::warn!(breaker = name, "does not answer and is left alone for a while");
                self.probe();
            }
        }
    }

    /// Asks until the dependency answers or the breaker is no longer open.
    fn probe(&self) {
        let (Some(probe), Ok(runtime)) = (self.0.probe.clone(), tokio::runtime::Handle::try_current()) else {
            return;
        };
        let breaker = Arc::downgrade(&self.0);
        runtime.spawn(async move {
            loop {
                tokio::time::sleep(PROBE_EVERY).await;
                let answers = tokio::time::timeout(PROBE_WAIT, probe()).await.unwrap_or(false);
                let Some(breaker) = breaker.upgrade().map(Breaker) else { return };
                if breaker.state() != State::Open {
                    return;
                }
                if answers {
                    breaker.change(Circuit::answers);
                    return;
                }
            }
        });
    }
}

impl Shown {
    fn change(&self, before: State, after: State) {
        match (self, before, after) {
            (Self::Alone(gauge), _, State::Closed) => gauge.set(0.0),
            (Self::Alone(gauge), _, State::HalfOpen) => gauge.set(1.0),
            (Self::Alone(gauge), _, State::Open) => gauge.set(2.0),
            (Self::Among(open), State::Closed, _) => open.increment(1.0),
            (Self::Among(open), _, State::Closed) => open.decrement(1.0),
            (Self::Among(_), ..) => {}
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // A place that nobody knows any more is not away.
        let state = self.circuit.get_mut().unwrap_or_else(PoisonError::into_inner).state();
        if matches!(self.shown, Shown::Among(_)) && state != State::Closed {
            self.shown.change(state, State::Closed);
        }
    }
}

impl fmt::Debug for Breaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Breaker").field("name", &self.0.name).field("state", &self.state()).finish()
    }
}

/// Leave for one call. Dropped without a word, the call counts as given up.
#[derive(Debug)]
#[must_use]
pub struct Permit {
    breaker: Breaker,
    era: u64,
    told: bool,
}

impl Permit {
    /// The dependency has answered.
    pub fn succeeded(self) {
        self.tell(Some(true));
    }

    /// The dependency was away.
    pub fn failed(self) {
        self.tell(Some(false));
    }

    fn tell(mut self, succeeded: Option<bool>) {
        self.told = true;
        self.breaker.change(|circuit| circuit.ended(self.era, succeeded, Instant::now()));
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if !self.told {
            self.breaker.change(|circuit| circuit.ended(self.era, None, Instant::now()));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    async fn fail(breaker: &Breaker) {
        for _ in 0..5 {
            let _ = breaker.run(|(): &()| true, async { Err::<(), ()>(()) }).await;
        }
    }

    // RES-1
    #[tokio::test]
    async fn an_open_breaker_answers_at_once_and_says_when_to_try_again() {
        let breaker = Breaker::new("test", BreakerConfig::default());
        fail(&breaker).await;
        let refused = breaker.run(|(): &()| true, async { Ok::<_, ()>(()) }).await;
        let Err(Guarded::Open(open)) = refused else { panic!("it was tried") };
        assert!(open.retry_after > Duration::from_secs(50));
    }

    #[tokio::test]
    async fn an_answer_that_says_no_is_no_failure() {
        let breaker = Breaker::new("test", BreakerConfig::default());
        for _ in 0..20 {
            let _ = breaker.run(|(): &()| false, async { Err::<(), ()>(()) }).await;
        }
        assert_eq!(breaker.state(), State::Closed);
    }

    // RES-4: the pause is not waited for when the dependency is seen to be back.
    #[tokio::test(start_paused = true)]
    async fn a_probe_that_is_answered_ends_the_pause() {
        let back = Arc::new(AtomicBool::new(false));
        let asked = back.clone();
        let probe: Probe = Arc::new(move || {
            let back = asked.load(Ordering::SeqCst);
            Box::pin(std::future::ready(back))
        });
        let breaker = Breaker::probed("test", BreakerConfig::default(), probe);
        fail(&breaker).await;
        tokio::time::advance(Duration::from_secs(3)).await;
        assert_eq!(breaker.state(), State::Open);
        back.store(true, Ordering::SeqCst);
        while breaker.state() == State::Open {
            tokio::time::advance(Duration::from_millis(100)).await;
            tokio::task::yield_now().await;
        }
        assert_eq!(breaker.state(), State::HalfOpen);
    }
}
