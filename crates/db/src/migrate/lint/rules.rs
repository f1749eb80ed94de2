//! The rules, one function per kind of statement.

use std::collections::BTreeSet;

use super::{
    Finding,
    scan::{Statement, name_at, skip, starts},
};

/// What the rules need to know about the step around a statement.
pub(super) struct Step<'a> {
    pub(super) earlier_tables: &'a BTreeSet<String>,
    pub(super) no_transaction: bool,
    pub(super) contract: bool,
}

impl Step<'_> {
    fn is_earlier(&self, table: &str) -> bool {
        self.earlier_tables.contains(table)
    }
}

/// Rules by how a statement begins: name, beginning, advice.
const NEVER: &[(&str, &str, &str)] = &[
    ("lock_table", "lock", "explicit table locks stop all traffic; lock rows, or change the design"),
    ("truncate", "truncate", "truncate locks the table and bypasses row-level security; delete in batches"),
    ("vacuum_full", "vacuum", "vacuum is autovacuum's work; `vacuum full` rewrites the table under a lock"),
    ("cluster", "cluster", "cluster rewrites the table under a lock"),
    ("transaction_control", "begin", "the runner puts each step into one transaction"),
    ("transaction_control", "start transaction", "the runner puts each step into one transaction"),
    ("transaction_control", "commit", "the runner puts each step into one transaction"),
    ("transaction_control", "rollback", "the runner puts each step into one transaction"),
];

/// Rules for beginnings that need a `-- contract:` line in the step.
const CONTRACT: &[&str] =
    &["drop table", "drop schema", "drop view", "drop materialized view", "drop function"];

pub(super) fn check(statement: &Statement, step: &Step<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut add = |rule, advice| found.push(Finding { rule, statement: statement.excerpt(), advice });
    for (rule, beginning, advice) in NEVER {
        if statement.begins(beginning) {
            add(*rule, *advice);
        }
    }
    if CONTRACT.iter().any(|beginning| statement.begins(beginning)) && !step.contract {
        add("drop_without_contract", "say in a line `-- contract: ...` since when nothing uses it");
    }
    if statement.begins("reindex") && !statement.words.iter().any(|word| word == "concurrently") {
        add("reindex_not_concurrent", "reindex concurrently, in a step of its own with `-- no-transaction`");
    }
    if let Some((rule, advice)) = index(statement, step) {
        add(rule, advice);
    }
    if statement.begins("alter table") {
        for (rule, advice) in alter_table(&statement.words, step) {
            add(rule, advice);
        }
    }
    found
}

type Verdict = (&'static str, &'static str);

fn index(statement: &Statement, step: &Step<'_>) -> Option<Verdict> {
    if !statement.begins("create index") && !statement.begins("create unique index") {
        return None;
    }
    let words = &statement.words;
    let concurrent = words.iter().take(4).any(|word| word == "concurrently");
    if concurrent && !step.no_transaction {
        return Some((
            "concurrent_in_transaction",
            "put it alone into a step that begins with `-- no-transaction`",
        ));
    }
    let on = words.iter().position(|word| word == "on")?;
    let (table, _) = name_at(words, skip(words, on + 1, &["only"]))?;
    let advice = "create index concurrently, alone in a step that begins with `-- no-transaction`";
    (!concurrent && step.is_earlier(&table)).then_some(("index_not_concurrent", advice))
}

fn alter_table(words: &[String], step: &Step<'_>) -> Vec<Verdict> {
    let at = skip(words, 2, &["if", "exists", "only"]);
    let Some((table, next)) = name_at(words, at) else {
        return Vec::new();
    };
    if !step.is_earlier(&table) {
        return Vec::new();
    }
    actions(&words[next..]).into_iter().flat_map(|action| alter_action(action, step)).collect()
}

/// The actions between the commas outside of brackets.
fn actions(words: &[String]) -> Vec<&[String]> {
    let mut found = Vec::new();
    let (mut depth, mut from) = (0_i32, 0);
    for (at, word) in words.iter().enumerate() {
        match word.as_str() {
            "(" => depth += 1,
            ")" => depth -= 1,
            "," if depth == 0 => {
                found.push(&words[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    found.push(&words[from..]);
    found
}

fn alter_action(action: &[String], step: &Step<'_>) -> Vec<Verdict> {
    let has = |word: &str| action.iter().any(|found| found == word);
    let mut found = Vec::new();
    let constraint =
        ["add constraint", "add check", "add foreign", "add unique", "add primary", "add exclude"];
    if constraint.iter().any(|beginning| starts(action, beginning)) {
        found.extend(add_constraint(action));
    } else if starts(action, "add") {
        found.extend(add_column(action));
    } else if starts(action, "drop constraint") {
        // Looser rules never hurt a running program.
    } else if (starts(action, "drop") || starts(action, "rename")) && !step.contract {
        found.push((
            "drop_without_contract",
            "the running program still uses the old name: expand first, and say in a line `-- contract: ...` since when \
             nothing uses it",
        ));
    } else if starts(action, "alter") {
        if has("type") {
            found.push((
                "column_type",
                "it rewrites the table: add a new column, fill it in batches, switch, drop",
            ));
        }
        if has("not") && has("null") && has("set") {
            found.push((
                "set_not_null",
                "it reads the table under a lock: add a check constraint `not valid`, validate it in a later step",
            ));
        }
    }
    found
}

fn add_constraint(action: &[String]) -> Option<Verdict> {
    let text = action.join(" ");
    if text.ends_with("not valid") || text.contains("using index") {
        return None;
    }
    Some((
        "constraint_validates",
        "it reads the table under a lock: add it `not valid` and validate in a later step, or `using index` of a unique \
         index made concurrently",
    ))
}

fn add_column(action: &[String]) -> Vec<Verdict> {
    let has = |word: &str| action.iter().any(|found| found == word);
    let mut found = Vec::new();
    let text = action.join(" ");
    let default = action.iter().position(|word| word == "default");
    if text.contains("not null") && default.is_none() && !has("identity") {
        found
            .push(("not_null_without_default", "old programs insert without it: give it a constant default"));
    }
    if has("stored") || has("identity") || has("serial") || has("bigserial") {
        found.push(("column_rewrites", "it rewrites the table: add it nullable and fill it in batches"));
    }
    if let Some(default) = default.map(|at| &action[at + 1..])
        && is_volatile(default)
    {
        found.push((
            "volatile_default",
            "it rewrites the table: add the column without, set the default, fill old rows in batches",
        ));
    }
    if has("references") {
        found.push((
            "constraint_validates",
            "add the column, then the foreign key `not valid`, validate it later",
        ));
    }
    found
}

/// Constants and the time of the transaction are stored once; any other function runs for every row.
fn is_volatile(default: &[String]) -> bool {
    let call = default.iter().position(|word| word == "(");
    let call = call.and_then(|at| at.checked_sub(1)).and_then(|at| default.get(at));
    call.is_some_and(|name| !["now", "numeric", "char", "varchar", "timestamptz"].contains(&name.as_str()))
}
