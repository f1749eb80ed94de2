//! Which crate may use which, what every crate must have, and who may touch the database driver.

use std::{fs, path::Path};

use anyhow::{Context, Result, bail};
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

use super::Finding;

/// The layers, lowest first. A crate may use any crate of a lower layer.
const LAYERS: [&[&str]; 12] = [
    &["kernel", "csvio", "resilience"],
    &["traces"],
    &["db", "cache"],
    &["messages"],
    &["edge"],
    &["control"],
    &["audit", "catalog", "inventory", "customers", "payments", "webhooks"],
    &["cart", "orders", "sales", "ticketing"],
    &["checkout"],
    &["chat", "reporting", "storefront"],
    &["server"],
    &["testkit"],
];

/// Uses among crates of one layer, each with the decision that says why (a file `docs/adr/<number>-*.md`).
const SIBLINGS: [(&str, &str, &str); 1] = [("inventory", "catalog", "0001")];

/// Tools stand beside the layers: they may use these crates and no other, and only tests use `testkit`.
const TOOLS: [(&str, &[&str]); 2] = [("xtask", &[]), ("bench", &["kernel"])];

/// Crates that open connections, and who may use them. `postgres-types` is not one: it is the wire format of values.
const DRIVERS: [(&str, &[&str]); 5] = [
    ("redis", &["cache"]),
    ("tokio-postgres", &["db", "testkit"]),
    ("deadpool-postgres", &["db"]),
    ("postgres", &[]),
    ("sqlx", &[]),
];

/// One use of a crate by another.
#[derive(Debug)]
struct Edge<'a> {
    user: &'a str,
    used: &'a str,
    dev: bool,
}

/// The workspace as cargo sees it.
pub(crate) fn metadata(root: &Path) -> Result<Metadata> {
    MetadataCommand::new()
        .current_dir(root)
        .other_options(vec!["--locked".to_owned()])
        .exec()
        .context("cargo metadata")
}

/// Checks every edge and every crate's folder.
pub(crate) fn check(metadata: &Metadata, root: &Path) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let packages = metadata.workspace_packages();
    let names: Vec<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    for package in &packages {
        let manifest = format!("crates/{}/Cargo.toml", package.name);
        for dependency in &package.dependencies {
            let dev = dependency.kind == DependencyKind::Development;
            let edge = Edge { user: &package.name, used: &dependency.name, dev };
            let problem = if names.contains(&edge.used) { forbidden(&edge) } else { driver(&edge) };
            findings.extend(problem.map(|message| Finding::new(&manifest, 1, "dependency", message)));
        }
        let folder = package.manifest_path.parent().context("a manifest has a folder")?;
        findings.extend(folder_findings(&package.name, folder.as_std_path())?);
    }
    for (user, used, number) in SIBLINGS {
        if !has_decision(&root.join("docs/adr"), number)? {
            let message = format!("{user} -> {used} needs docs/adr/{number}-*.md to say why");
            findings.push(Finding::new("docs/adr", 1, "dependency", message));
        }
    }
    Ok(findings)
}

fn layer(name: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&name))
}

/// Why a crate of ours may not use another one of ours.
fn forbidden(edge: &Edge<'_>) -> Option<String> {
    let Edge { user, used, dev } = *edge;
    if dev && used == "testkit" {
        return None;
    }
    if let Some((_, may)) = TOOLS.iter().find(|(tool, _)| *tool == user) {
        return (!may.contains(&used)).then(|| format!("the tool {user} may not use {used}"));
    }
    let (Some(from), Some(to)) = (layer(user), layer(used)) else {
        return Some(format!("{user} -> {used}: a crate without a place in the layers"));
    };
    let sibling = SIBLINGS.iter().any(|(a, b, _)| (*a, *b) == (user, used));
    (to >= from && !sibling).then(|| format!("{user} may not use {used}: news travels up as messages"))
}

/// Why a crate of ours may not use a database driver; tests may, to look at the database from outside.
fn driver(edge: &Edge<'_>) -> Option<String> {
    if edge.dev {
        return None;
    }
    let (_, may) = DRIVERS.iter().find(|(name, _)| *name == edge.used)?;
    (!may.contains(&edge.user)).then(|| {
        format!("{} may not use {}: db::TenantTx is the only door to the data", edge.user, edge.used)
    })
}

