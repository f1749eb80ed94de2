//! Asking Redis, and being told quickly when it is away.

use std::{
    sync::{Arc, PoisonError, RwLock, Weak},
    time::Duration,
};

use redis::{Cmd, ErrorKind, FromRedisValue, RedisError, ScriptInvocation, ServerErrorKind};
use resilience::{Breaker, Breakers};
use tokio::sync::Notify;

use crate::{RedisConfig, link::Link};

/// Pauses between attempts to connect grow up to this.
const MOST_PAUSE: Duration = Duration::from_secs(1);

/// There is no answer now: do without. The text is for logs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Redis has no answer: {0}")]
pub struct Away(pub String);

/// The Redis of an installation. Cheap to clone; clones share one connection.
#[derive(Clone)]
pub struct Redis(Arc<Inner>);

struct Inner {
    config: RedisConfig,
    breaker: Breaker,
    link: Arc<Current>,
}

/// The connection as it is now.
#[derive(Default)]
struct Current {
    link: RwLock<Option<Link>>,
    lost: Notify,
}

impl Current {
    fn get(&self) -> Option<Link> {
        self.link.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, link: Option<Link>) {
        *self.link.write().unwrap_or_else(PoisonError::into_inner) = link;
    }

    async fn answers(&self) -> bool {
        match self.get() {
            Some(mut link) => link.ping().await.is_ok(),
            None => false,
        }
    }
}

impl Redis {
    /// The Redis of `config`; connects by itself from now on, and again whenever it must. `None` where none is set.
    /// Call it inside a runtime.
    ///
    /// # Errors
    /// As [`RedisConfig::validate`].
    pub fn open(config: &RedisConfig, breakers: &Breakers) -> Result<Option<Self>, String> {
        config.validate()?;
        if !config.is_set() {
            return Ok(None);
        }
        let link = Arc::new(Current::default());
        let probed = link.clone();
        let probe: resilience::Probe = Arc::new(move || {
            let link = probed.clone();
            Box::pin(async move { link.answers().await })
        });
        let breaker = breakers.of_lookups("redis", probe);
        let inner = Arc::new(Inner { config: config.clone(), breaker, link });
        tokio::spawn(keep(Arc::downgrade(&inner)));
        Ok(Some(Self(inner)))
    }

    /// Whether there is a connection that answered lately.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.0.breaker.state() == resilience::State::Closed && self.0.link.get().is_some()
    }

    /// `name` with the prefix of this installation.
    #[must_use]
    pub fn key(&self, name: &str) -> String {
        format!("{}{name}", self.0.config.prefix)
    }

    /// Runs one command.
    ///
    /// # Errors
    /// [`Away`], at once while the breaker is open, else within `timeout_ms`.
    pub async fn query<T: FromRedisValue>(&self, cmd: &Cmd) -> Result<T, Away> {
        self.ask(async |mut link: Link| link.query(cmd).await).await
    }

    /// Runs a script with its keys and arguments; all of it or nothing.
    ///
    /// # Errors
    /// As [`Self::query`].
    pub async fn invoke<T: FromRedisValue>(&self, script: &ScriptInvocation<'_>) -> Result<T, Away> {
        self.ask(async |mut link: Link| script.invoke_async(&mut link).await).await
    }

    async fn ask<T>(&self, call: impl AsyncFnOnce(Link) -> Result<T, RedisError>) -> Result<T, Away> {
        let permit = self.0.breaker.permit().map_err(|open| Away(open.to_string()))?;
        let Some(link) = self.0.link.get() else {
            permit.failed();
            return Err(Away("no connection".to_owned()));
        };
        match call(link).await {
            Ok(answer) => {
                permit.succeeded();
                Ok(answer)
            }
            Err(error) if is_our_fault(&error) => {
                permit.succeeded();
                tracing::error!(cause = %error.category(), "Redis refuses a command");
                Err(Away(error.category().to_owned()))
            }
            Err(error) => {
                permit.failed();
                self.0.link.set(None);
                self.0.link.lost.notify_one();
                Err(Away(error.category().to_owned()))
            }
        }
    }
}

impl std::fmt::Debug for Redis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redis").field("up", &self.is_up()).finish_non_exhaustive()
    }
}

/// The server works and says no: another connection would not help.
fn is_our_fault(error: &RedisError) -> bool {
    use ServerErrorKind::{CrossSlot, NoPerm, ResponseError};
    matches!(
        error.kind(),
        ErrorKind::UnexpectedReturnType | ErrorKind::Server(ResponseError | NoPerm | CrossSlot)
    )
}

/// Sees to it that there is a connection, until nobody uses the client any more.
async fn keep(inner: Weak<Inner>) {
    let mut pause = Duration::from_millis(20);
    loop {
        let Some(redis) = inner.upgrade() else { return };
        let (config, link) = (redis.config.clone(), redis.link.clone());
        drop(redis);
        match Link::connect(&config).await {
            Ok(made) => {
                link.set(Some(made));
                pause = Duration::from_millis(20);
                tracing::info!("connected to Redis");
                watch(&inner, &link).await;
            }
            Err(error) => {
                tracing::debug!(cause = error.category(), "Redis cannot be reached");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(MOST_PAUSE);
            }
        }
    }
}

/// Ends when the connection is lost or nobody is left to use it.
async fn watch(inner: &Weak<Inner>, link: &Current) {
    while inner.strong_count() > 0 && link.get().is_some() {
        let _ = tokio::time::timeout(MOST_PAUSE, link.lost.notified()).await;
    }
}
