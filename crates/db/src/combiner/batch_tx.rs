//! The transaction of a batch: statements of several tenants in one pipeline, each under its own tenant.

use std::{
    future::Future,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use deadpool_postgres::Object;
use kernel::{TenantId, TraceParent};
use tokio_postgres::{Row, Statement, types::ToSql};

use crate::{DbError, Stmt, slow::Watch, stmt::Hook};

/// One transaction over several tenants of one database; a statement always runs under the tenant it is given for.
pub struct BatchTx {
    conn: Option<Object>,
    started: AtomicBool,
    hooks: Mutex<Vec<Hook>>,
    patient: bool,
    /// Those of the requests in the batch, each of which waits for all of it.
    traces: Vec<TraceParent>,
    /// Rows that came back so far.
    rows: AtomicU64,
}

impl BatchTx {
    /// Begins with its first statements; unless `patient`, it waits for other transactions' locks a moment only.
    pub(super) fn new(conn: Object, patient: bool, traces: Vec<TraceParent>) -> Self {
        let (started, rows) = (AtomicBool::new(false), AtomicU64::new(0));
        Self { conn: Some(conn), started, hooks: Mutex::default(), patient, traces, rows }
    }

    /// Rows that came back so far.
    pub(super) fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    /// Sends, in one pipeline, for each tenant first `app.tenant_id` and then its statements; returns the rows of each
    /// statement in the same shape.
    ///
    /// # Errors
    /// The first failure; the transaction is then lost.
    pub async fn run(&self, work: &[(TenantId, Vec<Stmt>)]) -> Result<Vec<Vec<Vec<Row>>>, DbError> {
        let statements = || work.iter().flat_map(|(_, all)| all).map(|stmt| stmt.sql);
        let watch = Watch::batch(&self.traces, statements());
        let answers = self.send(work).await;
        watch.end(statements(), None, answers.as_ref().err());
        answers
    }

    async fn send(&self, work: &[(TenantId, Vec<Stmt>)]) -> Result<Vec<Vec<Vec<Row>>>, DbError> {
        let conn = self.conn.as_ref().ok_or_else(|| DbError::Other("ended".to_owned()))?;
        let bind = conn.prepare_cached("select set_config('app.tenant_id', $1, true)").await?;
        let tenants: Vec<String> = work.iter().map(|(tenant, _)| tenant.0.to_string()).collect();
        let mut sends: Vec<(Statement, Vec<&(dyn ToSql + Sync)>)> = Vec::new();
        if !self.started.swap(true, Ordering::SeqCst) {
            sends.push((conn.prepare_cached("begin").await?, Vec::new()));
            if self.patient {
                sends.push((conn.prepare_cached("set local lock_timeout = '5s'").await?, Vec::new()));
            }
        }
        let first = sends.len();
        for ((_, statements), tenant) in work.iter().zip(&tenants) {
            sends.push((bind.clone(), vec![tenant]));
            for statement in statements {
                sends.push((conn.prepare_cached(statement.sql).await?, statement.refs()));
            }
        }
        let queries = sends.iter().map(|(prepared, params)| conn.query(prepared, params));
        let answers = pipeline(queries).await?;
        let rows = answers.iter().skip(first).map(Vec::len).sum::<usize>() - work.len();
        self.rows.fetch_add(rows as u64, Ordering::Relaxed);
        let mut answers = answers.into_iter().skip(first);
        if let Ok(mut hooks) = self.hooks.lock() {
            hooks.extend(work.iter().flat_map(|(_, all)| all).filter_map(|stmt| stmt.after_commit.clone()));
        }
        let of_tenant = |(_, statements): &(TenantId, Vec<Stmt>)| {
            answers.by_ref().skip(1).take(statements.len()).collect()
        };
        Ok(work.iter().map(of_tenant).collect())
    }

    pub(super) async fn commit(mut self) -> Result<(), DbError> {
        if let Some(conn) = &self.conn {
            let watch = Watch::batch(&self.traces, std::iter::once("commit"));
            let answer = conn.batch_execute("commit").await.map_err(DbError::from);
            watch.end(std::iter::once("commit"), None, answer.as_ref().err());
            answer?;
        }
        self.conn = None;
        for hook in self.hooks.lock().map(|mut hooks| std::mem::take(&mut *hooks)).unwrap_or_default() {
            hook();
        }
        Ok(())
    }
}

impl Drop for BatchTx {
    fn drop(&mut self) {
        if let (Some(conn), true) = (self.conn.take(), self.started.load(Ordering::SeqCst)) {
            crate::tx::roll_back(conn);
        }
    }
}

/// Sends all queries in their order before waiting for the first answer.
///
/// A prepared query writes itself out whole when it is first polled, so one round of polls in order is the pipeline;
/// answers then come in the same order.
async fn pipeline<F>(queries: impl Iterator<Item = F>) -> Result<Vec<Vec<Row>>, tokio_postgres::Error>
where
    F: Future<Output = Result<Vec<Row>, tokio_postgres::Error>>,
{
    let mut queries: Vec<_> = queries.map(|query| Box::pin(futures::future::maybe_done(query))).collect();
    std::future::poll_fn(|cx| {
        for query in &mut queries {
            let _ = query.as_mut().poll(cx);
        }
        std::task::Poll::Ready(())
    })
    .await;
    let mut answers = Vec::with_capacity(queries.len());
    for mut query in queries {
        query.as_mut().await;
        if let Some(answer) = query.as_mut().take_output() {
            answers.push(answer?);
        }
    }
    Ok(answers)
}
