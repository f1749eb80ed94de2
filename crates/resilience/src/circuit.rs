//! The rules of a breaker, without clock and without lock: every function is told the time.

use std::time::Instant;

use crate::BreakerConfig;

/// Outcomes that the share of failures is taken from.
const SAMPLE: u32 = 100;

/// Where a breaker stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Calls pass.
    Closed,
    /// A few calls pass, to find out.
    HalfOpen,
    /// Calls fail at once.
    Open,
}

impl State {
    /// Its name in health and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::HalfOpen => "half_open",
            Self::Open => "open",
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    Closed { in_a_row: u32, first: Option<Instant> },
    Open { until: Instant },
    HalfOpen { trying: u32, succeeded: u32 },
}

/// One breaker's memory.
#[derive(Debug)]
pub(crate) struct Circuit {
    config: BreakerConfig,
    phase: Phase,
    /// Raised with every change of phase: what began in another phase no longer counts.
    era: u64,
    /// The latest outcomes, the newest in the lowest bit; a one is a failure.
    outcomes: u128,
    known: u32,
}

impl Circuit {
    pub(crate) fn new(config: BreakerConfig) -> Self {
        let phase = Phase::Closed { in_a_row: 0, first: None };
        Self { config, phase, era: 0, outcomes: 0, known: 0 }
    }

    pub(crate) fn state(&self) -> State {
        match self.phase {
            Phase::Closed { .. } => State::Closed,
            Phase::Open { .. } => State::Open,
            Phase::HalfOpen { .. } => State::HalfOpen,
        }
    }

    /// Whether a call may be made: the era it belongs to, or until when not.
    pub(crate) fn permit(&mut self, now: Instant) -> Result<u64, Instant> {
        if let Phase::Open { until } = self.phase {
            if now < until {
                return Err(until);
            }
            self.enter(Phase::HalfOpen { trying: 0, succeeded: 0 });
        }
        if let Phase::HalfOpen { trying, .. } = &mut self.phase {
            if *trying >= self.config.successes {
                return Err(now + self.config.pause());
            }
            *trying += 1;
        }
        Ok(self.era)
    }

    /// A call of `era` has ended; `None` when it was given up without an answer.
    pub(crate) fn ended(&mut self, era: u64, succeeded: Option<bool>, now: Instant) {
        if era != self.era {
            return;
        }
        if let Some(succeeded) = succeeded {
            self.outcomes = (self.outcomes << 1) | u128::from(!succeeded);
            self.known = (self.known + 1).min(SAMPLE);
        }
        match (&mut self.phase, succeeded) {
            (Phase::Closed { in_a_row, first }, Some(true)) => (*in_a_row, *first) = (0, None),
            (Phase::Closed { in_a_row, first }, Some(false)) => {
                match first {
                    Some(first) if now.duration_since(*first) <= self.config.window() => *in_a_row += 1,
                    _ => (*in_a_row, *first) = (1, Some(now)),
                }
                if *in_a_row >= self.config.failures || self.failed_too_often() {
                    self.open(now);
                }
            }
            (Phase::HalfOpen { .. }, Some(false)) => self.open(now),
            (Phase::HalfOpen { trying, succeeded }, Some(true)) => {
                *trying = trying.saturating_sub(1);
                *succeeded += 1;
                if *succeeded >= self.config.successes {
                    self.enter(Phase::Closed { in_a_row: 0, first: None });
                }
            }
            (Phase::HalfOpen { trying, .. }, None) => *trying = trying.saturating_sub(1),
            (Phase::Closed { .. }, None) | (Phase::Open { .. }, _) => {}
        }
    }

    /// Somebody has seen that the dependency answers: no need to wait for the end of the pause.
    pub(crate) fn answers(&mut self) {
        if matches!(self.phase, Phase::Open { .. }) {
            self.enter(Phase::HalfOpen { trying: 0, succeeded: 0 });
        }
    }

    fn failed_too_often(&self) -> bool {
        let sample = self.outcomes & ((1 << SAMPLE) - 1);
        self.known == SAMPLE && sample.count_ones() >= self.config.failed_percent
    }

    fn open(&mut self, now: Instant) {
        self.enter(Phase::Open { until: now + self.config.pause() });
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.era += 1;
        (self.outcomes, self.known) = (0, 0);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    struct World {
        circuit: Circuit,
        now: Instant,
    }

    impl World {
        fn new() -> Self {
            Self { circuit: Circuit::new(BreakerConfig::default()), now: Instant::now() }
        }

        fn call(&mut self, succeeds: bool) -> bool {
            let Ok(era) = self.circuit.permit(self.now) else { return false };
            self.circuit.ended(era, Some(succeeds), self.now);
            true
        }

        fn pass(&mut self, seconds: u64) {
            self.now += Duration::from_secs(seconds);
        }
    }

    // RES-1
    #[test]
    fn five_failures_in_a_row_open_it_and_three_successes_after_the_pause_close_it() {
        let mut world = World::new();
        for _ in 0..4 {
            assert!(world.call(false));
        }
        assert!(world.call(true));
        for _ in 0..5 {
            assert_eq!(world.circuit.state(), State::Closed);
            assert!(world.call(false));
        }
        assert_eq!(world.circuit.state(), State::Open);
        world.pass(59);
        assert!(!world.call(true));
        world.pass(1);
        for _ in 0..2 {
            assert!(world.call(true));
            assert_eq!(world.circuit.state(), State::HalfOpen);
        }
        assert!(world.call(true));
        assert_eq!(world.circuit.state(), State::Closed);
    }

    // RES-1
    #[test]
    fn failures_that_lie_far_apart_do_not_open_it() {
        let mut world = World::new();
        for _ in 0..40 {
            assert!(world.call(false));
            world.pass(8);
        }
        assert_eq!(world.circuit.state(), State::Closed);
    }

    // RES-1
    #[test]
    fn half_of_the_last_hundred_calls_failing_open_it() {
        let mut world = World::new();
        let mut calls = 0;
        while world.circuit.state() == State::Closed {
            assert!(world.call(calls % 2 == 0));
            calls += 1;
            assert!(calls <= 100, "it never opens");
        }
        assert_eq!(calls, 100);
    }

    // RES-1
    #[test]
    fn half_open_tries_few_at_once_and_one_failure_opens_it_again() {
        let mut world = World::new();
        for _ in 0..5 {
            world.call(false);
        }
        world.circuit.answers();
        let tries: Vec<_> = (0..10).filter_map(|_| world.circuit.permit(world.now).ok()).collect();
        assert_eq!(tries.len(), 3);
        world.circuit.ended(tries[0], None, world.now);
        assert!(world.circuit.permit(world.now).is_ok(), "whoever gave up leaves its place to another");
        world.circuit.ended(tries[1], Some(false), world.now);
        assert_eq!(world.circuit.state(), State::Open);
        world.circuit.ended(tries[2], Some(true), world.now);
        assert_eq!(world.circuit.state(), State::Open, "what began before counts no more");
    }

    proptest! {
        // RES-1
        #[test]
        fn whatever_happens_a_dependency_that_is_back_is_used_again(
            history in prop::collection::vec((any::<bool>(), 0_u64..70), 0..300),
        ) {
            let mut world = World::new();
            for (succeeds, seconds) in history {
                world.call(succeeds);
                world.pass(seconds);
            }
            world.pass(60);
            for _ in 0..3 {
                prop_assert!(world.call(true));
            }
            prop_assert_eq!(world.circuit.state(), State::Closed);
        }
    }
}
