//! A domain's SQL names its own schema only, names its columns, and is never built from strings.

use std::sync::LazyLock;

use regex::Regex;

use super::{Finding, SourceFile, nouns};

/// One PostgreSQL schema for each crate that owns tables.
const SCHEMAS: [&str; 16] = [
    "db",
    "messages",
    "edge",
    "control",
    "catalog",
    "inventory",
    "customers",
    "payments",
    "cart",
    "orders",
    "sales",
    "ticketing",
    "checkout",
    "chat",
    "reporting",
    "storefront",
];

/// What `db` offers to everybody's migrations.
const OPEN_FUNCTIONS: [&str; 2] = ["db.protect", "db.protect_append_only"];

/// Tools that look at the whole database from outside.
const TOOLS: [&str; 3] = ["testkit", "bench", "xtask"];

type Pattern = LazyLock<Option<Regex>>;

static QUALIFIED: Pattern = Pattern::new(|| Regex::new(r"\b([a-z]\w*)\.([a-z_]\w*)").ok());
static STAR: Pattern = Pattern::new(|| {
    Regex::new(r"(?i)\b(select|returning)\s+((all|distinct)\s+)?(\w+\.)?\*|,\s*\w+\.\*").ok()
});
static SHOUTED: Pattern = Pattern::new(|| {
    Regex::new(r"\b(SELECT|INSERT|UPDATE|DELETE|FROM|WHERE|JOIN|CREATE|ALTER|VALUES|RETURNING|ORDER BY)\b")
        .ok()
});
static STATEMENT: Pattern = Pattern::new(|| {
    Regex::new(
        r"(?ix)^\s*( select\b[^;]*(\bfrom\b|\() | insert\s+into\b | update\s+\S+\s+set\b | delete\s+from\b | with\s+\w+\s+as\b
        | (create|alter|drop)\s+(table|database|role|schema|index|unique|function|policy|type|view|user)\b
        | truncate\s | grant\s | revoke\s | copy\s+\S+\s+(from|to)\b | merge\s+into\b )",
    )
    .ok()
});
static DEFINITION: Pattern =
    Pattern::new(|| Regex::new(r"(?i)^\s*(create|alter|drop|grant|revoke|comment)\s").ok());
static IDENTIFIER: Pattern = Pattern::new(|| Regex::new(r"[A-Za-z_]\w*").ok());

/// The rules for a `.sql` file.
pub(crate) fn check_file(file: &SourceFile) -> Vec<Finding> {
    let mut findings = check_statement(file, 1, &file.text);
    for (at, line) in code_only(&file.text).lines().enumerate() {
        let identifiers = IDENTIFIER.iter().flat_map(|pattern| pattern.find_iter(line));
        findings.extend(identifiers.filter_map(|found| nouns::check(file, at + 1, found.as_str())));
    }
    findings
}

/// The rules for a string literal of Rust that starts at `line`; nothing unless it reads like SQL.
pub(crate) fn check_literal(file: &SourceFile, line: usize, text: &str) -> Vec<Finding> {
    if is_statement(text) { check_statement(file, line, text) } else { Vec::new() }
}

/// The finding for a format string that is SQL with holes. `db` may fill names into definitions (roles and databases
/// cannot be parameters) and constants into the scripts of its migrations runner; tools may do as they like.
pub(crate) fn check_format(file: &SourceFile, line: usize, format: &str) -> Option<Finding> {
    let owner = file.crate_name()?;
    let may_define =
        owner == "db" && (matches(&DEFINITION, format) || file.path.starts_with("crates/db/src/migrate/"));
    if TOOLS.contains(&owner) || may_define || !is_statement(format) || !format.contains('{') {
        return None;
    }
    Some(Finding::new(&file.path, line, "built-sql", "SQL built from strings; bind parameters instead"))
}

fn check_statement(file: &SourceFile, first: usize, text: &str) -> Vec<Finding> {
    let Some(owner) = file.crate_name() else {
        return Vec::new();
    };
    if TOOLS.contains(&owner) {
        return Vec::new();
    }
    let code = code_only(text);
    let line_of = |at: usize| first + code[..at].matches('\n').count();
    let mut findings = Vec::new();
    for found in STAR.iter().flat_map(|pattern| pattern.find_iter(&code)) {
        findings.push(Finding::new(&file.path, line_of(found.start()), "select-star", "name the columns"));
    }
    for found in SHOUTED.iter().flat_map(|pattern| pattern.find_iter(&code)) {
        findings.push(Finding::new(&file.path, line_of(found.start()), "sql-case", "SQL is lower case"));
    }
    if file.is_test() {
        return findings;
    }
    for found in QUALIFIED.iter().flat_map(|pattern| pattern.captures_iter(&code)) {
        let (Some(name), Some(schema)) = (found.get(0), found.get(1)) else {
            continue;
        };
        let schema = schema.as_str();
        let is_call = code[name.end()..].trim_start().starts_with('(');
        let open = is_call && OPEN_FUNCTIONS.contains(&name.as_str());
        if schema != owner && SCHEMAS.contains(&schema) && !open {
            let message = format!("`{}` belongs to {schema}: call its functions instead", name.as_str());
            findings.push(Finding::new(&file.path, line_of(name.start()), "foreign-schema", message));
        }
    }
    findings
}

