//! RES-6: a cluster of several servers, of which some hang or are gone.

use std::net::{SocketAddr, TcpListener};

use db::{Db, DbConfig, DbError, Migrations};
use secrecy::SecretString;
use testkit::{TestCluster, TestDatabases};

/// Takes connections and never says a word.
fn silent() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

async fn databases() -> TestDatabases {
    TestDatabases::create(&Migrations::tenant([]), &Migrations::control([])).await.unwrap()
}

/// The cluster of the tests, after these other servers.
fn behind(others: &[SocketAddr]) -> db::ConnectionConfig {
    let url = TestCluster::get().admin_url().unwrap();
    let (before, after) = url.split_once('@').unwrap();
    let others: String = others.iter().map(|address| format!("{address},")).collect();
    format!("{before}@{others}{after}").parse().unwrap()
}

// RES-6: the driver alone would wait for the first until nobody waits any more.
#[tokio::test]
async fn the_server_that_answers_is_found_behind_one_that_hangs_and_is_asked_first_from_then_on() {
    let databases = databases().await;
    let (hangs, hanging) = silent();
    let (gone, nowhere) = silent();
    drop(gone);
    let db = Db::new(DbConfig { control: behind(&[hanging, nowhere]), ..databases.config() }).unwrap();
    let one: i32 = db.control().await.unwrap().query_one("select 1", &[]).await.unwrap().get(0);
    assert_eq!(one, 1);
    assert!(hangs.accept().is_ok(), "it was asked first");
    for _ in 0..3 {
        db.control_session().await.unwrap();
    }
    let again = hangs.accept().map(drop).map_err(|error| error.kind());
    assert_eq!(again, Err(std::io::ErrorKind::WouldBlock), "asked again though another one answers");
}

#[tokio::test]
async fn what_a_server_says_itself_is_told_rather_than_that_another_one_is_gone() {
    let databases = databases().await;
    let (gone, nowhere) = silent();
    drop(gone);
    let mut config = DbConfig { control: behind(&[nowhere]), ..databases.config() };
    config.passwords.control = SecretString::from("wrong".to_owned());
    let refused = Db::new(config).unwrap().control().await.map(drop).unwrap_err();
    assert!(matches!(&refused, DbError::Unavailable(text) if text.contains("password")), "{refused}");
}
