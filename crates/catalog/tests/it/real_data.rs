//! The 92,331 real products of the issue, in a database shared with other merchants.
//!
//! Times are printed, not asserted: tests share the machine with other tests. `make bench` measures what is promised.

use std::{
    fs::File,
    io::Write as _,
    path::PathBuf,
    time::{Duration, Instant},
};

use csvio::{Columns, Entry, Reader};

use crate::fixture::{Market, skus};

/// The folder of the data set, or `None` with a word about it.
pub(crate) fn data_set() -> Option<PathBuf> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let root = std::env::var_os("MARKETHALL_DATA_SET").map_or_else(beside, PathBuf::from);
    let folder =
        [root.join("complete-journey"), root].into_iter().find(|path| path.join("products.csv.gz").exists());
    if folder.is_none() {
        eprintln!("skipped: no data set; set MARKETHALL_DATA_SET to the folder that holds complete-journey");
    }
    folder
}

/// The products as a file of ours: names from type and size, categories from department and category.
pub(crate) fn products(folder: &std::path::Path) -> Vec<u8> {
    const COLUMNS: Columns = Columns {
        required: &["product_id", "department", "brand", "product_category", "product_type", "package_size"],
        optional: &["manufacturer_id"],
    };
    let source = csvio::open(File::open(folder.join("products.csv.gz")).unwrap()).unwrap();
    let mut reader = Reader::new(source, &COLUMNS).unwrap();
    let mut file = csvio::Writer::new(Vec::new());
    file.header(&["sku", "name", "category", "price", "attributes"]).unwrap();
    let columns = COLUMNS.required.iter().map(|name| reader.column(name).unwrap()).collect::<Vec<_>>();
    while let Some(entry) = reader.next_entry().unwrap() {
        let Entry::Row(row) = entry else { panic!("{entry:?}") };
        let [id, department, brand, category, kind, size] =
            [0, 1, 2, 3, 4, 5].map(|n| row.raw(columns[n]).trim());
        let what = [kind, category, department].into_iter().find(|text| !text.is_empty()).unwrap_or(id);
        let path: Vec<String> = [department, category]
            .iter()
            .filter(|level| !level.is_empty())
            .map(|level| level.replace('/', "-"))
            .collect();
        file.plain(id).unwrap();
        file.text(format!("{what} {size}").trim()).unwrap();
        file.text(&path.join("/")).unwrap();
        file.plain(&format!("{}.99", id.len() + size.len())).unwrap();
        file.text(&format!("{{\"brand\":\"{brand}\"}}")).unwrap();
        file.end_row().unwrap();
    }
    file.into_inner()
}

/// The time that 95 of 100 stay below, with the slowest.
fn p95(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort_unstable();
    (times[times.len() * 95 / 100], *times.last().unwrap())
}

async fn time_all(market: &Market, paths: impl IntoIterator<Item = String>) -> (Duration, Duration) {
    let mut times = Vec::new();
    for path in paths {
        let start = Instant::now();
        market.clerk.get(&path).await.is(200);
        times.push(start.elapsed());
    }
    p95(times)
}

// CAT-2, CAT-3
#[tokio::test(flavor = "multi_thread")]
async fn the_real_catalog_is_imported_searched_and_listed() {
    let Some(folder) = data_set() else { return };
    let market = Market::new().await;
    let file = products(&folder);
    neighbours(&market, &file).await;
    let start = Instant::now();
    let (done, report) = market.import(&file).await;
    let import = start.elapsed();
    assert_eq!((done.created, done.rejected), (92_331, 0), "{report}");
    let start = Instant::now();
    let (again, _) = market.import(&file).await;
    let again_in = start.elapsed();
    assert_eq!((again.unchanged, again.created + again.updated), (92_331, 0));
    market.check().await;
    // What autovacuum does a minute after an import.
    market
        .site
        .databases
        .look()
        .await
        .unwrap()
        .batch_execute("analyze catalog.product, catalog.term")
        .await
        .unwrap();

    let mut report = format!("import {import:?}, again {again_in:?}");
    for (what, paths) in queries() {
        let (p95, slowest) = time_all(&market, paths).await;
        report.push_str(&format!("\n{what}: p95 {p95:?}, slowest {slowest:?}"));
    }
    let start = Instant::now();
    let exported = market.export(&market.ctx()).await;
    report.push_str(&format!("\nexport {:?}", start.elapsed()));
    let (same, _) = market.import(&exported).await;
    assert_eq!((same.unchanged, same.rejected), (92_331, 0));
    writeln!(std::io::stderr(), "{report}").unwrap();
}

