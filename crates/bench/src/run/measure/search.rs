//! Real products: how fast they come in, and how fast they are found.

use std::{path::Path, time::Instant};

use anyhow::{Context, Result};

use crate::{
    convert,
    load::{Get, Work},
    run::{
        Bench,
        client::Session,
        table::{Row, Wanted},
    },
};

use super::get;

const TENANT: &str = "journey";
const CONNECTIONS: usize = 8;
const RATE: f64 = 50.0;

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
    measure(bench, &session, "list products, p95", lists, 10.0, "pages of 50")
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
    fn searches_are_words_as_people_type_them() -> Result<()> {
        let file = tempfile::NamedTempFile::new()?;
        let rows: String = (0..1200).map(|number| format!("{number},CRUSHED ICE - CUBED 22 LB\n")).collect();
        std::fs::write(file.path(), format!("sku,name\n{rows}"))?;
        assert_eq!(words(file.path())?, ["CRUSHED", "CRUSHED CUBED", "CRU", "CURSHED"]);
        assert_eq!(search_path("a b"), "/api/v1/products?search=a%20b&limit=20");
        Ok(())
    }
}
