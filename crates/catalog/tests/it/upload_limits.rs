//! What one merchant's uploads may take: places, disk, reports. `CAT-3`.

use std::time::{Duration, SystemTime};

use axum::http::Method;
use catalog::ImportId;
use testkit::{Answer, Client};

use crate::{fixture::Market, uploads::end};

const FILE: &str = "sku,name,price\nA,Apple,1\n";

async fn upload(clerk: &Client, key: &str, file: impl Into<Vec<u8>>) -> Answer {
    clerk.api(Method::POST, "/imports/products").key(key).body("text/csv", file).send().await
}

/// Imports that no process works on, because the one that has their files is away.
async fn leave_unfinished(market: &Market, count: i32) {
    let look = market.site.databases.look().await.unwrap();
    let insert = "insert into catalog.import_run (tenant_id, id, status, bytes, bytes_done, line_done, created, \
        updated, unchanged, rejected, created_at, updated_at) \
        select $1, gen_random_uuid(), 'queued', 1, 0, 0, 0, 0, 0, 0, now(), now() from generate_series(1, $2)";
    look.execute(insert, &[&market.tenant.id.0, &count]).await.unwrap();
}

/// Waits until the files that end like that are so many.
async fn files_are(market: &Market, ending: &str, count: usize) {
    let there = async {
        while market.count_files(ending) != count {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), there).await.unwrap();
}

// CAT-3
#[tokio::test(flavor = "multi_thread")]
async fn a_fifth_unfinished_import_is_refused_and_leaves_no_file() {
    let market = Market::new().await;
    let first = upload(&market.clerk, "first", FILE).await.is(202);
    end(&market.clerk, &format!("/imports/{}", first.text("/id"))).await;
    leave_unfinished(&market, 4).await;
    upload(&market.clerk, "fifth", FILE).await.is_problem(409, "TOO_MANY_IMPORTS");
    files_are(&market, ".upload", 0).await;
    // What was answered before is answered again, and a neighbour has places of its own.
    let again = upload(&market.clerk, "first", FILE).await.is(202);
    assert_eq!((again.header("idempotency-replayed"), again.text("/id")), ("true", first.text("/id")));
    let (_, neighbour) = market.add_merchant("bolt").await;
    upload(&neighbour, "other", FILE).await.is(202);
    // A refusal is not remembered: with room, the same request is taken.
    let look = market.site.databases.look().await.unwrap();
    look.batch_execute("update catalog.import_run set status = 'failed' where status = 'queued'")
        .await
        .unwrap();
    upload(&market.clerk, "fifth", FILE).await.is(202);
}

// CAT-3: however many come at once.
#[tokio::test(flavor = "multi_thread")]
async fn of_many_uploads_at_once_no_more_are_taken_than_there_is_room_for() {
    let market = Market::new().await;
    leave_unfinished(&market, 3).await;
    // Held back, so that what is taken stays unfinished.
    let look = market.site.databases.look().await.unwrap();
    look.batch_execute(
        "create function public.stay() returns trigger language plpgsql as $$ begin return null; end $$;
         create trigger stay before update on catalog.import_run for each row execute function public.stay()",
    )
    .await
    .unwrap();
    let uploads = (0..16).map(|number| {
        let clerk = market.clerk.clone();
        tokio::spawn(async move { upload(&clerk, &format!("key-{number}"), FILE).await })
    });
    let mut taken = 0;
    for answer in uploads.collect::<Vec<_>>() {
        let answer = answer.await.unwrap();
        match answer.status {
            202 => taken += 1,
            _ => drop(answer.is_problem(409, "TOO_MANY_IMPORTS")),
        }
    }
    assert_eq!((taken, market.count_files(".upload")), (1, 1));
}

// CAT-3
#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_cannot_be_announced_leaves_no_file() {
    let market = Market::new().await;
    let look = market.site.databases.look().await.unwrap();
    look.batch_execute("alter table catalog.import_run add constraint never check (bytes < 0) not valid")
        .await
        .unwrap();
    upload(&market.clerk, "one", FILE).await.is_problem(500, "INTERNAL");
    assert_eq!(market.count_files(".upload"), 0);
}

