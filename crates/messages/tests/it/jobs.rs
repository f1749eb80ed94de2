use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use kernel::Clock;
use messages::{Job, JobEnd, JobError, Jobs, JobsConfig, Schedule};
use tokio::sync::{Semaphore, mpsc};

use crate::support::{World, next};

const MINUTE: Schedule = Schedule::Every(Duration::from_secs(60));

fn jobs(world: &World, jobs: Vec<Job>) -> Jobs {
    let config = JobsConfig { lease: Duration::from_secs(60), ..JobsConfig::default() };
    Jobs::new(world.db.clone(), world.lookup.clone(), world.clock.clone(), jobs, config).unwrap()
}

/// A job that counts its runs.
fn counting(name: &'static str, schedule: Schedule) -> (Job, Arc<AtomicUsize>) {
    let runs = Arc::new(AtomicUsize::new(0));
    let count = runs.clone();
    let job = Job::new(name, schedule, "Counts.", move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        Box::pin(async { Ok(()) })
    });
    (job, runs)
}

// MSG-6
#[tokio::test]
async fn a_due_job_runs_once_across_two_schedulers() -> anyhow::Result<()> {
    let world = World::new().await?;
    let (job, runs) = counting("things.count", MINUTE);
    let (one, two) = (jobs(&world, vec![job.clone()]), jobs(&world, vec![job]));
    let (a, b) = tokio::join!(one.register(), two.register());
    a.and(b)?;
    assert!(one.run_due(world.now()).await?.is_empty());
    for round in 1..=5 {
        world.clock.advance_seconds(60);
        let (a, b) = tokio::join!(one.run_due(world.now()), two.run_due(world.now()));
        assert_eq!(a?.len() + b?.len(), 1);
        assert_eq!(runs.load(Ordering::SeqCst), round);
    }
    let listed = one.list().await?;
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].runs, listed[0].failures, listed[0].running), (5, 0, false));
    assert_eq!(listed[0].last_run_at, Some(world.now()));
    assert_eq!(listed[0].next_run_at.as_second() - world.now().as_second(), 60);
    Ok(())
}

// MSG-6: a process that dies in the middle leaves the job to another one, when its lease is over.
#[tokio::test]
async fn a_job_whose_process_died_runs_again_after_its_lease() -> anyhow::Result<()> {
    let world = World::new().await?;
    let (told, mut heard) = mpsc::unbounded_channel();
    let hanging = Job::new("things.count", MINUTE, "Hangs.", move |_| {
        let told = told.clone();
        Box::pin(async move {
            let _ = told.send(());
            std::future::pending().await
        })
    });
    let (job, runs) = counting("things.count", MINUTE);
    let (dying, next_one) = (jobs(&world, vec![hanging]), jobs(&world, vec![job]));
    dying.register().await?;
    world.clock.advance_seconds(60);
    let now = world.now();
    let process = tokio::spawn(async move { dying.run_due(now).await });
    next(&mut heard).await?;
    process.abort();
    assert!(process.await.is_err());
    assert!(next_one.run_due(world.now()).await?.is_empty());
    assert!(next_one.list().await?[0].running);
    world.clock.advance_seconds(61);
    assert_eq!(next_one.run_due(world.now()).await?.len(), 1);
    assert_eq!(runs.load(Ordering::SeqCst), 1);
    Ok(())
}

// RES-6, MSG-6: a process whose clock went ahead for a while leaves no job waiting for the moment that it planned.
#[tokio::test]
async fn a_clock_that_went_ahead_keeps_no_job_from_running_when_it_is_due() -> anyhow::Result<()> {
    const HOUR: i64 = 3600;
    let world = World::new().await?;
    let (minute, minutes) = counting("things.count", MINUTE);
    let (night, nights) = counting("things.tidy", Schedule::Daily(jiff::civil::time(2, 30, 0, 0)));
    let wrong = Clock::fake(world.now());
    let config = JobsConfig { lease: Duration::from_secs(60), ..JobsConfig::default() };
    let both = vec![minute, night];
    let ahead = Jobs::new(world.db.clone(), world.lookup.clone(), wrong.clone(), both.clone(), config)?;
    let right = jobs(&world, both);
    right.register().await?;
    wrong.advance_seconds(48 * HOUR);
    assert_eq!(ahead.run_due(wrong.now()).await?.len(), 2);
    assert!(right.list().await?.iter().all(|job| job.next_run_at > wrong.now()));
    assert_eq!(right.run_due(world.now()).await?.len(), 2);
    assert!(right.run_due(world.now()).await?.is_empty());
    world.clock.advance_seconds(60);
    assert_eq!(right.run_due(world.now()).await?.len(), 1);
    assert_eq!((minutes.load(Ordering::SeqCst), nights.load(Ordering::SeqCst)), (3, 2));
    Ok(())
}

