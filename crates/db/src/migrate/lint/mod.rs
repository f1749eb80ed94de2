//! Refuses migrations that lock or rewrite a large table, or that the running program would not survive (PLT-12).
//!
//! Works on words, not on a full grammar: the rules look at how statements begin, and a parser of PostgreSQL's whole
//! language (`sqlparser`, `pg_query`) would cost more to build than all of this crate.

mod rules;
mod scan;

use std::collections::BTreeSet;

use super::DomainMigrations;
use scan::{Statement, statements};

/// A line that says why dropping or renaming is safe now: no running program uses the thing any more.
const CONTRACT_MARK: &str = "-- contract:";

/// A statement that must not be released.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule's stable name, `index_not_concurrent`.
    pub rule: &'static str,
    /// The beginning of the statement.
    pub statement: String,
    /// What to write instead.
    pub advice: &'static str,
}

/// The tables that a step creates, schema-qualified as written.
#[must_use]
pub fn created_tables(sql: &str) -> Vec<String> {
    statements(sql).iter().filter_map(Statement::created_table).collect()
}

/// What is wrong with a step. Tables of `earlier_tables` have rows and traffic; those that the step itself creates are
/// free to be changed.
#[must_use]
pub fn lint_migration(sql: &str, earlier_tables: &BTreeSet<String>) -> Vec<Finding> {
    let statements = statements(sql);
    let no_transaction = sql.starts_with(super::run::NO_TRANSACTION);
    let mut findings = Vec::new();
    if no_transaction && statements.len() != 1 {
        findings.push(Finding {
            rule: "no_transaction_several",
            statement: String::new(),
            advice: "a step outside a transaction holds exactly one statement, so that it can be repeated",
        });
    }
    let step = rules::Step { earlier_tables, no_transaction, contract: sql.contains(CONTRACT_MARK) };
    for statement in &statements {
        findings.extend(rules::check(statement, &step));
    }
    findings
}

/// [`lint_migration`] over all steps of a domain, each seeing the tables of those before it; with the step's name.
#[must_use]
pub fn lint_domain(domain: &DomainMigrations) -> Vec<(String, Finding)> {
    let mut earlier = BTreeSet::new();
    let mut findings = Vec::new();
    for step in domain.steps {
        let name = format!("{}/{:04}_{}", domain.domain, step.version, step.name);
        findings.extend(lint_migration(step.sql, &earlier).into_iter().map(|found| (name.clone(), found)));
        earlier.extend(created_tables(step.sql));
    }
    findings
}

#[cfg(test)]
mod tests;