fn is_statement(text: &str) -> bool {
    matches(&STATEMENT, text)
}

fn matches(pattern: &Pattern, text: &str) -> bool {
    pattern.as_ref().is_some_and(|pattern| pattern.is_match(text))
}

/// `text` with comments and quoted strings blanked, every line where it was.
fn code_only(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let skipped = if rest.starts_with("--") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if first == '\'' {
            rest[1..].find('\'').map_or(rest.len(), |end| end + 2)
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        };
        out.extend(rest[..skipped].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        rest = &rest[skipped..];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::testing::found;
    use super::*;

    fn literal(path: &str, text: &str) -> Vec<String> {
        found(|file| check_literal(file, 1, text), path, "")
    }

    #[test]
    fn a_foreign_schema_in_a_sql_file_is_found_in_any_position() {
        let path = "crates/sales/src/create_sale.sql";
        let text = "select s.id\nfrom sales.sale as s\njoin catalog.product as p on p.sku = s.sku;\n";
        assert_eq!(found(check_file, path, text), ["3 foreign-schema"]);
        for text in
            ["insert into inventory.movement (id) values ($1)", "select control.next()", "x messages.outbox"]
        {
            assert_eq!(found(check_file, path, text), ["1 foreign-schema"], "{text}");
        }
    }

    #[test]
    fn the_own_schema_comments_strings_and_open_functions_are_fine() {
        let text = "-- like catalog.product\n/* catalog.price */ select s.id from sales.sale as s where s.note = \
                    'catalog.product';\nselect db.protect('sales.sale');\n";
        assert!(found(check_file, "crates/sales/migrations/0001_sales.sql", text).is_empty());
        assert_eq!(
            found(check_file, "crates/sales/migrations/0001_sales.sql", "select name from db.migration"),
            ["1 foreign-schema"]
        );
    }

    #[test]
    fn a_foreign_schema_in_a_string_literal_is_found() {
        let path = "crates/sales/src/find_sale.rs";
        assert_eq!(literal(path, "select name\n from catalog.product"), ["2 foreign-schema"]);
        assert!(literal(path, "catalog.product is not ours").is_empty());
        assert!(literal("crates/testkit/src/lib.rs", "select name from catalog.product").is_empty());
        assert!(literal("crates/sales/tests/it/main.rs", "select id from messages.outbox").is_empty());
    }

    #[test]
    fn a_select_star_is_found_and_a_count_is_not() {
        let path = "crates/sales/src/x.sql";
        for text in
            ["select * from sales.sale", "select s.* from sales.sale as s", "delete from a returning *"]
        {
            assert_eq!(found(check_file, path, text), ["1 select-star"], "{text}");
        }
        assert_eq!(found(check_file, path, "select 1, s.* from sales.sale as s"), ["1 select-star"]);
        assert!(found(check_file, path, "select count(*), a * b from sales.sale").is_empty());
    }

    #[test]
    fn shouted_sql_is_found() {
        assert_eq!(found(check_file, "crates/sales/src/x.sql", "SELECT id from sales.sale"), ["1 sql-case"]);
        assert!(found(check_file, "crates/sales/src/x.sql", "select 1 where tg_op = 'UPDATE'").is_empty());
    }

    #[test]
    fn a_business_noun_in_the_sql_of_a_foundation_is_found() {
        let text = "create table messages.outbox (\n  id uuid,\n  sku text\n);";
        assert_eq!(found(check_file, "crates/messages/migrations/1.sql", text), ["3 business-noun"]);
        assert!(
            found(check_file, "crates/db/src/x.sql", "select id from db.migration order by id").is_empty()
        );
    }

    #[test]
    fn sql_with_holes_is_found_but_for_definitions_in_db() {
        let built = |path: &str, format: &str| {
            check_format(&SourceFile::new(path, ""), 1, format).map(|finding| finding.rule)
        };
        assert_eq!(built("crates/sales/src/x.rs", "select id from {table}"), Some("built-sql"));
        assert_eq!(built("crates/sales/src/x.rs", "drop table {name}"), Some("built-sql"));
        assert_eq!(built("crates/db/src/x.rs", "delete from {name}"), Some("built-sql"));
        assert_eq!(built("crates/db/src/x.rs", "create database {name}"), None);
        assert_eq!(built("crates/sales/src/x.rs", "select one of {names}"), None);
        assert_eq!(built("crates/sales/src/x.rs", "update for {name}"), None);
        assert_eq!(built("crates/bench/src/x.rs", "select id from {table}"), None);
    }
}
