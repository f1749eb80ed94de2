//! One connection for setting up: opened, used, closed for sure, and an exclusive turn on it.

use std::{ops::Deref, time::Duration};

use tokio::{task::JoinHandle, time::Instant};
use tokio_postgres::Client;

use super::{MigrateError, error::reason};
use crate::ConnectionConfig;

/// The number of the lock that makes setting up and migrating exclusive per database: "markethall" in base 36, cut.
const TURN: i64 = 0x006D_6172_6B65_7468;
/// How long another process may be migrating the same database before we give up.
const PATIENCE: Duration = Duration::from_secs(300);

/// A connection that can be closed so that the server has noticed.
pub(super) struct Session {
    client: Client,
    connection: JoinHandle<()>,
    database: String,
}

impl Session {
    pub(super) async fn open(config: &ConnectionConfig) -> Result<Self, MigrateError> {
        let database = config.get_dbname().unwrap_or("(default)").to_owned();
        let opened = config.open().await;
        let (client, connection) = opened
            .map_err(|error| MigrateError::Connect { database: database.clone(), reason: reason(&error) })?;
        let connection = tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a set-up connection ended");
            }
        });
        Ok(Self { client, connection, database })
    }

    /// Waits for the exclusive right to change this database's schema; it ends with the session.
    ///
    /// Asks again and again instead of waiting inside PostgreSQL: a waiting statement would hold a snapshot that
    /// `create index concurrently` of the other process waits for.
    pub(super) async fn take_turn(&self) -> Result<(), MigrateError> {
        let deadline = Instant::now() + PATIENCE;
        let mut tick = tokio::time::interval(Duration::from_millis(50));
        while Instant::now() < deadline {
            tick.tick().await;
            let row = self
                .client
                .query_one("select pg_try_advisory_lock($1)", &[&TURN])
                .await
                .map_err(MigrateError::setup("cannot lock the schema"))?;
            if row.get(0) {
                return Ok(());
            }
        }
        Err(MigrateError::Busy(self.database.clone()))
    }

    /// Runs statements, naming `action` when they fail.
    pub(super) async fn run(&self, action: &str, sql: &str) -> Result<(), MigrateError> {
        self.client.batch_execute(sql).await.map_err(MigrateError::setup(action))
    }

    /// Ends the connection and waits until it is closed: a database in use cannot be copied.
    pub(super) async fn close(self) {
        drop(self.client);
        // The task only fails by panic, and then the connection is closed too.
        let _ = self.connection.await;
    }
}

impl Deref for Session {
    type Target = Client;
    fn deref(&self) -> &Client {
        &self.client
    }
}
