//! All breakers of a process, for whoever looks at its health.

use std::sync::{Arc, Mutex, PoisonError};

use crate::{Breaker, Group, Probe, ResilienceConfig, Retries, State};

/// What keeps the things a process depends on from taking it along: breakers by name, and how often is tried again.
/// Cheap to clone; clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Breakers(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    config: ResilienceConfig,
    all: Mutex<Vec<Breaker>>,
}

impl Breakers {
    /// Without a breaker yet; all will go by `config`.
    #[must_use]
    pub fn new(config: ResilienceConfig) -> Self {
        Self(Arc::new(Inner { config, all: Mutex::default() }))
    }

    /// The figures that all go by.
    #[must_use]
    pub fn config(&self) -> &ResilienceConfig {
        &self.0.config
    }

    /// The breaker of that name around something whose answer is needed, made if there is none yet. Once open, it asks
    /// `probe` every second. Names are of things that the configuration names, so that there are not many.
    #[must_use]
    pub fn of(&self, name: &str, probe: Probe) -> Breaker {
        self.find_or_add(name, |name| Breaker::probed(name, self.0.config.breaker, probe))
    }

    /// The same around lookups that have a stale answer, or another place, to fall back to.
    #[must_use]
    pub fn of_lookups(&self, name: &str, probe: Probe) -> Breaker {
        self.find_or_add(name, |name| Breaker::probed(name, self.0.config.lookups(), probe))
    }

    /// Breakers around lookups at places that merchants name: any number of them, counted together.
    #[must_use]
    pub fn group_of_lookups(&self, name: &'static str) -> Group {
        Group::new(name, self.0.config.lookups())
    }

    /// How calls to `name` are made again, with a budget of its own.
    #[must_use]
    pub fn retries(&self, name: &'static str) -> Retries {
        Retries::new(name, self.0.config.retry)
    }

    fn find_or_add(&self, name: &str, make: impl FnOnce(&str) -> Breaker) -> Breaker {
        let mut all = self.0.all.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.iter().find(|breaker| &**breaker.name() == name) {
            return known.clone();
        }
        let made = make(name);
        all.push(made.clone());
        made
    }

    /// Every breaker's name and state, in order of name; those of groups are not among them.
    #[must_use]
    pub fn states(&self) -> Vec<(Arc<str>, State)> {
        let all = self.0.all.lock().unwrap_or_else(PoisonError::into_inner);
        let mut states: Vec<_> = all.iter().map(|it| (it.name().clone(), it.state())).collect();
        states.sort_by(|a, b| a.0.cmp(&b.0));
        states
    }
}
