//! Real products: how fast they come in, and how fast they are found.

use std::{path::Path, time::Instant};

use anyhow::{Context, Result};

use crate::{
    convert,
    load::{Get, Work},
    run::{
        Bench,
        client::Session,
        generator::generate,
        table::{Row, Wanted},
    },
};

use super::get;

const TENANT: &str = "journey";
const CONNECTIONS: usize = 8;
const RATE: f64 = 50.0;
/// Looks at products, and how many per second.
const LOOKS: usize = 200_000;
const LOOK_RATE: f64 = 5_000.0;

/// Imports the Complete Journey study, then searches its products.
pub(in crate::run) fn search(bench: &mut Bench) -> Result<()> {
    bench.open()?;
    let files = bench.home.join("journey");
    let (products, lines) =
        convert::study(&bench.data, &files).context("give the study's folder by --data")?;
    bench.market.tell(&[
        "tenant",
        "create",
        TENANT,
        "--name",
        TENANT,
        "--tier",
        "standard",
        "--currency",
        "USD",
        "--admin-email",
        "admin@journey.example",
    ])?;
    let seconds = import(bench, "products", &files.join("products.csv"))?;
    let row = Row::new("import products", "s", vec![seconds]).wanted(Wanted::AtMost(30.0));
    bench.add(row.note(format!("{products} products")));
    let seconds = import(bench, "sales", &files.join("sales.csv"))?;
    let row = Row::new("import sales", "s", vec![seconds]).wanted(Wanted::AtMost(60.0));
    bench.add(row.note(format!("{lines} lines")));
    bench.market.tell(&["check", "--tenant", TENANT]).context("the imported books are not in order")?;

    let session = bench.market.session(TENANT)?;
    let words = words(&files.join("products.csv"))?;
    let count = words.len();
    let searches = words.iter().map(|text| search_path(text)).collect();
    measure(bench, &session, "search products, p95", searches, 20.0, &format!("{count} searches"))?;
    let lists = ["?limit=50", "?limit=50&sort=price", "?limit=50&category=GROCERY"];
    let lists = lists.iter().map(|query| format!("/api/v1/products{query}")).collect();
    measure(bench, &session, "list products, p95", lists, 10.0, "pages of 50")?;
    hits(bench, &session, &skus(&files.join("products.csv"))?)
}

/// Products as shoppers look at them: few often, many seldom. The first half of the looks fills the memory.
fn hits(bench: &mut Bench, session: &Session, skus: &[String]) -> Result<()> {
    let paths = zipf(skus.len(), LOOKS).into_iter().map(|at| format!("/api/v1/products/sku/{}", skus[at]));
    let mut first: Vec<Get> = paths.map(|path| get(path, session.headers())).collect();
    let second = first.split_off(LOOKS / 2);
    let looks = second.len() as f64;
    let counted = |bench: &Bench| {
        let of = |series: &str| bench.market.counted(&format!("markethall_catalog_cache_{series}"));
        anyhow::Ok([
            of("hits_total{kind=\"product\",level=\"memory\"}")?,
            of("misses_total{kind=\"product\"}")?,
        ])
    };
    let look = |gets| {
        let mut plan = bench.plan(CONNECTIONS, Some(LOOK_RATE), Work::Get(gets))?;
        // As long as the list lasts once.
        (plan.warmup_ms, plan.duration_ms) = (0, (looks / LOOK_RATE * 1000.0) as u64);
        generate(&plan)?;
        counted(bench)
    };
    let (before, after) = (look(first)?, look(second)?);
    let [hits, misses] = [after[0] - before[0], after[1] - before[1]];
    let share = hits / (hits + misses).max(1.0) * 100.0;
    let note = format!("of {looks:.0} looks at {} products by Zipf's law, after as many", skus.len());
    bench
        .add(Row::new("products found in memory", "%", vec![share]).wanted(Wanted::AtLeast(80.0)).note(note));
    Ok(())
}

