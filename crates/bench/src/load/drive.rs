//! The loops: as fast as answers come, or at a constant rate whatever the answers do.

use std::{cell::RefCell, rc::Rc, time::Duration};

use anyhow::{Context, Result, ensure};
use tokio::{
    task::LocalSet,
    time::{Instant, sleep_until},
};

use super::{
    connection::Connection,
    outcome::{Outcome, Tally, own_cpu},
    plan::Plan,
    request::Requests,
};

/// What all connections share; there is one thread.
struct Shared {
    tally: Tally,
    requests: Requests,
    /// Requests begun, of a constant rate.
    begun: u64,
    cpu_at_warm: Option<Duration>,
}

/// When what happens.
#[derive(Clone, Copy)]
struct Times {
    start: Instant,
    warm: Instant,
    end: Instant,
    rate: Option<f64>,
}

/// Carries out the plan.
///
/// # Errors
/// When the plan has nothing to do, or no request is answered at all.
pub(super) async fn drive(plan: Plan) -> Result<Outcome> {
    ensure!(plan.connections > 0 && plan.duration_ms > 0, "a plan without connections or time");
    ensure!(plan.rate.is_none_or(|rate| rate > 0.0), "a plan with a rate of nothing");
    let seed = std::process::id().into();
    let shared =
        Shared { tally: Tally::new()?, requests: Requests::new(&plan, seed)?, begun: 0, cpu_at_warm: None };
    let shared = Rc::new(RefCell::new(shared));
    let start = Instant::now();
    let warm = start + plan.warmup();
    let times = Times { start, warm, end: warm + plan.duration(), rate: plan.rate };

    let tasks = LocalSet::new();
    for number in 0..plan.connections {
        let connection = Connection::new(&plan.address);
        tasks.spawn_local(one_connection(number, connection, Rc::clone(&shared), times));
    }
    let cpu = Rc::clone(&shared);
    tasks.spawn_local(async move {
        sleep_until(times.warm).await;
        cpu.borrow_mut().cpu_at_warm = own_cpu().ok();
    });
    tasks.await;

    let shared = Rc::into_inner(shared).context("a connection is still open")?.into_inner();
    let used = own_cpu()?.saturating_sub(shared.cpu_at_warm.unwrap_or_default());
    Ok(shared.tally.outcome(plan.duration(), used))
}

async fn one_connection(
    number: usize,
    mut connection: Connection,
    shared: Rc<RefCell<Shared>>,
    times: Times,
) {
    let mut request = Vec::with_capacity(2048);
    loop {
        let begin = match times.rate {
            None => Instant::now(),
            Some(rate) => take_slot(&shared, times, rate).await,
        };
        if begin >= times.end {
            return;
        }
        shared.borrow_mut().requests.write_next(number, &mut request);
        let answer = connection.exchange(&request).await;
        let now = Instant::now();
        // Only what was asked and answered within the measured time counts.
        if begin < times.warm || now >= times.end {
            continue;
        }
        let tally = &mut shared.borrow_mut().tally;
        match answer {
            Ok((status, body)) => tally.answer(status, body, now - begin),
            Err(error) => tally.broken(&error),
        }
    }
}

/// Waits for the next moment at which a request is due, and gives the time from which its latency counts.
///
/// When all connections were busy at that moment, that is the moment itself, not when a connection came free: a
/// slow answer must not hide the requests that it kept from being sent (coordinated omission).
async fn take_slot(shared: &RefCell<Shared>, times: Times, rate: f64) -> Instant {
    let number = {
        let mut shared = shared.borrow_mut();
        shared.begun += 1;
        shared.begun - 1
    };
    let due = times.start + Duration::from_secs_f64(number as f64 / rate);
    if due <= Instant::now() {
        return due;
    }
    sleep_until(due.min(times.end)).await;
    // The timer's own delay is not the server's.
    Instant::now()
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;
    use crate::load::plan::{Get, Work};

    /// Answers every request; the tenth waits for 200 ms while all others wait for it.
    async fn stalling_server() -> Result<String> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        let served = Arc::new(tokio::sync::Mutex::new(0));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let served = Arc::clone(&served);
                tokio::spawn(async move {
                    let mut buffer = vec![0; 4096];
                    while stream.read(&mut buffer).await.is_ok_and(|size| size > 0) {
                        let mut served = served.lock().await;
                        *served += 1;
                        if *served == 10 {
                            tokio::time::timeout(Duration::from_millis(200), std::future::pending::<()>())
                                .await
                                .ok();
                        }
                        drop(served);
                        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
                        if stream.write_all(answer).await.is_err() {
                            return;
                        }
                    }
                });
            }
        });
        Ok(address)
    }

    async fn outcome(rate: Option<f64>, connections: usize) -> Result<Outcome> {
        let work = Work::Get(vec![Get { path: "/".into(), headers: Vec::new() }]);
        let address = stalling_server().await?;
        drive(Plan { address, connections, rate, warmup_ms: 0, duration_ms: 600, work }).await
    }

    #[test]
    fn a_constant_rate_counts_what_a_stall_kept_waiting() -> Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let outcome = runtime.block_on(outcome(Some(500.0), 2))?;
        // A third of the requests fell due within the stall, and each waited for its end.
        assert!(outcome.p95_us > 100_000, "{outcome:?}");
        assert!((100.0..=501.0).contains(&outcome.rate), "{outcome:?}");
        Ok(())
    }

    #[test]
    fn without_a_rate_requests_go_as_fast_as_answers_come() -> Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let outcome = runtime.block_on(outcome(None, 2))?;
        assert!(outcome.rate > 501.0 && outcome.p95_us < 100_000, "{outcome:?}");
        assert_eq!(outcome.by_status.keys().copied().collect::<Vec<_>>(), [200]);
        Ok(())
    }

    #[test]
    fn a_server_that_is_not_there_is_counted() -> Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let closed = Mutex::new(String::new());
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            if let Ok(mut address) = closed.lock() {
                *address = listener.local_addr()?.to_string();
            }
            anyhow::Ok(())
        })?;
        let address = closed.into_inner().unwrap_or_default();
        let work = Work::Get(vec![Get { path: "/".into(), headers: Vec::new() }]);
        let plan = Plan { address, connections: 1, rate: Some(100.0), warmup_ms: 0, duration_ms: 100, work };
        let outcome = runtime.block_on(drive(plan))?;
        assert!(outcome.by_status[&0] > 0 && outcome.first_failure.is_some());
        Ok(())
    }
}
