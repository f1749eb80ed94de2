//! Limits of all processes together, decided by Redis in one step.

use std::{sync::LazyLock, time::Duration};

use cache::{Away, Redis, Script};

use super::{Rule, Standing, Subject, Verdict};

static TAKE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("take.lua")));

/// Counts one call towards each rule, or, where one refuses, towards none.
pub(super) async fn count(redis: &Redis, subject: &Subject<'_>, rules: &[Rule]) -> Result<Verdict, Away> {
    let mut asked = TAKE.prepare_invoke();
    for rule in rules {
        asked.key(redis.key(&subject.shared_key(rule)));
        let window = f64::from(rule.limit.window_seconds) * 1_000_000.0;
        let interval = window / f64::from(rule.limit.limit.max(1));
        asked.arg(interval);
        asked.arg(interval * f64::from(rule.limit.burst));
        asked.arg(interval * f64::from(rule.limit.queue));
    }
    let answers: Vec<(u8, u64, u64)> = redis.invoke(&asked).await?;
    let mut verdict = Verdict::passes();
    for (rule, (refuses, wait, ahead)) in rules.iter().zip(answers) {
        verdict.add(rule.name, refuses == 1, Duration::from_micros(wait));
        let full_in = Duration::from_micros(ahead);
        let share =
            full_in.as_secs_f64() * f64::from(rule.limit.limit) / f64::from(rule.limit.window_seconds);
        // Rounded before it is rounded up: a microsecond is no token.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "saturates, and is positive"
        )]
        let taken = ((share * 1_000.0).round() / 1_000.0).ceil() as u32;
        let left = rule.limit.burst.saturating_sub(taken);
        verdict.standings.push(Standing { name: rule.name, limit: rule.limit, left, full_in });
    }
    Ok(verdict)
}
