//! `markethall import stock`.

use csvio::RejectWriter;
use inventory::{StockImport, import_stock};

use crate::fixture::{BREAD, Fixture, MILK};

async fn import(fixture: &Fixture, file: &str) -> (StockImport, String) {
    let mut out = Vec::new();
    let mut rejects = RejectWriter::new(&mut out).unwrap();
    let done =
        import_stock(&fixture.db, &fixture.ctx(), file.as_bytes(), &mut rejects, |_| ()).await.unwrap();
    (done, String::from_utf8(out).unwrap())
}

// INV-1
#[tokio::test]
async fn a_stock_file_sets_levels_and_importing_it_again_changes_nothing() {
    let fixture = Fixture::new().await;
    fixture.restock(0, BREAD, 3).await;
    let file = "shop,sku,on_hand\nS01,BREAD,7.5\nS01,MILK,0\nNew Shop,MILK,2\n";
    let (done, _) = import(&fixture, file).await;
    assert_eq!(done, StockImport { rows: 3, changed: 2, unchanged: 1, rejected: 0 });
    assert_eq!(fixture.level(0, BREAD).await.unwrap().on_hand, 7500);
    assert!(fixture.level(0, MILK).await.unwrap().tracked);
    let tx = fixture.begin().await;
    let book = inventory::list_movements(&tx, &Default::default(), None, 100).await.unwrap();
    let (done, _) = import(&fixture, file).await;
    assert_eq!(done, StockImport { rows: 3, changed: 0, unchanged: 3, rejected: 0 });
    assert_eq!(inventory::list_movements(&tx, &Default::default(), None, 100).await.unwrap(), book);
    assert_eq!(inventory::list_shops(&tx, None, 10).await.unwrap().len(), 3);
    assert_eq!(fixture.invariants().await, []);
}

// INV-1, HTTP-8
#[tokio::test]
async fn rows_that_cannot_be_taken_are_reported_and_the_rest_is_taken() {
    let fixture = Fixture::new().await;
    let file = "on_hand,sku,shop\n5,BREAD,S01\n5,UNKNOWN-1,S01\nmany,MILK,S01\n-1,MILK,S01\n6,BREAD,S01\n\
                1e9,MILK,S01\n5,MILK\n5,,S01\n5,MILK,\n5,MILK,=cmd()\n9,MILK,S02\n";
    let (done, rejects) = import(&fixture, file).await;
    assert_eq!((done.changed, done.rejected), (2, 9));
    let mut reported: Vec<(u64, &str)> = rejects
        .lines()
        .skip(1)
        .map(|line| {
            let mut fields = line.split(',');
            (fields.next().unwrap().parse().unwrap(), fields.nth(1).unwrap())
        })
        .collect();
    reported.sort_unstable();
    assert_eq!(
        reported,
        [
            (3, "UNKNOWN_SKU"),
            (4, "INVALID_VALUE"),
            (5, "INVALID_VALUE"),
            (6, "DUPLICATE_ROW"),
            (7, "INVALID_VALUE"),
            (8, "CSV_COLUMNS"),
            (9, "REQUIRED"),
            (10, "INVALID_VALUE"),
            (11, "CSV_FORMULA")
        ]
    );
    assert_eq!(fixture.level(0, BREAD).await.unwrap().on_hand, 5000);
    assert_eq!(fixture.level(1, MILK).await.unwrap().on_hand, 9000);
}

// INV-1
#[tokio::test]
async fn a_file_of_many_batches_is_taken_whole() {
    let fixture = Fixture::new().await;
    let mut file = String::from("shop,sku,on_hand\n");
    for shop in 0..1500 {
        file.push_str(&format!("P{shop},BREAD,{}\nP{shop},MILK,1\n", shop % 7));
    }
    let (done, _) = import(&fixture, &file).await;
    assert_eq!((done.rows, done.rejected), (3000, 0));
    assert_eq!(import(&fixture, &file).await.0.changed, 0);
    assert_eq!(fixture.invariants().await, []);
}
