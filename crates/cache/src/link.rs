//! One connection, of whatever kind of Redis, and how it is made.

use redis::{
    AsyncConnectionConfig, Client, Cmd, FromRedisValue, Pipeline, RedisError, RedisFuture, RedisResult,
    TlsCertificates, Value,
    aio::{ConnectionLike, MultiplexedConnection},
    cluster::ClusterClientBuilder,
    cluster_async::ClusterConnection,
    sentinel::{SentinelClientBuilder, SentinelServerType},
};
use secrecy::ExposeSecret;

use crate::RedisConfig;

/// A connection that many callers use at once.
#[derive(Clone)]
pub(crate) enum Link {
    One(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl ConnectionLike for Link {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::One(link) => link.req_packed_command(cmd),
            Self::Cluster(link) => link.req_packed_command(cmd),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::One(link) => link.req_packed_commands(pipeline, offset, count),
            Self::Cluster(link) => link.req_packed_commands(pipeline, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::One(link) => link.get_db(),
            Self::Cluster(link) => link.get_db(),
        }
    }
}

impl Link {
    /// Connects and sees that the server answers.
    pub(crate) async fn connect(config: &RedisConfig) -> RedisResult<Self> {
        let nodes = config.nodes().map_err(|text| invalid(&text))?;
        let timeouts = AsyncConnectionConfig::new()
            .set_response_timeout(Some(config.timeout()))
            .set_connection_timeout(Some(config.connect_timeout()));
        let certificates = certificates(config)?;
        let mut link = if config.cluster {
            let mut builder = ClusterClientBuilder::new(nodes)
                .connection_timeout(config.connect_timeout())
                .response_timeout(config.timeout())
                .retries(1);
            if let Some(certificates) = certificates {
                builder = builder.certs(certificates);
            }
            Self::Cluster(builder.build()?.get_async_connection().await?)
        } else if let Some(master) = &config.sentinel_master {
            let addresses = nodes.into_iter().map(|node| node.addr().clone());
            let mut builder = SentinelClientBuilder::new(addresses, master, SentinelServerType::Master)?;
            if let Some(username) = &config.username {
                builder = builder.set_client_to_redis_username(username);
            }
            if let Some(password) = &config.password {
                builder = builder.set_client_to_redis_password(password.expose_secret());
            }
            if let Some(certificates) = certificates {
                builder = builder
                    .set_client_to_redis_certificates(certificates.clone())
                    .set_client_to_sentinel_certificates(certificates);
            }
            Self::One(builder.build()?.get_async_connection_with_config(&timeouts).await?)
        } else {
            let node = nodes.into_iter().next().ok_or_else(|| invalid("redis.url is missing"))?;
            let client = match certificates {
                Some(certificates) => Client::build_with_tls(node, certificates)?,
                None => Client::open(node)?,
            };
            Self::One(client.get_multiplexed_async_connection_with_config(&timeouts).await?)
        };
        link.ping().await?;
        Ok(link)
    }

    pub(crate) async fn ping(&mut self) -> RedisResult<()> {
        redis::cmd("PING").query_async::<Value>(self).await.map(drop)
    }

    pub(crate) async fn query<T: FromRedisValue>(&mut self, cmd: &Cmd) -> RedisResult<T> {
        cmd.query_async(self).await
    }
}

fn certificates(config: &RedisConfig) -> RedisResult<Option<TlsCertificates>> {
    let Some(file) = &config.ca_file else { return Ok(None) };
    let root = std::fs::read(file).map_err(RedisError::from)?;
    Ok(Some(TlsCertificates { client_tls: None, root_cert: Some(root) }))
}

fn invalid(text: &str) -> RedisError {
    RedisError::from((redis::ErrorKind::InvalidClientConfig, "configuration", text.to_owned()))
}
