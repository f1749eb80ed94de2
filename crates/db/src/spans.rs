//! Statements in traces (OBS-2): by what they do to which table and the plan id of the slow log, never with a parameter.

use std::{
    collections::HashMap,
    sync::{LazyLock, PoisonError, RwLock},
};

use kernel::{Ctx, TraceParent};
use traces::{Kind, Span};

use crate::{DbError, slow::plan_id};

/// Statements whose names are kept; a program has some hundreds.
const MOST_NAMED: usize = 10_000;

/// What a statement is called.
struct Name {
    /// `insert things.part`.
    summary: &'static str,
    /// `insert`.
    operation: &'static str,
    plan: &'static str,
}

/// Beyond what is kept.
static UNNAMED: Name = Name { summary: "statement", operation: "other", plan: "" };

/// The span of a statement in the trace of its context.
pub(crate) fn of(sql: &'static str, ctx: &Ctx) -> Vec<Span> {
    let Some(trace) = &ctx.caller.trace else { return Vec::new() };
    let mut span = begin(trace, name(sql));
    span.set("db.namespace", ctx.tenant.placement.database.to_string());
    vec![span]
}

/// The spans of several statements in one pipeline, one in each trace; the first statement stands for all.
pub(crate) fn of_batch(
    traces: &[TraceParent],
    mut statements: impl Iterator<Item = &'static str>,
) -> Vec<Span> {
    let Some(first) = statements.next() else { return Vec::new() };
    let (name, count) = (name(first), 1 + statements.count());
    let mut spans: Vec<Span> = traces.iter().map(|trace| begin(trace, name)).collect();
    for span in &mut spans {
        if count > 1 {
            span.set("db.operation.batch.size", count);
        }
        span.set("markethall.batch.requests", traces.len());
    }
    spans
}

/// The traces of the requests in a batch; none while nothing is traced.
pub(crate) fn waiting<'a>(requests: impl Iterator<Item = &'a Ctx>) -> Vec<TraceParent> {
    if !traces::is_on() {
        return Vec::new();
    }
    let mut traces: Vec<TraceParent> = requests.filter_map(|ctx| ctx.caller.trace.clone()).collect();
    // Requests of one import come one after the other.
    traces.dedup();
    traces
}

/// A rule that has refused something has done its work: that is no failure.
pub(crate) fn fail(span: &mut Span, error: &DbError) {
    match error {
        DbError::Unavailable(_) => span.fail("unavailable"),
        DbError::Forbidden(_) => span.fail("forbidden"),
        DbError::Other(_) => span.fail("other"),
        DbError::Conflict(_) => span.set("markethall.db.refused", "conflict"),
        DbError::Unique { .. } => span.set("markethall.db.refused", "unique"),
        DbError::Check { .. } => span.set("markethall.db.refused", "check"),
    }
}

fn begin(trace: &TraceParent, name: &'static Name) -> Span {
    let mut span = Span::child(Some(trace), Kind::Client, || name.summary.into());
    span.set("db.system.name", "postgresql");
    span.set("db.operation.name", name.operation);
    span.set("db.query.summary", name.summary);
    span.set("markethall.plan", name.plan);
    span
}

/// The name of a statement, made once and kept as long as its text, which is part of the program.
fn name(sql: &'static str) -> &'static Name {
    static NAMES: LazyLock<RwLock<HashMap<(usize, usize), &'static Name>>> = LazyLock::new(RwLock::default);
    let key = (sql.as_ptr().addr(), sql.len());
    if let Some(known) = NAMES.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
        return known;
    }
    let mut names = NAMES.write().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = names.get(&key) {
        return known;
    }
    if names.len() >= MOST_NAMED {
        return &UNNAMED;
    }
    let (summary, operation) = summary(sql);
    let (summary, plan) = (summary.leak(), plan_id(sql).leak());
    let name: &'static Name = Box::leak(Box::new(Name { summary, operation, plan }));
    names.insert(key, name);
    name
}

/// What a statement does, and to which table: of one with several parts, the first that writes.
fn summary(sql: &str) -> (String, &'static str) {
    let code = sql.lines().map(|line| line.split("--").next().unwrap_or("")).collect::<Vec<_>>().join(" ");
    let words: Vec<&str> = code.split(|letter: char| letter.is_whitespace() || letter == '(').collect();
    let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    let mut reads = None;
    for (place, word) in words.iter().enumerate() {
        let before = place.checked_sub(1).and_then(|place| words.get(place)).copied().unwrap_or("");
        let target = table(words.get(place + 1).copied().unwrap_or(""));
        match (*word, target) {
            ("into", Some(target)) if before == "insert" => return (format!("insert {target}"), "insert"),
            ("from", Some(target)) if before == "delete" => return (format!("delete {target}"), "delete"),
            ("update", Some(target)) => return (format!("update {target}"), "update"),
            ("from" | "join", Some(target)) => reads = reads.or(Some(target)),
            _ => {}
        }
    }
    match (reads, words.first().copied()) {
        (Some(target), _) => (format!("select {target}"), "select"),
        (None, Some("commit" | "commit;")) => ("commit".to_owned(), "commit"),
        (None, Some("select" | "with")) => ("select".to_owned(), "select"),
        _ => ("statement".to_owned(), "other"),
    }
}

/// A table with its schema; other words behind `from` are names inside the statement.
fn table(word: &str) -> Option<&str> {
    let word = word.trim_end_matches([',', ';', ')']);
    let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
    let (schema, name) = word.split_once('.')?;
    (!schema.is_empty() && !name.is_empty() && word.chars().all(|letter| letter == '.' || plain(letter)))
        .then_some(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    // OBS-2
    #[test]
    fn a_statement_is_named_by_what_it_does_to_which_table() {
        for (sql, summary_is) in [
            ("select a, b from things.part as p where p.id = $1", "select things.part"),
            ("-- Writes.\ninsert into things.part (a)\nvalues ($1)", "insert things.part"),
            ("update x.y set a = 1", "update x.y"),
            ("delete from things.part as d where d.seq = $1", "delete things.part"),
            (
                "with due as (select id from a.b for update of b), x as (update a.c set d = 1) select 1",
                "update a.c",
            ),
            ("with gone as (delete from a.b returning id) insert into c.d select id from gone", "delete a.b"),
            ("select set_config('app.tenant_id', $1, true)", "select"),
            ("select exists (select from a.b) as there", "select a.b"),
            ("commit", "commit"),
            ("begin", "statement"),
        ] {
            assert_eq!(summary(sql).0, summary_is, "{sql}");
        }
        let text = "commit";
        assert!(std::ptr::eq(name(text), name(text)), "made once");
    }
}
