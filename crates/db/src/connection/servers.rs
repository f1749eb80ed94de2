//! Several servers for one cluster, a primary and its standbys: whoever takes writes is the one (RES-6).
//!
//! The driver alone would wait for a server that has vanished until the caller's patience is over, and never ask the
//! next one. Here the next is asked soon, while the first may still answer.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use deadpool_postgres::Connect;
use futures::{StreamExt as _, stream::FuturesUnordered};
use tokio::{task::JoinHandle, time::sleep};
use tokio_postgres::{
    Client, Config, Error,
    config::{Host, TargetSessionAttrs},
};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{ConnectionConfig, ConnectionError, Wire};

/// A server that has not answered for so long is no longer waited for alone.
const PATIENCE: Duration = Duration::from_millis(500);

/// Which server took the last connection: it is asked first. Shared by all clones of a configuration.
pub(super) type Last = Arc<AtomicUsize>;

/// Of several servers only one that takes writes will do, whatever else the URL says.
pub(super) fn want_writes(driver: &mut Config) -> Result<(), ConnectionError> {
    if driver.get_target_session_attrs() == TargetSessionAttrs::ReadOnly {
        let wanted = "read-write, primary or left out";
        return Err(ConnectionError::Setting { setting: "target_session_attrs", wanted });
    }
    if count(driver) > 1 {
        driver.target_session_attrs(TargetSessionAttrs::ReadWrite);
    }
    Ok(())
}

/// Connects to the first server that answers and, of several, takes writes.
pub(super) async fn connect(
    driver: &Config,
    tls: &MakeRustlsConnect,
    last: &AtomicUsize,
) -> Result<(Client, Wire), Error> {
    let count = count(driver);
    if count < 2 {
        return driver.connect(tls.clone()).await;
    }
    let first = last.load(Ordering::Relaxed);
    let mut waiting = (0..count).map(|nth| (first + nth) % count);
    let ask = move |at: usize| async move { (at, alone(driver, at).connect(tls.clone()).await) };
    let mut asked = FuturesUnordered::new();
    let mut told = None;
    loop {
        if let Some(at) = waiting.next() {
            asked.push(ask(at));
        }
        let more = waiting.len() > 0;
        tokio::select! {
            answer = asked.next() => match answer {
                Some((at, Ok(open))) => {
                    last.store(at, Ordering::Relaxed);
                    return Ok(open);
                }
                Some((_, Err(error))) if asked.is_empty() && !more => return Err(more_telling(told, error)),
                Some((_, Err(error))) => told = Some(more_telling(told, error)),
                // Nobody to ask: the driver says why.
                None => return driver.connect(tls.clone()).await,
            },
            () = sleep(PATIENCE), if more => {}
        }
    }
}

/// What a server says itself tells more than its silence or a standby's "no writes here".
fn more_telling(before: Option<Error>, now: Error) -> Error {
    match before {
        Some(before) if before.code().is_some() || now.code().is_none() => before,
        _ => now,
    }
}

fn count(driver: &Config) -> usize {
    driver.get_hosts().len().max(driver.get_hostaddrs().len())
}

