//! Foundations know no business: no product, no sale, no cart in their identifiers.

use super::{Finding, SourceFile, words::words};

/// The crates that every kind of business could be built on.
pub(crate) const FOUNDATIONS: [&str; 6] = ["kernel", "csvio", "traces", "db", "messages", "edge"];

/// Nouns of the glossary that belong to domains, singular.
const NOUNS: [&str; 22] = [
    "product",
    "sku",
    "barcode",
    "catalog",
    "inventory",
    "stock",
    "shop",
    "storefront",
    "sale",
    "refund",
    "receipt",
    "invoice",
    "basket",
    "cart",
    "checkout",
    "payment",
    "voucher",
    "customer",
    "loyalty",
    "ticket",
    "waitlist",
    "warehouse",
];

/// `order` alone is also a word of sorting; followed by one of these it is a customer's order.
const OF_AN_ORDER: [&str; 7] = ["id", "ids", "line", "lines", "number", "status", "total"];

/// Names that are not ours to choose, and the `product` of a multiplication.
const FOREIGN_NAMES: [&str; 3] = ["pg_catalog", "catalog_name", "product"];

/// The business noun in `identifier`, if there is one.
pub(crate) fn business_noun(identifier: &str) -> Option<String> {
    if FOREIGN_NAMES.contains(&identifier) {
        return None;
    }
    let words = words(identifier);
    words.iter().enumerate().find_map(|(at, word)| {
        let singular = word.strip_suffix('s').unwrap_or(word);
        let next = words.get(at + 1).map(String::as_str);
        let is_order =
            word == "orders" || (word == "order" && next.is_some_and(|next| OF_AN_ORDER.contains(&next)));
        (is_order || NOUNS.contains(&singular)).then(|| word.clone())
    })
}

/// The finding for `identifier` in a foundation, if it names a business noun.
pub(crate) fn check(file: &SourceFile, line: usize, identifier: &str) -> Option<Finding> {
    if !file.crate_name().is_some_and(|name| FOUNDATIONS.contains(&name)) {
        return None;
    }
    let noun = business_noun(identifier)?;
    Some(Finding::new(
        &file.path,
        line,
        "business-noun",
        format!("`{identifier}`: `{noun}` belongs to a domain, not to a foundation"),
    ))
}

#[cfg(test)]
mod tests {
    use super::business_noun;

    #[test]
    fn business_nouns_are_found_in_any_case_and_number() {
        for identifier in
            ["ProductId", "sale_lines", "SKUS", "refund", "OrderLine", "orders", "StockPolicy", "Carts"]
        {
            assert!(business_noun(identifier).is_some(), "{identifier}");
        }
    }

    #[test]
    fn words_of_sorting_and_of_programs_are_fine() {
        for identifier in [
            "Ordering",
            "order_by",
            "order",
            "preserve_order",
            "tenant",
            "register",
            "price",
            "wholesale",
            "pg_catalog",
            "product",
            "events",
        ] {
            assert!(business_noun(identifier).is_none(), "{identifier}");
        }
    }
}
