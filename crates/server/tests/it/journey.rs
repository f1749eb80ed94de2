//! The main job on real input: the grocery baskets of the Complete Journey study, imported, reported, proven
//! (CAT-3, SAL-11, REP-1, SAL-12).

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use serde_json::Value;
use testkit::Client;

use crate::support::{Home, Ran, Server, number, target_dir, text};

/// Where the study is; `None`, with a word why, on a machine without it.
pub fn study() -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/complete-journey");
    let dir = std::env::var_os("MARKETHALL_DATA_SET").map_or(beside, PathBuf::from);
    if dir.join("products.csv.gz").exists() {
        return Some(dir);
    }
    println!("skipped: there is no data set in {}; set MARKETHALL_DATA_SET to its folder", dir.display());
    None
}

/// Runs the project's own converter; built when it is not there yet.
fn bench(args: &[&str]) {
    let built = target_dir().join("debug/bench");
    let mut command = if built.exists() {
        Command::new(built)
    } else {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(["run", "--quiet", "--package", "bench", "--"]).current_dir(env!("CARGO_MANIFEST_DIR"));
        cargo
    };
    Ran::of(command.args(args)).exits(0);
}

pub fn tenant(home: &Home, slug: &str) {
    let mail = format!("admin@{slug}.example");
    let args = [
        "tenant",
        "create",
        slug,
        "--name",
        slug,
        "--tier",
        "standard",
        "--currency",
        "USD",
        "--admin-email",
        &mail,
    ];
    home.run(&args).exits(0);
}

pub fn import(home: &Home, kind: &str, slug: &str, file: &Path) -> Ran {
    home.run(&["import", kind, "--tenant", slug, file.to_str().unwrap(), "--json"])
}

