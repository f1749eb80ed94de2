//! One database watched: connect, try to lead, follow, connect again.

use std::{sync::Arc, time::Duration};

use db::{DbError, RelayConn};
use kernel::Placement;
use tokio::{sync::watch, time::sleep};
use tokio_util::sync::CancellationToken;

use crate::{DatabaseStatus, bell, request::requests, upkeep::look};

use super::{
    config::Env,
    leader::{Leader, Until},
};

const RECONNECT_MIN: Duration = Duration::from_millis(50);
const RECONNECT_MAX: Duration = Duration::from_secs(1);
/// Commits of a process that does not lead are told to the leader at most this often.
const TELL_EVERY: Duration = Duration::from_millis(2);

/// Watches until told to stop, through lost connections and restarts of the database.
pub(crate) async fn watch(
    env: Arc<Env>,
    placement: Placement,
    mut bell: watch::Receiver<u64>,
    stop: CancellationToken,
) {
    let mut pause = RECONNECT_MIN;
    while !stop.is_cancelled() {
        match connect(&env, &placement).await {
            Ok(conn) => {
                pause = RECONNECT_MIN;
                match lead_or_follow(&env, &conn, &placement, &mut bell, &stop).await {
                    Ok(()) => return,
                    Err(error) => {
                        tracing::warn!(database = %placement.database, error = %error, "the relay starts again");
                    }
                }
            }
            Err(error) => {
                env.note(DatabaseStatus::unreachable(&placement));
                tracing::debug!(database = %placement.database, error = %error, "the relay cannot connect");
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = sleep(pause.mul_f64(0.5 + rand::random::<f64>() / 2.0)) => {}
        }
        pause = (pause * 2).min(RECONNECT_MAX);
    }
}

/// Opens the session that may lead.
pub(crate) async fn connect(env: &Env, placement: &Placement) -> Result<RelayConn, DbError> {
    let conn = env.db.relay(placement).await?;
    conn.query("listen markethall_messages", &[]).await?;
    Ok(conn)
}

/// Whether the session leads now.
pub(crate) async fn try_lead(conn: &RelayConn) -> Result<bool, DbError> {
    Ok(conn.query_one(include_str!("lead.sql"), &[]).await?.try_get("won")?)
}

/// Tells the leader, in whatever process, that there is something to do.
pub(crate) async fn tell_leader(conn: &RelayConn) -> Result<(), DbError> {
    conn.query("select pg_notify('markethall_messages', '')", &[]).await.map(drop)
}

async fn lead_or_follow(
    env: &Arc<Env>,
    conn: &RelayConn,
    placement: &Placement,
    bell: &mut watch::Receiver<u64>,
    stop: &CancellationToken,
) -> Result<(), DbError> {
    loop {
        if try_lead(conn).await? {
            let leader = Leader::take(env, conn, placement).await?;
            return leader.serve(bell, stop, Until::Stopped).await.map(drop);
        }
        env.note(look(conn, placement, env.clock.now()).await?);
        if !env.on_request.is_empty() {
            bell::note_requests(placement, requests(conn).await?);
        }
        let retry = sleep(env.config.follow);
        tokio::pin!(retry);
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = &mut retry => break,
                Ok(()) = bell.changed() => {
                    tell_leader(conn).await?;
                    sleep(TELL_EVERY).await;
                }
                notice = conn.next_notice() => {
                    if notice.is_none() {
                        return Err(DbError::Unavailable("the relay's session is lost".to_owned()));
                    }
                }
            }
        }
    }
}
