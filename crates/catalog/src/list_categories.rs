//! Use case: the tree of categories, with how many products are in and below each.

use std::collections::BTreeMap;

use db::{DbError, TenantTx};
use serde::Serialize;
use utoipa::ToSchema;

/// Categories shown at most.
const SHOWN_MOST: usize = 5_000;

/// The categories of a tenant, or those below one of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CategoryTree {
    /// The categories of the first level, by name.
    #[schema(max_items = 5000)]
    pub items: Vec<CategoryNode>,
    /// Whether all categories are here; beyond 5,000 ask for one `parent` at a time.
    pub complete: bool,
}

/// A category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CategoryNode {
    /// The last part of its path.
    pub name: String,
    /// Its path.
    pub path: String,
    /// Products in and below it.
    pub products: i64,
    /// Those of them that may be sold.
    pub active: i64,
    /// The categories below it.
    #[schema(no_recursion, max_items = 5000)]
    pub children: Vec<CategoryNode>,
}

/// The tree, or the part below `parent`.
pub(crate) async fn list_categories(tx: &TenantTx, parent: Option<&str>) -> Result<CategoryTree, DbError> {
    // `0` is the letter after `/`.
    let (from, to) = match parent {
        Some(path) => (format!("{path}/"), format!("{path}0")),
        None => (String::new(), "\u{10FFFF}".to_owned()),
    };
    let take = SHOWN_MOST as i64 + 1;
    let rows = tx.query(include_str!("list_categories.sql"), &[&tx.tenant_id(), &from, &to, &take]).await?;
    let mut nodes = Vec::with_capacity(rows.len());
    for row in rows.iter().take(SHOWN_MOST) {
        nodes.push((row.try_get("path")?, row.try_get("products")?, row.try_get("active")?));
    }
    Ok(CategoryTree { items: build(nodes, parent), complete: rows.len() <= SHOWN_MOST })
}

/// Hangs every node below its parent; those whose parent is not among them come first in the tree.
fn build(nodes: Vec<(String, i64, i64)>, top: Option<&str>) -> Vec<CategoryNode> {
    let mut below: BTreeMap<String, Vec<CategoryNode>> = BTreeMap::new();
    // The deepest first, so that a node has all its children when it is hung itself.
    let mut nodes = nodes;
    nodes.sort_by_key(|(path, ..)| std::cmp::Reverse(path.matches('/').count()));
    for (path, products, active) in nodes {
        let mut children = below.remove(&path).unwrap_or_default();
        children.sort_by(|a, b| a.name.cmp(&b.name));
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", &path));
        let node = CategoryNode { name: name.to_owned(), path: path.clone(), products, active, children };
        below.entry(parent.to_owned()).or_default().push(node);
    }
    let mut first = below.remove(top.unwrap_or("")).unwrap_or_default();
    first.sort_by(|a, b| a.name.cmp(&b.name));
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    // CAT-1
    #[test]
    fn categories_hang_below_their_parents_whatever_sorts_between() {
        let nodes = ["A", "A B", "A/B", "A/B/C", "A/A"].map(|path| (path.to_owned(), 1, 1));
        let tree = build(nodes.to_vec(), None);
        let names = |nodes: &[CategoryNode]| nodes.iter().map(|node| node.path.clone()).collect::<Vec<_>>();
        assert_eq!(names(&tree), ["A", "A B"]);
        assert_eq!(names(&tree[0].children), ["A/A", "A/B"]);
        assert_eq!(names(&tree[0].children[1].children), ["A/B/C"]);
        let part = build(vec![("A/B".to_owned(), 1, 1), ("A/B/C".to_owned(), 1, 1)], Some("A"));
        assert_eq!(names(&part), ["A/B"]);
    }
}
