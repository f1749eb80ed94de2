//! Runs an effect at most once per key.

use db::{Db, DbError, TenantTx};
use kernel::Ctx;
use uuid::Uuid;

use super::store::{self, Stored, insert_stmt};
use crate::{Idempotency, Problem, Reply, codes};

/// How often a unit of work is tried when other transactions are in its way.
const MOST_TRIES: u32 = 3;

/// Runs `effect` in one transaction with its key: the first request runs it and stores the answer, the same request
/// again gets the stored answer, the same key with another payload is refused, and while the first one still runs
/// the others are told so. Without a key it simply runs in a transaction. A failed effect leaves nothing behind.
///
/// Give `effect` what it needs by value (`async move |tx| ..`; the context is in the transaction): with references the
/// compiler cannot prove today that the whole may change threads. It runs again, up to three times, when other
/// transactions were in its way.
///
/// # Errors
/// The effect's problem; `IDEMPOTENCY_KEY_REUSED`, `IDEMPOTENCY_IN_PROGRESS`; what a database does.
pub fn run_once<F>(
    db: &Db,
    ctx: &Ctx,
    idempotency: &Idempotency,
    effect: F,
) -> impl Future<Output = Result<Reply, Problem>> + use<F>
where
    F: AsyncFn(&mut TenantTx) -> Result<Reply, Problem>,
{
    // Owned, so that the future borrows nothing but what `effect` borrows: the compiler cannot yet see through
    // references of both kinds that such a future may change threads.
    let (db, ctx, idempotency) = (db.clone(), ctx.clone(), *idempotency);
    async move {
        let mut tries = 1;
        loop {
            match attempt(&db, &ctx, &idempotency, &effect).await {
                Err(problem) if problem.code() == codes::DATABASE_BUSY && tries < MOST_TRIES => tries += 1,
                answer => return answer,
            }
        }
    }
}

async fn attempt<F>(db: &Db, ctx: &Ctx, idempotency: &Idempotency, effect: &F) -> Result<Reply, Problem>
where
    F: AsyncFn(&mut TenantTx) -> Result<Reply, Problem>,
{
    let mut tx = db.begin(ctx).await?;
    if let Some(key_hash) = idempotency.key_hash()
        && let Some(stored) = claim(&tx, key_hash).await?
    {
        stored.check(idempotency)?;
        return Ok(stored.into_reply());
    }
    match complete(ctx, idempotency, &mut tx, effect).await {
        Ok(reply) => {
            tx.commit().await?;
            Ok(reply)
        }
        Err(problem) => {
            // Waited for, so that the key is free again by the time the client, or the next try, comes with it.
            // `and chain` leaves a transaction for the drop of `tx` to end.
            let _ = tx.execute("rollback and chain", &[]).await;
            Err(problem)
        }
    }
}

/// The effect and its key, ready to be committed together.
async fn complete<F>(
    ctx: &Ctx,
    idempotency: &Idempotency,
    tx: &mut TenantTx,
    effect: &F,
) -> Result<Reply, Problem>
where
    F: AsyncFn(&mut TenantTx) -> Result<Reply, Problem>,
{
    let reply = effect(tx).await?.into_result()?;
    if let Some(stored) = Stored::of(idempotency, &reply)
        && tx.run(insert_stmt(ctx, &[stored])).await?.is_empty()
    {
        // Another transaction stored this key between our look and our lock: its answer is the one that counts.
        return Err(Problem::new(codes::DATABASE_BUSY).because("idempotency key stored meanwhile"));
    }
    Ok(reply)
}

/// Takes the key for this transaction, or finds the answer stored under it.
async fn claim(tx: &TenantTx, key_hash: Uuid) -> Result<Option<Stored>, Problem> {
    let tenant = tx.tenant_id();
    let lock = lock_of(tenant.0, key_hash);
    let row = tx.query_one(include_str!("claim.sql"), &[&tenant, &key_hash, &lock]).await?;
    let found: Option<Uuid> = store::get(&row, "key_hash")?;
    if found.is_some() {
        return Ok(Some(Stored::decode(&row)?));
    }
    let mine: bool = store::get::<bool>(&row, "mine").map_err(|error: DbError| Problem::from(error))?;
    if mine { Ok(None) } else { Err(Problem::new(codes::IDEMPOTENCY_IN_PROGRESS).retry_after(1)) }
}

/// 64 bits that stand for the key of the tenant; two keys sharing one would only wait for each other.
fn lock_of(tenant: Uuid, key_hash: Uuid) -> i64 {
    let (tenant_high, tenant_low) = tenant.as_u64_pair();
    let (key_high, key_low) = key_hash.as_u64_pair();
    (tenant_high ^ tenant_low.rotate_left(17) ^ key_high.rotate_left(31) ^ key_low).cast_signed()
}
