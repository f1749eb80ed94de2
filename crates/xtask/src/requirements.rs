//! `docs/requirements.md`: one row for each id of the specification, and no claim without its proof.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result, bail};

use crate::shell;

/// Every id of the specification: a prefix, and how many there are of it.
const IDS: [(&str, u32); 22] = [
    ("ADV", 1),
    ("CAT", 4),
    ("CHK", 3),
    ("CHT", 3),
    ("CRT", 1),
    ("CUS", 1),
    ("DPR", 6),
    ("HTTP", 14),
    ("IDN", 9),
    ("INV", 3),
    ("MSG", 6),
    ("OBS", 5),
    ("OPS", 5),
    ("ORD", 2),
    ("PAY", 3),
    ("PLT", 16),
    ("REP", 5),
    ("RES", 6),
    ("SAL", 12),
    ("SVC", 4),
    ("TKT", 6),
    ("WEB", 1),
];

const PAGE: &str = "docs/requirements.md";
const HEADER: &str = "| id | what | implemented in | shown by | state |";

/// Checks the page against the ids and the files it names.
///
/// # Errors
/// Names each id without a row, each row without an id, each proof that is not there.
pub(crate) fn requirements() -> Result<()> {
    let root = shell::root()?;
    let page = fs::read_to_string(root.join(PAGE)).with_context(|| format!("cannot read {PAGE}"))?;
    let problems = problems(&page, &root)?;
    if problems.is_empty() {
        let done = page.lines().filter(|line| line.ends_with("| done |")).count();
        println!("requirements: {} ids, {done} done", ids().count());
        return Ok(());
    }
    for problem in &problems {
        eprintln!("{PAGE}: {problem}");
    }
    bail!("requirements: {} problems", problems.len())
}

fn ids() -> impl Iterator<Item = String> {
    IDS.iter().flat_map(|(prefix, count)| (1..=*count).map(move |number| format!("{prefix}-{number}")))
}

/// One row of the table.
struct Row<'a> {
    what: &'a str,
    code: &'a str,
    test: &'a str,
    state: &'a str,
}

fn problems(page: &str, root: &Path) -> Result<Vec<String>> {
    let (_, table) = page.split_once(HEADER).with_context(|| format!("{PAGE} has no table `{HEADER}`"))?;
    let mut rows = BTreeMap::new();
    let mut problems = Vec::new();
    for line in table.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [id, what, code, test, state] = cells[..] else {
            problems.push(format!("not five cells: {line}"));
            continue;
        };
        if rows.insert(id.to_owned(), Row { what, code, test, state }).is_some() {
            problems.push(format!("{id} has two rows"));
        }
    }
    for id in ids() {
        match rows.remove(&id) {
            Some(row) => problems.extend(row_problem(&id, &row, root)),
            None => problems.push(format!("{id} has no row")),
        }
    }
    problems.extend(rows.into_keys().map(|id| format!("{id} is no id of the specification")));
    Ok(problems)
}

fn row_problem(id: &str, row: &Row<'_>, root: &Path) -> Option<String> {
    if row.what.is_empty() {
        return Some(format!("{id} says nothing about what it is"));
    }
    match row.state {
        "not yet" => return None,
        "done" | "partly" => {}
        other => return Some(format!("{id}: state {other:?}, not done, partly or not yet")),
    }
    let (code, tests) = (paths(row.code), paths(row.test));
    if code.is_empty() || tests.is_empty() {
        return Some(format!("{id} is {} but names no code or no test (as `path`)", row.state));
    }
    if let Some(missing) = code.iter().chain(&tests).find(|path| !root.join(path).exists()) {
        return Some(format!("{id} names {missing}, which is not there"));
    }
    let silent = tests.iter().find(|path| !carries(root, path, id))?;
    Some(format!("{id} names {silent}, which does not carry the id"))
}

/// What stands in backticks.
fn paths(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// Whether the file has `id` as a whole word: SAL-1 is not shown by SAL-11.
fn carries(root: &Path, path: &str, id: &str) -> bool {
    let Ok(text) = fs::read_to_string(root.join(path)) else {
        return false;
    };
    text.match_indices(id).any(|(at, _)| {
        let next = text[at + id.len()..].chars().next();
        let before = text[..at].chars().next_back();
        !next.is_some_and(|c| c.is_ascii_digit()) && !before.is_some_and(|c| c.is_ascii_alphanumeric())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(change: impl Fn(&str) -> String) -> String {
        let rows: String = ids().map(|id| change(&id)).collect();
        format!("# Requirements\n\n{HEADER}\n|---|---|---|---|---|\n{rows}")
    }

    fn not_yet(id: &str) -> String {
        format!("| {id} | words | | | not yet |\n")
    }

    fn found(row: &str) -> Result<Vec<String>> {
        let root = tempfile::tempdir()?;
        fs::write(root.path().join("code.rs"), "")?;
        fs::write(root.path().join("test.rs"), "// SAL-11\n")?;
        let page =
            page(|id| if row.starts_with(&format!("| {id} |")) { format!("{row}\n") } else { not_yet(id) });
        problems(&page, root.path())
    }

    #[test]
    fn there_are_116_ids() {
        assert_eq!(ids().count(), 116);
    }

    #[test]
    fn a_page_with_one_row_each_is_fine() -> Result<()> {
        assert!(found("| SAL-11 | words | `code.rs` | `test.rs` | done |")?.is_empty());
        Ok(())
    }

    #[test]
    fn a_claim_without_its_proof_is_found() -> Result<()> {
        for row in [
            "| SAL-11 | words | | `test.rs` | done |",
            "| SAL-11 | words | `code.rs` | | done |",
            "| SAL-11 | words | `code.rs` | `gone.rs` | done |",
            "| SAL-11 | words | `code.rs` | `code.rs` | done |",
            "| SAL-1 | words | `code.rs` | `test.rs` | done |",
            "| SAL-11 | words | `code.rs` | `test.rs` | nearly |",
            "| SAL-11 |  | | | not yet |",
        ] {
            assert_eq!(found(row)?.len(), 1, "{row}");
        }
        Ok(())
    }

    #[test]
    fn a_missing_a_double_and_an_unknown_row_are_found() -> Result<()> {
        let root = Path::new("/nowhere");
        let without = page(|id| if id == "CAT-2" { String::new() } else { not_yet(id) });
        assert_eq!(problems(&without, root)?, ["CAT-2 has no row"]);
        let twice = page(|id| not_yet(id).repeat(if id == "CAT-2" { 2 } else { 1 }));
        assert_eq!(problems(&twice, root)?, ["CAT-2 has two rows"]);
        let more = page(not_yet) + "| CAT-99 | words | | | not yet |\n";
        assert_eq!(problems(&more, root)?, ["CAT-99 is no id of the specification"]);
        Ok(())
    }
}
