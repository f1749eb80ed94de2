//! Sessions outside the pools: they hold session locks, hear notifications and live until they are dropped.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures::{StreamExt as _, stream};
use kernel::Placement;
use tokio::{sync::Notify, task::AbortHandle, time::timeout};
use tokio_postgres::{AsyncMessage, Client, Row, Statement, types::ToSql};

use crate::{ConnectionConfig, Db, DbError, slow::Watch};

/// How long a statement may take before the session counts as lost; above the server's own limit of 30 s.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(35);
/// How many notifications are kept for a listener that is slow.
const NOTICES_MAX: usize = 1024;
/// No wait for the disk: what a relay or a listener loses in a power cut is done again. Plans are made once and go by
/// index: the statements are few and fixed, and a plan made while the outbox was empty must do when it is full.
const OPTIONS: &str = "-c jit=off -c statement_timeout=30s -c lock_timeout=5s -c synchronous_commit=off \
                       -c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_bitmapscan=off \
                       -c enable_hashjoin=off -c enable_mergejoin=off \
                       -c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3 -c timezone=UTC";

/// What a session hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Somebody sent `payload` on `channel`.
    Sent {
        /// The channel.
        channel: String,
        /// What was sent; at most 8,000 bytes.
        payload: String,
    },
    /// More came than was read in time; any number of notifications is missing.
    Missed,
}

#[derive(Default)]
struct Mailbox {
    notices: Mutex<VecDeque<Notice>>,
    arrived: Notify,
    lost: AtomicBool,
}

impl Mailbox {
    fn put(&self, notice: Notice) {
        if let Ok(mut notices) = self.notices.lock() {
            if notices.len() < NOTICES_MAX {
                notices.push_back(notice);
            } else if notices.back() != Some(&Notice::Missed) {
                notices.push_back(Notice::Missed);
            }
        }
        self.arrived.notify_one();
    }

    fn take(&self) -> Option<Notice> {
        self.notices.lock().ok()?.pop_front()
    }
}

/// A session of its own. It runs single statements only, each its own transaction, so that several callers may use
/// it at once; session locks it took end with it.
pub struct RelayConn {
    client: Client,
    prepared: Mutex<HashMap<&'static str, Statement>>,
    mailbox: Arc<Mailbox>,
    driver: AbortHandle,
}

impl Db {
    /// Opens a session as the relay role on the database at `placement`.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] when the database cannot be reached, [`DbError::Other`] on an unknown shard.
    pub async fn relay(&self, placement: &Placement) -> Result<RelayConn, DbError> {
        RelayConn::open(self.relay_config(placement)?).await
    }

    /// Opens a session on the control database, to listen there.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] when the database cannot be reached.
    pub async fn control_session(&self) -> Result<RelayConn, DbError> {
        RelayConn::open(self.control_config()).await
    }
}

impl RelayConn {
    async fn open(mut config: ConnectionConfig) -> Result<Self, DbError> {
        config
            .application_name("markethall relay")
            .connect_timeout(Duration::from_secs(3))
            .keepalives_idle(Duration::from_secs(10))
            .options(OPTIONS);
        let connecting = timeout(Duration::from_secs(5), config.open()).await;
        let (client, mut connection) = connecting
            .map_err(|_| DbError::Unavailable("connecting took too long".to_owned()))?
            .map_err(connecting_failed)?;
        let mailbox = Arc::new(Mailbox::default());
        let deliver = mailbox.clone();
        let driver = tokio::spawn(async move {
            let mut messages = stream::poll_fn(move |cx| connection.poll_message(cx));
            while let Some(message) = messages.next().await {
                match message {
                    Ok(AsyncMessage::Notification(sent)) => deliver.put(Notice::Sent {
                        channel: sent.channel().to_owned(),
                        payload: sent.payload().to_owned(),
                    }),
                    Ok(_) => {}
                    Err(_) => break,
                }
            }
            deliver.lost.store(true, Ordering::SeqCst);
            deliver.arrived.notify_one();
        });
        let driver = driver.abort_handle();
        Ok(Self { client, prepared: Mutex::default(), mailbox, driver })
    }

    /// Runs one statement and returns its rows.
    ///
    /// # Errors
    /// [`DbError`]; after [`DbError::Unavailable`] the session is lost.
    pub async fn query(
        &self,
        sql: &'static str,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, DbError> {
        let watch = Watch::start();
        let answer = timeout(ANSWER_TIMEOUT, async {
            let prepared = self.prepare(sql).await?;
            self.client.query(&prepared, params).await
        });
        let answer = answer.await;
        watch.end(std::iter::once(sql), None, None);
        let answer = answer.map_err(|_| DbError::Unavailable("no answer in time".to_owned()))?;
        Ok(answer?)
    }

    /// Runs one statement that returns exactly one row.
    ///
    /// # Errors
    /// [`DbError::Other`] on none or several rows; else as [`Self::query`].
    pub async fn query_one(&self, sql: &'static str, params: &[&(dyn ToSql + Sync)]) -> Result<Row, DbError> {
        let mut rows = self.query(sql, params).await?;
        match (rows.pop(), rows.is_empty()) {
            (Some(row), true) => Ok(row),
            _ => Err(DbError::Other("exactly one row was expected".to_owned())),
        }
    }

    /// The next notification; `None` once the connection is lost.
    pub async fn next_notice(&self) -> Option<Notice> {
        loop {
            if let Some(notice) = self.mailbox.take() {
                return Some(notice);
            }
            if self.mailbox.lost.load(Ordering::SeqCst) {
                return None;
            }
            self.mailbox.arrived.notified().await;
        }
    }

    /// Whether the connection is lost.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.mailbox.lost.load(Ordering::SeqCst) || self.client.is_closed()
    }

    async fn prepare(&self, sql: &'static str) -> Result<Statement, tokio_postgres::Error> {
        let known = self.prepared.lock().ok().and_then(|prepared| prepared.get(sql).cloned());
        if let Some(statement) = known {
            return Ok(statement);
        }
        let statement = self.client.prepare(sql).await?;
        if let Ok(mut prepared) = self.prepared.lock() {
            prepared.insert(sql, statement.clone());
        }
        Ok(statement)
    }
}

impl Drop for RelayConn {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl std::fmt::Debug for RelayConn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RelayConn").field("lost", &self.is_lost()).finish_non_exhaustive()
    }
}

/// Whatever keeps a session from being opened may pass: a start, a stop, a database that is being made.
fn connecting_failed(error: tokio_postgres::Error) -> DbError {
    match DbError::from(error) {
        DbError::Other(text) => DbError::Unavailable(text),
        known => known,
    }
}