/// The same settings for one of the servers.
fn alone(driver: &Config, at: usize) -> Config {
    let mut one = Config::new();
    match driver.get_hosts().get(at) {
        Some(Host::Tcp(name)) => {
            one.host(name);
        }
        Some(Host::Unix(folder)) => {
            one.host_path(folder);
        }
        None => {}
    }
    if let Some(address) = driver.get_hostaddrs().get(at) {
        one.hostaddr(*address);
    }
    if let Some(port) = driver.get_ports().get(at).or(driver.get_ports().first()) {
        one.port(*port);
    }
    if let Some(user) = driver.get_user() {
        one.user(user);
    }
    if let Some(password) = driver.get_password() {
        one.password(password);
    }
    if let Some(database) = driver.get_dbname() {
        one.dbname(database);
    }
    if let Some(options) = driver.get_options() {
        one.options(options);
    }
    if let Some(name) = driver.get_application_name() {
        one.application_name(name);
    }
    if let Some(timeout) = driver.get_connect_timeout() {
        one.connect_timeout(*timeout);
    }
    if let Some(timeout) = driver.get_tcp_user_timeout() {
        one.tcp_user_timeout(*timeout);
    }
    one.keepalives(driver.get_keepalives()).keepalives_idle(driver.get_keepalives_idle());
    if let Some(interval) = driver.get_keepalives_interval() {
        one.keepalives_interval(interval);
    }
    if let Some(retries) = driver.get_keepalives_retries() {
        one.keepalives_retries(retries);
    }
    one.ssl_mode(driver.get_ssl_mode())
        .ssl_negotiation(driver.get_ssl_negotiation())
        .target_session_attrs(driver.get_target_session_attrs())
        .channel_binding(driver.get_channel_binding())
        .load_balance_hosts(driver.get_load_balance_hosts());
    one
}

/// For pools.
pub(crate) struct Connector(pub(crate) ConnectionConfig);

type Connecting<'a> = Pin<Box<dyn Future<Output = Result<(Client, JoinHandle<()>), Error>> + Send + 'a>>;

impl Connect for Connector {
    fn connect(&self, _pool: &Config) -> Connecting<'_> {
        Box::pin(async {
            let (client, wire) = self.0.open().await?;
            let driven = tokio::spawn(async {
                if let Err(error) = wire.await {
                    tracing::warn!(%error, "a connection to a database is lost");
                }
            });
            Ok((client, driven))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // RES-6: a setting of the driver that is forgotten here would be lost where there are several servers.
    #[test]
    fn each_of_several_servers_is_asked_with_all_settings() {
        let settings = "application_name=till&connect_timeout=3&tcp_user_timeout=7&keepalives_idle=11\
                        &keepalives_interval=5&keepalives_retries=2&options=-c%20jit%3Doff&channel_binding=require\
                        &sslnegotiation=direct&sslmode=require&load_balance_hosts=random";
        let read = |hosts: &str, more: &str| -> ConnectionConfig {
            format!("postgres://u:p@{hosts}/market?{settings}{more}").parse().unwrap()
        };
        let pair = read("one.example:6000,two.example:7000", "");
        let writes = "&target_session_attrs=read-write";
        assert_eq!(alone(&pair, 0), *read("one.example:6000", writes));
        assert_eq!(alone(&pair, 1), *read("two.example:7000", writes));
        let sockets: ConnectionConfig = "postgres://u@%2Frun%2Fa,%2Frun%2Fb:7000/x".parse().unwrap();
        let second: ConnectionConfig =
            "postgres://u@%2Frun%2Fb:7000/x?target_session_attrs=read-write".parse().unwrap();
        assert_eq!(alone(&sockets, 1), *second);
    }

    #[test]
    fn of_several_servers_one_that_takes_writes_is_wanted() {
        let read = |text: &str| text.parse::<ConnectionConfig>();
        for (url, wanted) in [
            ("postgres://u@a/x", TargetSessionAttrs::Any),
            ("postgres://u@a/x?target_session_attrs=primary", TargetSessionAttrs::ReadWrite),
            ("postgres://u@a,b/x", TargetSessionAttrs::ReadWrite),
            ("postgres://u@a,b/x?target_session_attrs=any", TargetSessionAttrs::ReadWrite),
            ("host=/run/a,/run/b user=u", TargetSessionAttrs::ReadWrite),
        ] {
            assert_eq!(read(url).unwrap().get_target_session_attrs(), wanted, "{url}");
        }
        let refused = read("postgres://u@a,b/x?target_session_attrs=read-only").unwrap_err().to_string();
        assert_eq!(refused, "target_session_attrs must be read-write, primary or left out");
    }
}