fn folder_findings(name: &str, folder: &Path) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let at = format!("crates/{name}");
    if folder.file_name().is_none_or(|folder| folder != name) {
        findings.push(Finding::new(&at, 1, "crate-folder", "the folder's name is not the crate's name"));
    }
    if !folder.join("README.md").is_file() {
        findings.push(Finding::new(&at, 1, "readme", "every crate says what it is in README.md"));
    }
    let manifest = fs::read_to_string(folder.join("Cargo.toml"))?;
    if !manifest.contains("[lints]\nworkspace = true") {
        findings.push(Finding::new(&at, 1, "lints", "Cargo.toml must take the workspace's lints"));
    }
    Ok(findings)
}

fn has_decision(folder: &Path, number: &str) -> Result<bool> {
    if number.len() != 4 {
        bail!("an ADR has a number of four digits, not {number:?}");
    }
    let Ok(entries) = fs::read_dir(folder) else {
        return Ok(false);
    };
    let prefix = format!("{number}-");
    Ok(entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with(&prefix)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(user: &'static str, used: &'static str) -> Edge<'static> {
        Edge { user, used, dev: false }
    }

    #[test]
    fn a_use_upwards_or_of_a_sibling_is_found() {
        for (user, used) in [
            ("kernel", "db"),
            ("edge", "control"),
            ("catalog", "inventory"),
            ("sales", "orders"),
            ("db", "testkit"),
        ] {
            assert!(forbidden(&edge(user, used)).is_some(), "{user} -> {used}");
        }
    }

    #[test]
    fn a_use_downwards_and_a_decided_sibling_are_fine() {
        for (user, used) in [
            ("db", "kernel"),
            ("sales", "catalog"),
            ("server", "sales"),
            ("inventory", "catalog"),
            ("bench", "kernel"),
        ] {
            assert_eq!(forbidden(&edge(user, used)), None, "{user} -> {used}");
        }
    }

    #[test]
    fn tests_may_use_testkit_and_nothing_else_that_is_above() {
        assert_eq!(forbidden(&Edge { user: "sales", used: "testkit", dev: true }), None);
        assert!(forbidden(&Edge { user: "catalog", used: "sales", dev: true }).is_some());
    }

    #[test]
    fn tools_use_what_they_are_given_and_unknown_crates_are_found() {
        assert!(forbidden(&edge("xtask", "kernel")).is_some());
        assert!(forbidden(&edge("bench", "sales")).is_some());
        assert!(forbidden(&edge("helpers", "kernel")).is_some());
    }

    #[test]
    fn a_database_driver_outside_db_is_found() {
        assert!(driver(&edge("sales", "tokio-postgres")).is_some());
        assert!(driver(&edge("edge", "deadpool-postgres")).is_some());
        assert_eq!(driver(&edge("db", "tokio-postgres")), None);
        assert_eq!(driver(&edge("sales", "serde")), None);
        assert_eq!(driver(&Edge { user: "sales", used: "tokio-postgres", dev: true }), None);
    }

    #[test]
    fn a_crate_without_readme_or_lints_is_found() -> Result<()> {
        let base = tempfile::tempdir()?;
        let folder = base.path().join("sales");
        fs::create_dir(&folder)?;
        fs::write(folder.join("Cargo.toml"), "[package]\n")?;
        let rules = |name: &str| -> Result<Vec<_>> {
            Ok(folder_findings(name, &folder)?.into_iter().map(|finding| finding.rule).collect())
        };
        assert_eq!(rules("orders")?, ["crate-folder", "readme", "lints"]);
        fs::write(folder.join("README.md"), "# sales")?;
        fs::write(folder.join("Cargo.toml"), "[lints]\nworkspace = true\n")?;
        assert!(rules("sales")?.is_empty());
        Ok(())
    }

    #[test]
    fn a_sibling_needs_a_written_decision() -> Result<()> {
        let folder = tempfile::tempdir()?;
        assert!(!has_decision(folder.path(), "0008")?);
        fs::write(folder.path().join("0008-why.md"), "")?;
        assert!(has_decision(folder.path(), "0008")?);
        assert!(has_decision(folder.path(), "8").is_err());
        Ok(())
    }
}
