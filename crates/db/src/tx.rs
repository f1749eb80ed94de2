//! Transactions: [`TenantTx`] is the only door to tenant data, [`ControlTx`] the one to the control plane's.

use std::{
    fmt,
    future::Future,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Instant,
};

use deadpool_postgres::Object;
use futures::future::join;
use kernel::{Actor, Ctx, Spending, Spent, TenantId};
use tokio::sync::OwnedSemaphorePermit;
use tokio_postgres::{Row, types::ToSql};

use crate::{DbError, Stmt, slow::Watch};

type Hook = Box<dyn FnOnce() + Send>;

/// Who pays for a transaction, and since when it holds its connection (PLT-15).
struct Toll {
    payer: Spending,
    begun: Instant,
}

impl Toll {
    /// Callers' work is charged to their tenant; what the platform does by itself is not.
    fn of(ctx: &Ctx) -> Option<Self> {
        match ctx.caller.actor {
            Actor::User(_) | Actor::Key(_) | Actor::Visitor(_) => {
                Some(Self { payer: ctx.tenant.spending.clone(), begun: Instant::now() })
            }
            Actor::Operator | Actor::System => None,
        }
    }
}

/// An open transaction on one connection; `BEGIN` travels with the first statement.
struct Session {
    conn: Option<Object>,
    begin: String,
    started: AtomicBool,
    failed: AtomicBool,
    hooks: Mutex<Vec<Hook>>,
    /// Rows returned or changed so far.
    rows: AtomicU64,
    toll: Option<Toll>,
}

impl Session {
    fn new(conn: Object, begin: String, toll: Option<Toll>) -> Self {
        let (started, failed) = (AtomicBool::new(false), AtomicBool::new(false));
        let (conn, rows) = (Some(conn), AtomicU64::new(0));
        Self { conn, begin, started, failed, hooks: Mutex::default(), rows, toll }
    }

    fn conn(&self) -> Result<&Object, DbError> {
        self.conn.as_ref().ok_or_else(|| DbError::Other("the transaction has ended".to_owned()))
    }

    /// Sends `statement` behind `BEGIN` when it is the first one; both travel in one round trip.
    async fn send<T>(
        &self,
        conn: &Object,
        statement: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, DbError> {
        let answer = if self.started.swap(true, Ordering::SeqCst) {
            statement.await
        } else {
            let (begun, answer) = join(conn.batch_execute(&self.begin), statement).await;
            begun.and(answer)
        };
        answer.map_err(|error| {
            self.failed.store(true, Ordering::SeqCst);
            error.into()
        })
    }

    async fn query(
        &self,
        sql: &'static str,
        params: &[&(dyn ToSql + Sync)],
        ctx: Option<&Ctx>,
    ) -> Result<Vec<Row>, DbError> {
        let conn = self.conn()?;
        let watch = Watch::of(sql, ctx);
        let answer = async {
            let prepared = conn.prepare_cached(sql).await?;
            self.send(conn, conn.query(&prepared, params)).await
        };
        let answer = answer.await;
        watch.end(std::iter::once(sql), ctx, answer.as_ref().err());
        let rows = answer.as_ref().map_or(0, Vec::len);
        self.rows.fetch_add(rows as u64, Ordering::Relaxed);
        answer
    }

    async fn execute(
        &self,
        sql: &'static str,
        params: &[&(dyn ToSql + Sync)],
        ctx: Option<&Ctx>,
    ) -> Result<u64, DbError> {
        let conn = self.conn()?;
        let watch = Watch::of(sql, ctx);
        let answer = async {
            let prepared = conn.prepare_cached(sql).await?;
            self.send(conn, conn.execute(&prepared, params)).await
        };
        let answer = answer.await;
        watch.end(std::iter::once(sql), ctx, answer.as_ref().err());
        self.rows.fetch_add(*answer.as_ref().unwrap_or(&0), Ordering::Relaxed);
        answer
    }

    fn on_commit(&self, hook: Hook) {
        if let Ok(mut hooks) = self.hooks.lock() {
            hooks.push(hook);
        }
    }

    async fn commit(mut self, ctx: Option<&Ctx>) -> Result<(), DbError> {
        if self.started.load(Ordering::SeqCst) {
            // PostgreSQL answers COMMIT of a failed transaction with a silent ROLLBACK: never report that as done.
            if self.failed.load(Ordering::SeqCst) {
                return Err(DbError::Other("a statement of this transaction failed".to_owned()));
            }
            let watch = Watch::of("commit", ctx);
            let answer = self.conn()?.batch_execute("commit").await.map_err(DbError::from);
            watch.end(std::iter::once("commit"), ctx, answer.as_ref().err());
            answer?;
            self.started.store(false, Ordering::SeqCst);
        }
        drop(self.conn.take());
        let hooks = self.hooks.lock().map(|mut hooks| std::mem::take(&mut *hooks)).unwrap_or_default();
        for hook in hooks {
            hook();
        }
        Ok(())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(Toll { payer, begun }) = self.toll.take() {
            payer.add(Spent { database: begun.elapsed(), rows: self.rows.load(Ordering::Relaxed) });
        }
        if let (Some(conn), true) = (self.conn.take(), self.started.load(Ordering::SeqCst)) {
            roll_back(conn);
        }
    }
}

/// Rolls back in the background and returns the connection to its pool; throws it away where that is not possible.
pub(crate) fn roll_back(conn: Object) {
    match tokio::runtime::Handle::try_current() {
        Ok(runtime) => {
            runtime.spawn(async move {
                if conn.batch_execute("rollback").await.is_err() {
                    drop(Object::take(conn));
                }
            });
        }
        Err(_) => drop(Object::take(conn)),
    }
}

macro_rules! statements {
    () => {
        /// Runs a statement and returns its rows.
        ///
        /// # Errors
        /// [`DbError`]; the transaction is then lost and must be dropped.
        pub async fn query(
            &self,
            sql: &'static str,
            params: &[&(dyn ToSql + Sync)],
        ) -> Result<Vec<Row>, DbError> {
            self.session.query(sql, params, self.known()).await
        }

        /// Runs a statement that returns exactly one row.
        ///
        /// # Errors
        /// [`DbError::Other`] on none or several; else as [`Self::query`].
        pub async fn query_one(
            &self,
            sql: &'static str,
            params: &[&(dyn ToSql + Sync)],
        ) -> Result<Row, DbError> {
            let found = self.query_opt(sql, params).await?;
            found.ok_or_else(|| DbError::Other("a row was expected, none came".to_owned()))
        }

        /// Runs a statement that returns at most one row.
        ///
        /// # Errors
        /// [`DbError::Other`] on several; else as [`Self::query`].
        pub async fn query_opt(
            &self,
            sql: &'static str,
            params: &[&(dyn ToSql + Sync)],
        ) -> Result<Option<Row>, DbError> {
            let mut rows = self.session.query(sql, params, self.known()).await?;
            if rows.len() > 1 {
                return Err(DbError::Other("one row was expected, several came".to_owned()));
            }
            Ok(rows.pop())
        }

        /// Runs a statement and returns how many rows it changed.
        ///
        /// # Errors
        /// As [`Self::query`].
        pub async fn execute(
            &self,
            sql: &'static str,
            params: &[&(dyn ToSql + Sync)],
        ) -> Result<u64, DbError> {
            self.session.execute(sql, params, self.known()).await
        }

        /// Runs a statement given as a value.
        ///
        /// # Errors
        /// As [`Self::query`].
        pub async fn run(&self, stmt: Stmt) -> Result<Vec<Row>, DbError> {
            let rows = self.session.query(stmt.sql, &stmt.refs(), self.known()).await?;
            if let Some(hook) = stmt.after_commit {
                self.session.on_commit(Box::new(move || hook()));
            }
            Ok(rows)
        }

        /// Calls `hook` once this transaction has committed; never when it rolls back.
        pub fn on_commit(&self, hook: impl FnOnce() + Send + 'static) {
            self.session.on_commit(Box::new(hook));
        }

        /// Tells the caches of every process, at commit, that what they hold under `key` is stale.
        ///
        /// # Errors
        /// As [`Self::query`].
        pub async fn notify_invalidate(&self, key: &str) -> Result<(), DbError> {
            self.query("select pg_notify('markethall_invalidate', $1)", &[&key]).await.map(drop)
        }
    };
}

/// What a transaction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Write,
    Read,
    Report,
    Snapshot,
}