// MSG-6: who was taken for dead and is not notices it, breaks off and changes nothing in the record.
#[tokio::test]
async fn a_run_that_lost_its_lease_is_broken_off() -> anyhow::Result<()> {
    let world = World::new().await?;
    let (told, mut heard) = mpsc::unbounded_channel();
    let hanging = Job::new("things.count", MINUTE, "Hangs.", move |_| {
        let _ = told.send(());
        Box::pin(std::future::pending())
    });
    let config = JobsConfig { lease: Duration::from_millis(90), ..JobsConfig::default() };
    let slow = Jobs::new(world.db.clone(), world.lookup.clone(), world.clock.clone(), vec![hanging], config)?;
    let (job, runs) = counting("things.count", MINUTE);
    let quick = jobs(&world, vec![job]);
    quick.register().await?;
    world.clock.advance_seconds(60);
    let now = world.now();
    let held = tokio::spawn(async move { slow.run_due(now).await });
    next(&mut heard).await?;
    // The clock jumps over the lease before the heart beats again; whoever is first wins, so that it is tried often.
    while runs.load(Ordering::SeqCst) == 0 {
        world.clock.advance_seconds(1);
        quick.run_due(world.now()).await?;
    }
    assert_eq!(held.await??[0].end, JobEnd::Lost);
    assert_eq!(quick.list().await?[0].runs, 1);
    Ok(())
}

// MSG-6
#[tokio::test]
async fn a_job_can_be_triggered_by_hand_also_while_it_runs() -> anyhow::Result<()> {
    let world = World::new().await?;
    let (told, mut heard) = mpsc::unbounded_channel();
    let gate = Arc::new(Semaphore::new(0));
    let passes = gate.clone();
    let job =
        Job::new("things.count", Schedule::Daily(jiff::civil::time(3, 0, 0, 0)), "Waits.", move |job| {
            let (told, passes) = (told.clone(), passes.clone());
            Box::pin(async move {
                let _ = told.send(job.correlation_id.clone());
                passes.acquire().await.map_err(JobError::new)?.forget();
                Ok(())
            })
        });
    let jobs = jobs(&world, vec![job]);
    jobs.start();
    while !jobs.trigger("things.count").await? {}
    assert!(!jobs.trigger("things.unknown").await?);
    let first = next(&mut heard).await?;
    let listed = jobs.list().await?;
    assert!(listed[0].running && listed[0].schedule == "daily at 03:00:00 UTC", "{listed:?}");
    world.clock.advance_seconds(1);
    jobs.trigger("things.count").await?;
    gate.add_permits(2);
    assert_ne!(next(&mut heard).await?, first);
    jobs.shutdown().await;
    Ok(())
}

// MSG-6: a failure is on record, the next run comes as planned.
#[tokio::test]
async fn failing_and_panicking_jobs_are_on_record_and_run_again() -> anyhow::Result<()> {
    let world = World::new().await?;
    let fails = Job::new("a.fails", MINUTE, "Fails.", |_| Box::pin(async { Err(JobError::new("no luck")) }));
    let panics = Job::new("b.panics", MINUTE, "Panics.", |_| Box::pin(async { panic!("as planned") }));
    let jobs = jobs(&world, vec![fails, panics]);
    jobs.register().await?;
    for runs in 1..=2 {
        world.clock.advance_seconds(60);
        assert_eq!(jobs.run_due(world.now()).await?.len(), 2);
        let listed = jobs.list().await?;
        let errors: Vec<_> = listed.iter().map(|job| job.last_error.as_deref()).collect();
        assert_eq!(errors, [Some("no luck"), Some("the job panicked")]);
        assert!(listed.iter().all(|job| job.runs == runs && job.failures == runs && !job.running));
    }
    Ok(())
}

#[tokio::test]
async fn a_job_with_a_new_schedule_starts_anew_and_two_of_one_name_are_refused() -> anyhow::Result<()> {
    let world = World::new().await?;
    let (daily, _) = counting("things.count", Schedule::Daily(jiff::civil::time(9, 0, 0, 0)));
    jobs(&world, vec![daily.clone()]).register().await?;
    let (hourly, runs) = counting("things.count", Schedule::Every(Duration::from_secs(3600)));
    let new = jobs(&world, vec![hourly.clone()]);
    new.register().await?;
    world.clock.advance_seconds(3600);
    assert_eq!(new.run_due(world.now()).await?.len(), 1);
    assert_eq!(runs.load(Ordering::SeqCst), 1);
    let config = JobsConfig::default();
    let both =
        Jobs::new(world.db.clone(), world.lookup.clone(), world.clock.clone(), vec![daily, hourly], config);
    assert_eq!(both.err(), Some(messages::DuplicateJob("things.count")));
    Ok(())
}

#[tokio::test]
async fn work_over_all_tenants_and_databases_goes_on_past_failures_and_names_them() -> anyhow::Result<()> {
    let world = World::new().await?;
    for name in ["bad", "good"] {
        world.add_tenant(&world.databases.tenant(name));
    }
    let done = Arc::new(AtomicUsize::new(0));
    let count = done.clone();
    let job = Job::new("a.tenants", MINUTE, "Visits tenants.", move |job| {
        let count = count.clone();
        Box::pin(async move {
            job.for_each_tenant(2, |ctx| {
                let count = count.clone();
                async move {
                    count.fetch_add(1, Ordering::SeqCst);
                    if &*ctx.tenant.slug == "bad" { Err(JobError::new("closed")) } else { Ok(()) }
                }
            })
            .await
        })
    });
    let jobs = jobs(&world, vec![job, messages::purge_job(messages::Retention::default())]);
    jobs.register().await?;
    world.clock.advance_seconds(3600);
    assert_eq!(jobs.run_due(world.now()).await?.len(), 2);
    assert_eq!(done.load(Ordering::SeqCst), 3);
    let errors: Vec<_> = jobs.list().await?.into_iter().map(|job| job.last_error).collect();
    assert_eq!(errors, [Some("1 failed: bad: closed".to_owned()), None]);
    Ok(())
}
