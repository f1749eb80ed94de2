//! Imports over HTTP: upload, progress, rejects, stops in between.

use std::time::Duration;

use axum::http::Method;
use catalog::ImportId;
use serde_json::Value;
use testkit::{Answer, Client};

use crate::fixture::Market;

async fn upload(clerk: &Client, file: impl Into<Vec<u8>>) -> Answer {
    clerk.api(Method::POST, "/imports/products").key("file-1").body("text/csv", file).send().await
}

/// Waits until the import is over.
pub(crate) async fn end(clerk: &Client, path: &str) -> Value {
    let over = async {
        loop {
            let run = clerk.get(path).await.is(200).json;
            if run["status"] == "done" || run["status"] == "failed" {
                return run;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), over).await.unwrap()
}

// CAT-3: the same over HTTP: upload, job, progress, rejects file.
#[tokio::test(flavor = "multi_thread")]
async fn an_upload_becomes_an_import_whose_rejects_can_be_fetched() {
    let market = Market::new().await;
    let started = upload(&market.clerk, "sku,name,price\nA,Apple,1\nB,Bread,x\n").await.is(202);
    let path = started.header("location").trim_start_matches("/api/v1").to_owned();
    let run = end(&market.clerk, &path).await;
    assert_eq!((&run["status"], &run["created"], &run["rejected"]), (&"done".into(), &1.into(), &1.into()));
    assert_eq!(run["bytesDone"], run["bytes"]);
    let report = market.clerk.get(&format!("{path}/rejects")).await.is(200);
    assert_eq!(report.header("content-type"), "text/csv");
    let text = String::from_utf8(report.body).unwrap();
    assert!(text.starts_with("line,column,code,reason\r\n3,price,PRICE_INVALID,"), "{text}");
    let again = upload(&market.clerk, "sku,name,price\nA,Apple,1\nB,Bread,x\n").await.is(202);
    assert_eq!((again.header("idempotency-replayed"), again.text("/id")), ("true", started.text("/id")));
    assert_eq!(market.skus("/products").await, ["A"]);
    market.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_a_product_file_is_refused_at_once() {
    let market = Market::new().await;
    for file in ["", "sku,name\nA,Apple\n", "sku,name,sku\n", "\u{0}"] {
        upload(&market.clerk, file).await.is_problem(422, "IMPORT_FILE_REFUSED");
    }
    let json = market.clerk.api(Method::POST, "/imports/products").body("application/json", "{}");
    json.send().await.is_problem(415, "UNSUPPORTED_MEDIA_TYPE");
    market.clerk.get(&format!("/imports/{}", ImportId::new())).await.is_problem(404, "IMPORT_NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_packed_file_that_is_cut_off_fails_and_keeps_what_it_had() {
    let market = Market::new().await;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    std::io::Write::write_all(&mut encoder, b"sku,name,price\nA,Apple,1\nB,Br").unwrap();
    let mut packed = encoder.finish().unwrap();
    packed.truncate(packed.len() - 8);
    let started = upload(&market.clerk, packed).await.is(202);
    let path = format!("/imports/{}", started.text("/id"));
    let run = end(&market.clerk, &path).await;
    assert_eq!(run["status"], "failed", "{run}");
    assert!(run["failure"].as_str().unwrap().contains("cannot be read beyond line 3"), "{run}");
}

// CAT-3: resumable after a stop: what was taken is not taken again, the sums and the report are whole.
#[tokio::test(flavor = "multi_thread")]
async fn an_import_whose_worker_died_is_taken_up_where_it_stopped() {
    let market = Market::new().await;
    let rows: String = (0..2500).map(|n| format!("S{n},Soup,{}\n", if n == 7 { "x" } else { "1" })).collect();
    let started = upload(&market.clerk, format!("sku,name,price\n{rows}")).await.is(202);
    let path = format!("/imports/{}", started.text("/id"));
    let whole = end(&market.clerk, &path).await;
    // As if the worker had died after the first thousand rows: its lease runs out.
    let look = market.site.databases.look().await.unwrap();
    look.batch_execute(
        "update catalog.import_run set status = 'running', line_done = 1003, created = 1000, updated = 0,
            unchanged = 0, rejected = 1, worker = gen_random_uuid(), leased_until = now() - interval '10 years';
         delete from catalog.product where sku in ('S2000')",
    )
    .await
    .unwrap();
    let file = market.upload_path(started.text("/id"));
    std::fs::write(file, format!("sku,name,price\n{rows}")).unwrap();
    market.resume().await;
    let resumed = end(&market.clerk, &path).await;
    assert_eq!((&resumed["status"], &resumed["rejected"]), (&"done".into(), &whole["rejected"]));
    assert_eq!((&resumed["created"], &resumed["unchanged"]), (&1001.into(), &1498.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_whose_file_is_gone_fails_clearly() {
    let market = Market::new().await;
    let started = upload(&market.clerk, "sku,name,price\nA,Apple,1\n").await.is(202);
    let path = format!("/imports/{}", started.text("/id"));
    end(&market.clerk, &path).await;
    let look = market.site.databases.look().await.unwrap();
    look.batch_execute("update catalog.import_run set status = 'queued'").await.unwrap();
    // Another process may have the file.
    market.resume().await;
    assert_eq!(market.clerk.get(&path).await.json["status"], "queued");
    market.site.clock.advance_seconds(25 * 3600);
    market.resume().await;
    let run = end(&market.clerk, &path).await;
    assert_eq!(
        (run["status"].as_str(), run["failure"].as_str()),
        (Some("failed"), Some("the uploaded file is not on this machine any more; upload it again"))
    );
}