/// All groups of a sales report over the whole study and until long after, by what `key` makes of each.
pub async fn report(
    client: &Client,
    group_by: &str,
    key: impl Fn(&Value) -> String,
) -> BTreeMap<String, i64> {
    let (mut found, mut cursor) = (BTreeMap::new(), String::new());
    loop {
        let path = format!("/reports/sales?from=2016-01-01&to=2100-01-01&groupBy={group_by}{cursor}");
        let page = client.get(&path).await.is(200).json;
        for group in page["items"].as_array().unwrap() {
            let again = found.insert(key(group), number(group, "/gross/amount"));
            assert!(again.is_none(), "{group}");
        }
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

fn totals(value: &Value, name: &str) -> BTreeMap<String, i64> {
    let sums = value[name].as_object().unwrap();
    sums.iter().map(|(key, sum)| (key.clone(), sum.as_i64().unwrap())).collect()
}

// SAL-11, CAT-3, REP-1, SAL-12
#[tokio::test(flavor = "multi_thread")]
async fn half_a_year_of_real_baskets_is_imported_and_reported_to_the_cent() {
    let Some(study) = study() else { return };
    let home = Home::furnished();
    let out = home.path().join("journey");
    let file = |name: &str| study.join(name).to_str().unwrap().to_owned();
    let (products, lines) = (file("products.csv.gz"), file("transactions-first-half.csv.gz"));
    bench(&["convert", "--products", &products, "--transactions", &lines, "--out", out.to_str().unwrap()]);
    let wanted: Value = serde_json::from_str(&fs::read_to_string(out.join("totals.json")).unwrap()).unwrap();
    tenant(&home, "journey");

    let begun = Instant::now();
    let taken = import(&home, "products", "journey", &out.join("products.csv")).exits(0).json();
    println!("products in {} ms: {taken}", begun.elapsed().as_millis());
    let begun = Instant::now();
    let taken = import(&home, "sales", "journey", &out.join("sales.csv")).exits(0).json();
    println!("sales in {} ms: {taken}", begun.elapsed().as_millis());
    assert_eq!((&taken["lines"], &taken["sales"]), (&wanted["lines"], &wanted["sales"]));
    assert_eq!(number(&taken, "/rejected"), 0);

    let token = home.token(Some("journey"), &["*"]);
    let server = Server::start(&home);
    let client = server.member("journey", &token);
    let before = figures(&client, &wanted).await;
    // The same files again, beside the running server.
    let again = import(&home, "products", "journey", &out.join("products.csv")).exits(0).json();
    assert_eq!((&again["created"], &again["updated"]), (&0.into(), &0.into()), "{again}");
    let again = import(&home, "sales", "journey", &out.join("sales.csv")).exits(0).json();
    assert_eq!((number(&again, "/sales"), &again["unchanged"]), (0, &wanted["sales"]), "{again}");
    assert_eq!(figures(&client, &wanted).await, before);
    home.assert_checks();
    server.stop();
}

/// Shops are shown as their code and their name.
fn shop_code(group: &Value) -> String {
    text(group, "/name").split_whitespace().next().unwrap().to_owned()
}

/// The reports, compared with the sums of the raw file.
async fn figures(client: &Client, wanted: &Value) -> [BTreeMap<String, i64>; 3] {
    let key = |group: &Value| text(group, "/key");
    let months = report(client, "month", key).await;
    let shops = report(client, "shop", shop_code).await;
    let departments = report(client, "category&depth=1", key).await;
    // A category, shop or month of free things alone may be reported or not.
    let paid = |sums: &BTreeMap<String, i64>| -> BTreeMap<String, i64> {
        sums.iter().filter(|(_, sum)| **sum != 0).map(|(key, sum)| (key.clone(), *sum)).collect()
    };
    assert_eq!(paid(&months), paid(&totals(wanted, "byMonth")));
    assert_eq!(paid(&shops), paid(&totals(wanted, "byShop")));
    assert_eq!(paid(&departments), paid(&totals(wanted, "byDepartment")));
    assert_eq!(months.values().sum::<i64>(), number(wanted, "/total"));
    [months, shops, departments]
}

/// Lines of a rejects file by number.
fn rejected_lines(path: &Path) -> Vec<u64> {
    let text = fs::read_to_string(path).unwrap();
    let mut lines: Vec<u64> = text
        .lines()
        .skip(1)
        .map(|row| row.split(',').next().unwrap().parse().unwrap_or_else(|_| panic!("no line number: {row}")))
        .collect();
    lines.sort_unstable();
    lines.dedup();
    lines
}

fn manifest_lines(manifest: &Value, names: &[&str]) -> Vec<u64> {
    let mut lines: Vec<u64> = names
        .iter()
        .flat_map(|name| manifest[*name].as_array().unwrap())
        .map(|row| row["line"].as_u64().unwrap())
        .collect();
    lines.sort_unstable();
    lines
}

// SAL-11, CAT-3: bad UTF-8, missing columns, absurd numbers, duplicate ids, formulas, a line of 100 MB.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_with_every_kind_of_broken_row_gives_its_good_rows_and_names_the_others() {
    let home = Home::furnished();
    tenant(&home, "journey");
    let mut manifests = Vec::new();
    for kind in ["products", "sales"] {
        let file = home.path().join(format!("{kind}.csv"));
        bench(&["broken", "--kind", kind, "--out", file.to_str().unwrap()]);
        let manifest = home.path().join(format!("{kind}.csv.manifest.json"));
        let manifest: Value = serde_json::from_str(&fs::read_to_string(manifest).unwrap()).unwrap();
        for _ in 0..2 {
            let rejects = home.path().join(format!("{kind}.rejects.csv"));
            let args = [
                "import",
                kind,
                "--tenant",
                "journey",
                file.to_str().unwrap(),
                "--rejects",
                rejects.to_str().unwrap(),
            ];
            home.run(&args).exits(1);
            let wanted = manifest_lines(&manifest, &["bad", "repeated"]);
            let found = rejected_lines(&rejects);
            let repeated = manifest_lines(&manifest, &["repeated"]);
            let missing: Vec<_> = wanted.iter().filter(|line| !found.contains(line)).collect();
            let extra: Vec<_> = found.iter().filter(|line| !wanted.contains(line)).collect();
            assert!(
                missing.is_empty() && extra.is_empty(),
                "{kind}: missing {missing:?}, extra {extra:?}, repeated {repeated:?}"
            );
            let size = fs::metadata(&rejects).unwrap().len();
            assert!(size < 100_000, "a report of {size} bytes");
        }
        manifests.push(manifest);
    }
    let token = home.token(Some("journey"), &["*"]);
    let server = Server::start(&home);
    let client = server.member("journey", &token);
    for sku in manifests[0]["good"].as_array().unwrap() {
        client.get(&format!("/products/sku/{}", sku.as_str().unwrap())).await.is(200);
    }
    let good = manifests[1]["good"].as_array().unwrap().len();
    let sales = client.get("/sales?limit=200").await.is(200).json;
    let sales = sales["items"].as_array().unwrap();
    assert_eq!(sales.len(), good, "each good sale once, no half one");
    assert!(sales.iter().all(|sale| sale["lines"].as_array().unwrap().len() == 2));
    home.assert_checks();
    server.stop();
}