/// Merchants with ten thousand of the products each, so that the database is a shared one.
async fn neighbours(market: &Market, file: &[u8]) {
    let lines: Vec<&[u8]> = file.split_inclusive(|byte| *byte == b'\n').take(10_001).collect();
    for slug in ["bolt", "corn", "dill"] {
        let (tenant, _) = market.add_merchant(slug).await;
        let (done, _) = market.import_as(&market.site.ctx(&tenant), &lines.concat()).await;
        assert_eq!(done.created, 10_000);
    }
}

pub(crate) const WORDS: &str = "soup,chocolate,bread,dog food,frozen pizza,milk,yogurt,shampoo,orange juice,cheddar cheese,\
    greeting cards,candy bars,baby food,toothpaste,red wine,potato chips,peanut butter,ice cream,paper towels,\
    olive oil,tomato sauce,ground beef,chicken,hair color,light bulbs,cat litter,coffee,tea bags,cookies,crackers,\
    salad dressing,apple,lipstick,magazine,batteries,soft drinks 12 oz,cereal,pasta,rice,beans";
const MISTYPED: &str = "choclate,yoghurt,shampo,chedder,mlik,bred,peanutt buter,spagetti,tomatoe,crakers,cofee,\
    potatoe chps,toothpast,lipstik,bateries,cerial,orang juce,fozen pizza,cooky";

/// What is measured, and the calls.
fn queries() -> Vec<(&'static str, Vec<String>)> {
    let words: Vec<&str> = WORDS.split(',').collect();
    let mistyped: Vec<&str> = MISTYPED.split(',').collect();
    let encode = |text: &&str| text.replace(' ', "%20");
    let search =
        |list: &[&str]| list.iter().map(|w| format!("/products?search={}", encode(w))).collect::<Vec<_>>();
    let repeated = |list: Vec<String>| list.iter().cycle().take(list.len() * 5).cloned().collect::<Vec<_>>();
    let beginnings: Vec<String> =
        words.iter().map(|word| format!("/products?search={}", &word[..3])).collect();
    let codes = ["25671", "1075313", "995211", "10", "99"].map(|code| format!("/products?search={code}"));
    let sorts = ["name", "-name", "price", "-price", "updatedAt", "-updatedAt", "sku"];
    let pages = sorts.map(|sort| format!("/products?sort={sort}"));
    let categories = ["GROCERY", "DRUG GM", "PRODUCE", "GROCERY/SOUP", "FLORAL", "DELI/CHEESES"];
    let in_categories: Vec<String> = categories
        .iter()
        .flat_map(|category| {
            let category = encode(category);
            ["name", "price", "-updatedAt"]
                .map(move |sort| format!("/products?category={category}&sort={sort}"))
        })
        .collect();
    vec![
        ("search", repeated(search(&words))),
        ("search, mistyped", repeated(search(&mistyped))),
        ("search, beginnings", repeated(beginnings)),
        ("search, codes", repeated(codes.to_vec())),
        (
            "search by price",
            repeated(search(&words).iter().map(|path| format!("{path}&sort=price")).collect()),
        ),
        ("search with facets", search(&words).iter().map(|path| format!("{path}&facets=true")).collect()),
        ("list page", repeated(pages.to_vec())),
        ("list page in a category", repeated(in_categories)),
        ("categories", vec!["/categories".to_owned(); 20]),
    ]
}

// CAT-3: a page deep in the list costs what the first costs.
#[tokio::test(flavor = "multi_thread")]
async fn deep_pages_cost_what_the_first_costs() {
    let Some(folder) = data_set() else { return };
    let market = Market::new().await;
    market.import(&products(&folder)).await;
    let (mut cursor, mut times, mut seen) = (String::new(), Vec::new(), 0);
    loop {
        let start = Instant::now();
        let page = market.clerk.get(&format!("/products?limit=200&sort=name{cursor}")).await.is(200);
        times.push(start.elapsed());
        seen += skus(&page.json).len();
        let Some(next) = page.json["nextCursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen, 92_331);
    let (first, last) = (p95(times[..100].to_vec()).0, p95(times[times.len() - 100..].to_vec()).0);
    writeln!(std::io::stderr(), "pages of 200: first {first:?}, last {last:?}").unwrap();
}
