//! DPR-5: the whole program on a database that takes encrypted connections only, its address read from a file.

use std::fs;

use rcgen::generate_simple_self_signed;
use testkit::{TlsFiles, TlsPostgres};

use crate::support::{Home, Ran, Server};

#[tokio::test(flavor = "multi_thread")]
async fn the_program_sets_up_and_serves_over_tls_and_takes_no_impostor_for_its_database() {
    let made = generate_simple_self_signed(["db.example".to_owned()]).unwrap();
    let (cert, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let database = TlsPostgres::start(TlsFiles { cert: &cert, key: &key, authority: &cert }).await.unwrap();
    let home = Home::empty();
    let [trusted, address] = ["database.crt", "database-url"].map(|name| home.path().join(name));
    fs::write(&trusted, &cert).unwrap();
    let url = |host| database.url(host, &format!("sslmode=verify-full&sslrootcert={}", trusted.display()));
    fs::write(&address, url("db.example")).unwrap();
    let settings = [("MARKETHALL_DATABASE__URL_FILE", address.display().to_string())];
    let settings = settings.each_ref().map(|(name, value)| (*name, value.as_str()));

    let run = |args: &[&str]| Ran::of(home.command().args(args).envs(settings));
    let mail = ["--admin-email", "boss@acme.example", "--tier", "enterprise", "--currency", "EUR", "--json"];
    let made = run(&[&["tenant", "create", "acme", "--name", "Acme"], &mail[..]].concat()).exits(0).json();
    assert_eq!(made["tenant"]["status"], "active");
    let server = Server::start_with(&home, &settings, &[]);
    let ready = server.stranger().call(http::Method::GET, "/health/ready").send().await;
    assert_eq!(ready.status, 200);
    let log = server.stop();
    assert!(!log.contains(database.password()), "{log}");

    // Another server by that name, and this one by another name.
    let stranger = generate_simple_self_signed(["db.example".to_owned()]).unwrap();
    for (host, authority, said) in [
        ("db.example", stranger.cert.pem(), "invalid peer certificate"),
        ("other.example", cert, "other.example"),
    ] {
        fs::write(&trusted, authority).unwrap();
        fs::write(&address, url(host)).unwrap();
        let refused = run(&["tenant", "list"]).exits(1);
        assert!(refused.stderr.contains(said), "{refused:?}");
        assert!(!format!("{refused:?}").contains(database.password()), "{refused:?}");
    }
}
