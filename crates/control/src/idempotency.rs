//! Idempotency keys of requests whose effect is in the control database (HTTP-6): key and effect commit together.
//! Stored answers are sealed, since some of them hold a secret that is shown once.

use db::{ControlTx, DbError};
use edge::{Idempotency, Problem, Reply, codes, idempotency::Stored};
use kernel::{TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Control, tokens::opaque};

const PURPOSE: &str = "idempotency";
const MOST_TRIES: u32 = 3;

/// What is sealed of an answer.
#[derive(Serialize, Deserialize)]
struct Answer {
    status: u16,
    location: Option<String>,
    etag: Option<String>,
    body: Option<String>,
}

/// A request's key in the scope of its tenant, or of the platform.
struct Key {
    hash: Uuid,
    lock: i64,
    fingerprint: Uuid,
}

impl Key {
    fn of(idempotency: &Idempotency, tenant: Option<TenantId>) -> Option<Self> {
        let key = idempotency.key_hash()?;
        let scope = tenant.map_or(Uuid::nil(), |tenant| tenant.0);
        let mixed = opaque::hash(&[scope.as_bytes().as_slice(), key.as_bytes()].concat());
        let (mut hash, mut lock) = ([0; 16], [0; 8]);
        hash.copy_from_slice(&mixed[..16]);
        lock.copy_from_slice(&mixed[16..24]);
        Some(Self {
            hash: Uuid::from_bytes(hash),
            lock: i64::from_be_bytes(lock),
            fingerprint: idempotency.fingerprint(),
        })
    }
}

/// Runs `effect` in one transaction with the request's key, if it has one; see `edge::idempotency::run_once`.
pub(crate) async fn run_once<F>(
    control: &Control,
    tenant: Option<TenantId>,
    idempotency: &Idempotency,
    now: Timestamp,
    effect: F,
) -> Result<Reply, Problem>
where
    F: AsyncFn(&ControlTx) -> Result<Reply, Problem>,
{
    let key = Key::of(idempotency, tenant);
    let mut tries = 1;
    loop {
        match attempt(control, key.as_ref(), idempotency, now, &effect).await {
            Err(problem) if problem.code() == codes::DATABASE_BUSY && tries < MOST_TRIES => tries += 1,
            answer => return answer,
        }
    }
}

async fn attempt<F>(
    control: &Control,
    key: Option<&Key>,
    idempotency: &Idempotency,
    now: Timestamp,
    effect: &F,
) -> Result<Reply, Problem>
where
    F: AsyncFn(&ControlTx) -> Result<Reply, Problem>,
{
    let tx = control.db().control().await?;
    if let Some(key) = key
        && let Some(reply) = claim(control, &tx, key, idempotency).await?
    {
        return Ok(reply);
    }
    let reply = effect(&tx).await?;
    if let Some(key) = key {
        store(control, &tx, key, idempotency, &reply, now).await?;
    }
    tx.commit().await?;
    Ok(reply)
}

/// Runs a workflow of several transactions, which must be repeatable by itself; a repeated request gets the answer of
/// the one that came through.
pub(crate) async fn run_workflow<F>(
    control: &Control,
    idempotency: &Idempotency,
    now: Timestamp,
    workflow: F,
) -> Result<Reply, Problem>
where
    F: AsyncFnOnce() -> Result<Reply, Problem>,
{
    let Some(key) = Key::of(idempotency, None) else { return workflow().await };
    let tx = control.db().control().await?;
    if let Some(reply) = claim(control, &tx, &key, idempotency).await? {
        return Ok(reply);
    }
    // Held until the end: the same request at the same time is told that this one runs.
    let reply = workflow().await?;
    store(control, &tx, &key, idempotency, &reply, now).await?;
    tx.commit().await?;
    Ok(reply)
}

/// Takes the key for this transaction, or gives the answer stored under it.
async fn claim(
    control: &Control,
    tx: &ControlTx,
    key: &Key,
    idempotency: &Idempotency,
) -> Result<Option<Reply>, Problem> {
    let row = tx.query_one(include_str!("claim_key.sql"), &[&key.hash, &key.lock]).await?;
    let decoded = (|| Ok::<_, DbError>((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?)))()?;
    match decoded {
        (_, Some(fingerprint), Some(sealed)) => {
            let stored = open(control, key, fingerprint, sealed)?;
            stored.check(idempotency)?;
            Ok(Some(stored.into_reply()))
        }
        (true, _, _) => Ok(None),
        (false, _, _) => Err(Problem::new(codes::IDEMPOTENCY_IN_PROGRESS).retry_after(1)),
    }
}

fn open(control: &Control, key: &Key, fingerprint: Uuid, sealed: Vec<u8>) -> Result<Stored, Problem> {
    let plain = control.master_key().open(PURPOSE, &sealed).map_err(Problem::internal)?;
    let answer: Answer = serde_json::from_slice(&plain).map_err(Problem::internal)?;
    Ok(Stored {
        key_hash: key.hash,
        fingerprint,
        status: answer.status,
        resource: None,
        location: answer.location,
        etag: answer.etag,
        body: answer.body.map(Into::into),
    })
}

async fn store(
    control: &Control,
    tx: &ControlTx,
    key: &Key,
    idempotency: &Idempotency,
    reply: &Reply,
    now: Timestamp,
) -> Result<(), Problem> {
    let Some(stored) = Stored::of(idempotency, reply) else { return Ok(()) };
    let answer = Answer {
        status: stored.status,
        location: stored.location,
        etag: stored.etag,
        body: stored.body.map(|body| String::from_utf8_lossy(&body).into_owned()),
    };
    let plain = serde_json::to_vec(&answer).map_err(Problem::internal)?;
    let sealed = control.master_key().seal(PURPOSE, &plain).map_err(Problem::internal)?;
    let kept = tx.execute(include_str!("store_key.sql"), &[&key.hash, &key.fingerprint, &sealed, &now]).await?;
    if kept == 0 {
        return Err(Problem::new(codes::DATABASE_BUSY).because("idempotency key stored meanwhile"));
    }
    Ok(())
}