/// A transaction bound to one tenant: row-level security shows and takes only that tenant's rows.
pub struct TenantTx {
    session: Session,
    ctx: Ctx,
    /// Of the connections that its tenant may hold; given back with it.
    _share: OwnedSemaphorePermit,
}

impl TenantTx {
    pub(crate) fn new(conn: Object, ctx: Ctx, mode: Mode, share: OwnedSemaphorePermit) -> Self {
        let start = match mode {
            Mode::Write => "begin",
            Mode::Read => "begin read only",
            Mode::Report => "begin isolation level repeatable read read only",
            // Proofs look at everything there is, which may take longer than any request.
            Mode::Snapshot => {
                "begin isolation level repeatable read read only; set local statement_timeout = '30min'"
            }
        };
        let begin = format!("{start}; select set_config('app.tenant_id', '{}', true)", ctx.tenant_id().0);
        let toll = Toll::of(&ctx);
        Self { session: Session::new(conn, begin, toll), ctx, _share: share }
    }

    /// The context it was begun with.
    #[must_use]
    pub fn ctx(&self) -> &Ctx {
        &self.ctx
    }

    /// The tenant it is bound to.
    #[must_use]
    pub fn tenant_id(&self) -> TenantId {
        self.ctx.tenant_id()
    }

    /// Makes everything since the start permanent. Dropping the transaction instead rolls it back.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] leaves open whether it committed; effects carry idempotency keys for that.
    pub async fn commit(self) -> Result<(), DbError> {
        self.session.commit(Some(&self.ctx)).await
    }

    fn known(&self) -> Option<&Ctx> {
        Some(&self.ctx)
    }

    statements!();
}

impl fmt::Debug for TenantTx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TenantTx").field("tenant", &self.tenant_id()).finish_non_exhaustive()
    }
}

/// A transaction on the control database.
pub struct ControlTx {
    session: Session,
}

impl ControlTx {
    pub(crate) fn new(conn: Object) -> Self {
        Self { session: Session::new(conn, "begin".to_owned(), None) }
    }

    /// Makes everything since the start permanent. Dropping the transaction instead rolls it back.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] leaves open whether it committed; effects carry idempotency keys for that.
    pub async fn commit(self) -> Result<(), DbError> {
        self.session.commit(None).await
    }

    fn known(&self) -> Option<&Ctx> {
        None
    }

    statements!();
}

impl fmt::Debug for ControlTx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ControlTx").finish_non_exhaustive()
    }
}