/// Places in a list of `count`, the first twice as likely as the second, three times as likely as the third.
fn zipf(count: usize, wanted: usize) -> Vec<usize> {
    let mut sums = Vec::with_capacity(count);
    let mut sum = 0.0;
    for rank in 1..=count {
        sum += 1.0 / rank as f64;
        sums.push(sum);
    }
    let mut state = 7_u64;
    (0..wanted)
        .map(|_| {
            // A linear congruential generator (Knuth, MMIX), the same in every run.
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let chance = (state >> 11) as f64 / (1_u64 << 53) as f64 * sum;
            sums.partition_point(|sum| *sum < chance).min(count - 1)
        })
        .collect()
}

fn skus(file: &Path) -> Result<Vec<String>> {
    let mut reader = csv::Reader::from_path(file)?;
    reader.records().map(|row| Ok(row?[0].to_owned())).collect()
}

fn import(bench: &Bench, kind: &str, file: &Path) -> Result<f64> {
    let begin = Instant::now();
    bench.market.tell(&["import", kind, "--tenant", TENANT, &file.to_string_lossy()])?;
    Ok(begin.elapsed().as_secs_f64())
}

fn measure(
    bench: &mut Bench,
    session: &Session,
    name: &str,
    paths: Vec<String>,
    bound: f64,
    note: &str,
) -> Result<()> {
    let gets: Vec<Get> = paths.into_iter().map(|path| get(path, session.headers())).collect();
    let plan = bench.plan(CONNECTIONS, Some(RATE), Work::Get(gets))?;
    let rounds = bench.rounds(&plan)?;
    let row = Row::new(name, "ms", rounds.p95()).wanted(Wanted::AtMost(bound));
    bench.add(row.note(format!("{note}, constant {RATE:.0}/s")));
    Ok(())
}

/// What people type: words and pairs of words out of names, beginnings of words, and typing errors.
fn words(file: &Path) -> Result<Vec<String>> {
    let mut reader = csv::Reader::from_path(file)?;
    let mut words = Vec::new();
    for (at, row) in reader.records().enumerate() {
        let row = row?;
        if at % 300 != 0 {
            continue;
        }
        let name: Vec<&str> =
            row[1].split(|c: char| !c.is_ascii_alphabetic()).filter(|word| word.len() > 3).collect();
        let Some(first) = name.first() else { continue };
        words.push(match (at / 300) % 4 {
            0 => (*first).to_owned(),
            1 => name.iter().take(2).copied().collect::<Vec<_>>().join(" "),
            2 => first[..3].to_owned(),
            _ => misspelt(first),
        });
    }
    Ok(words)
}

/// Two letters changed places.
fn misspelt(word: &str) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    letters.swap(1, 2);
    letters.into_iter().collect()
}

fn search_path(text: &str) -> String {
    format!("/api/v1/products?search={}&limit=20", text.replace(' ', "%20"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_looked_at_follows_zipfs_law() {
        let looks = zipf(1_000, 100_000);
        let count = |place: usize| looks.iter().filter(|at| **at == place).count() as f64;
        assert!((1.8..2.2).contains(&(count(0) / count(1))), "{} {}", count(0), count(1));
        assert!((2.7..3.3).contains(&(count(0) / count(2))), "{} {}", count(0), count(2));
        assert!(looks.iter().all(|at| *at < 1_000));
    }

    #[test]
    fn searches_are_words_as_people_type_them() -> Result<()> {
        let file = tempfile::NamedTempFile::new()?;
        let rows: String = (0..1200).map(|number| format!("{number},CRUSHED ICE - CUBED 22 LB\n")).collect();
        std::fs::write(file.path(), format!("sku,name\n{rows}"))?;
        assert_eq!(words(file.path())?, ["CRUSHED", "CRUSHED CUBED", "CRU", "CURSHED"]);
        assert_eq!(search_path("a b"), "/api/v1/products?search=a%20b&limit=20");
        Ok(())
    }
}