// CAT-3
#[tokio::test(flavor = "multi_thread")]
async fn the_file_of_a_request_that_is_answered_from_an_earlier_one_goes_away_at_once() {
    let market = Market::new().await;
    for _ in 0..3 {
        upload(&market.clerk, "same", FILE).await.is(202);
    }
    files_are(&market, ".upload", 0).await;
}

// CAT-3: the report stays bounded whatever is sent; it comes whole, though it is never whole in memory.
#[tokio::test(flavor = "multi_thread")]
async fn an_import_fails_when_a_hundred_thousand_rows_were_rejected() {
    let market = Market::new().await;
    let file = format!("sku,name,price\nA,Apple,1\n{}", "B,Bread,x\n".repeat(150_000));
    let started = upload(&market.clerk, "bad", file).await.is(202);
    let path = format!("/imports/{}", started.text("/id"));
    let run = end(&market.clerk, &path).await;
    assert_eq!(run["status"], "failed", "{run}");
    assert!(run["failure"].as_str().unwrap().starts_with("too many rows were rejected, 100000"), "{run}");
    assert_eq!((&run["created"], &run["rejected"]), (&1.into(), &100_000.into()));
    let report = market.clerk.get(&format!("{path}/rejects")).await.is(200);
    assert_eq!(report.header("content-type"), "text/csv");
    assert_eq!(report.body.iter().filter(|byte| **byte == b'\n').count(), 100_001);
    files_are(&market, ".upload", 0).await;
}

// CAT-3
#[tokio::test(flavor = "multi_thread")]
async fn uploads_that_a_killed_process_left_behind_go_after_a_day() {
    let market = Market::new().await;
    leave_unfinished(&market, 1).await;
    let look = market.site.databases.look().await.unwrap();
    let row = look.query_one("select id from catalog.import_run", &[]).await.unwrap();
    let (waiting, fresh, stray) = (ImportId(row.get(0)), ImportId::new(), ImportId::new());
    std::fs::create_dir_all(market.import_dir()).unwrap();
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    let an_hour_ago = SystemTime::from(market.site.clock.now()) - Duration::from_secs(3600);
    for (id, written) in [(waiting, long_ago), (fresh, an_hour_ago), (stray, long_ago)] {
        let file = std::fs::File::create_new(market.upload_path(&id.to_string())).unwrap();
        file.set_modified(written).unwrap();
    }
    std::fs::write(market.import_dir().join("notes.txt"), "not ours").unwrap();
    let old = catalog::OldUploads::find(&market.catalog).await.unwrap();
    old.remove_strays(&market.catalog, &market.ctx()).await.unwrap();
    let there = |id: ImportId| market.upload_path(&id.to_string()).exists();
    assert_eq!((there(waiting), there(fresh), there(stray)), (true, true, false));
    assert_eq!(market.count_files("notes.txt"), 1);
}

// CAT-3
#[tokio::test(flavor = "multi_thread")]
async fn the_newest_fifty_finished_imports_are_kept_with_their_reports() {
    let market = Market::new().await;
    leave_unfinished(&market, 60).await;
    let look = market.site.databases.look().await.unwrap();
    look.batch_execute("update catalog.import_run set status = 'done', updated_at = '2026-11-20T00:00:00Z'")
        .await
        .unwrap();
    std::fs::create_dir_all(market.import_dir()).unwrap();
    for row in look.query("select id from catalog.import_run", &[]).await.unwrap() {
        let name = format!("{}-{}.rejects.csv", market.tenant.id, ImportId(row.get(0)));
        std::fs::write(market.import_dir().join(name), "line,column,code,reason\r\n").unwrap();
    }
    market.resume().await;
    assert_eq!(market.count_files(".rejects.csv"), 50);
    let left = look.query_one("select count(*) from catalog.import_run", &[]).await.unwrap();
    assert_eq!(left.get::<_, i64>(0), 50);
}
