//! Idempotency keys of requests whose effect is in the control database (HTTP-6): key and effect commit together.
//! Stored answers are sealed, since some of them hold a secret that is shown once.

use db::{ControlTx, DbError};
use edge::{Idempotency, Problem, Reply, codes, idempotency::Stored};
use kernel::{TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Control, tokens::opaque};

const PURPOSE: &str = "idempotency";

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

/// A request that has come with its key, if it has one.
pub(crate) enum Begun {
    /// For the first time: its effect belongs into this transaction.
    Fresh(Box<Once>),
    /// Again: this was the answer.
    Replay(Reply),
}

/// An effect under way, in one transaction with the request's key.
pub(crate) struct Once {
    control: Control,
    tx: ControlTx,
    key: Option<(Key, Idempotency)>,
    now: Timestamp,
}

impl Once {
    /// The transaction that the effect belongs into.
    pub(crate) fn tx(&self) -> &ControlTx {
        &self.tx
    }

    /// Stores the answer with the key and commits.
    pub(crate) async fn finish(self, reply: Reply) -> Result<Reply, Problem> {
        if let Some((key, idempotency)) = &self.key {
            store(&self.control, &self.tx, key, idempotency, &reply, self.now).await?;
        }
        self.tx.commit().await?;
        Ok(reply)
    }
}

/// A workflow of several transactions under way; it must be repeatable by itself and holds no connection meanwhile.
pub(crate) struct Workflow {
    control: Control,
    key: Option<(Key, Idempotency)>,
    now: Timestamp,
}

impl Workflow {
    /// Stores the answer with the key.
    pub(crate) async fn finish(self, reply: Reply) -> Result<Reply, Problem> {
        if let Some((key, idempotency)) = &self.key {
            let tx = self.control.db().control().await?;
            store(&self.control, &tx, key, idempotency, &reply, self.now).await?;
            tx.commit().await?;
        }
        Ok(reply)
    }
}

impl Once {
    /// Gives the transaction back, for a workflow that has its own.
    pub(crate) fn into_workflow(self) -> Workflow {
        Workflow { control: self.control, key: self.key, now: self.now }
    }
}

/// Takes the request's key for a transaction, or finds the answer stored under it. The same request at the same time is
/// told that this one runs.
pub(crate) async fn begin(
    control: &Control,
    tenant: Option<TenantId>,
    idempotency: Idempotency,
    now: Timestamp,
) -> Result<Begun, Problem> {
    let tx = control.db().control().await?;
    let key = Key::of(&idempotency, tenant);
    if let Some(key) = &key
        && let Some(reply) = claim(control, &tx, key, &idempotency).await?
    {
        return Ok(Begun::Replay(reply));
    }
    let key = key.map(|key| (key, idempotency));
    Ok(Begun::Fresh(Box::new(Once { control: control.clone(), tx, key, now })))
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
    let kept =
        tx.execute(include_str!("store_key.sql"), &[&key.hash, &key.fingerprint, &sealed, &now]).await?;
    if kept == 0 {
        return Err(Problem::new(codes::DATABASE_BUSY).because("idempotency key stored meanwhile"));
    }
    Ok(())
}
