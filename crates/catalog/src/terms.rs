//! What a product is found by: its lexemes for the search index and its terms for the vocabulary.
//!
//! A change here needs a migration that writes every product again: stored lexemes and counts were made by these rules.

use std::collections::{BTreeMap, HashSet};

use kernel::TenantId;
use serde_json::Value;

use crate::{
    fold::{fold, words},
    model::ProductData,
};

/// Words taken from each field, in order of weight.
const NAME_WORDS: usize = 40;
const ATTRIBUTE_WORDS: usize = 60;
const DESCRIPTION_WORDS: usize = 200;
const CATEGORY_WORDS: usize = 40;
/// A filter lexeme is cut at this many characters; products that agree so far are told apart nowhere.
const FILTER_CHARS: usize = 300;

/// The kinds of terms that are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    Attribute,
    Category,
    Product,
    Word,
    Inactive,
}

impl Kind {
    pub(crate) fn letter(self) -> &'static str {
        match self {
            Self::Attribute => "a",
            Self::Category => "c",
            Self::Product => "n",
            Self::Word => "w",
            Self::Inactive => "x",
        }
    }
}

/// The counted term that all products have.
pub(crate) const ALL_PRODUCTS: &str = "products";
/// The counted term of deactivated products.
pub(crate) const INACTIVE: &str = "inactive";

/// Changes to the counts of terms: by kind and term, products and active products. Sorted, so that two transactions
/// that change the same terms take their locks in the same order.
pub(crate) type TermChanges = BTreeMap<(Kind, String), (i64, i64)>;

/// Four characters of the tenant in front of every lexeme: each tenant's entries lie together in the index, and a
/// search reads no other tenant's. Two tenants with the same four only meet in the index; the tenant is always checked.
pub(crate) fn tenant_prefix(tenant: TenantId) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let bits = tenant.0.as_u128();
    (0..4).map(|place| char::from(ALPHABET[((bits >> (place * 5)) & 31) as usize])).collect()
}

/// A lexeme as it is written in a tsvector or tsquery.
pub(crate) fn quoted(prefix: &str, kind: &str, text: &str) -> String {
    let mut lexeme = format!("'{prefix}{kind}");
    for letter in text.chars().take(FILTER_CHARS) {
        if matches!(letter, '\'' | '\\') {
            lexeme.push(letter);
        }
        lexeme.push(letter);
    }
    lexeme.push('\'');
    lexeme
}

/// The text of the product's tsvector.
pub(crate) fn search_vector(tenant: TenantId, product: &ProductData) -> String {
    let prefix = tenant_prefix(tenant);
    let mut vector = String::with_capacity(256);
    for (place, (word, weight)) in weighted_words(product).into_iter().enumerate() {
        vector.push_str(&quoted(&prefix, "", &word));
        vector.push_str(&format!(":{}{weight} ", place + 1));
    }
    for path in category_paths(&product.category) {
        vector.push_str(&quoted(&prefix, "c=", path));
        vector.push(' ');
    }
    for (key, value) in &product.attributes {
        vector.push_str(&quoted(&prefix, "a=", &attribute_term(key, value)));
        vector.push(' ');
    }
    vector.push_str(&quoted(&prefix, "s=", &fold(&product.sku)));
    if let Some(barcode) = &product.barcode {
        vector.push(' ');
        vector.push_str(&quoted(&prefix, "b=", barcode));
    }
    if let Some(parent) = product.shape.parent_id {
        vector.push(' ');
        vector.push_str(&quoted(&prefix, "p=", &parent.0.to_string()));
    }
    if !product.active {
        vector.push(' ');
        vector.push_str(&quoted(&prefix, "x=", INACTIVE));
    }
    vector
}

/// Adds what the product contributes to the counts, `sign` times.
pub(crate) fn count_terms(product: &ProductData, sign: i64, changes: &mut TermChanges) {
    let active = if product.active { sign } else { 0 };
    let mut add = |kind: Kind, term: String| {
        let count = changes.entry((kind, term)).or_default();
        count.0 += sign;
        count.1 += active;
    };
    add(Kind::Product, ALL_PRODUCTS.to_owned());
    if !product.active {
        add(Kind::Inactive, INACTIVE.to_owned());
    }
    for (word, _) in weighted_words(product) {
        add(Kind::Word, word);
    }
    for path in category_paths(&product.category) {
        add(Kind::Category, path.to_owned());
    }
    for (key, value) in &product.attributes {
        add(Kind::Attribute, cut(&attribute_term(key, value)));
    }
}

/// `key=value` as attributes are filtered by.
pub(crate) fn attribute_term(key: &str, value: &Value) -> String {
    match value {
        Value::String(text) => format!("{key}={text}"),
        other => format!("{key}={other}"),
    }
}

fn cut(term: &str) -> String {
    term.chars().take(FILTER_CHARS).collect()
}

/// The path and every path above it: `A/B/C`, `A/B`, `A`.
pub(crate) fn category_paths(path: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(path).filter(|path| !path.is_empty());
    std::iter::from_fn(move || {
        let this = rest?;
        rest = this.rfind('/').map(|end| &this[..end]);
        Some(this)
    })
}

/// Every word once, with the weight of the best field it stands in.
fn weighted_words(product: &ProductData) -> Vec<(String, char)> {
    let texts = product.attributes.values().filter_map(Value::as_str);
    let fields = [
        (words(&product.name).take(NAME_WORDS).collect::<Vec<_>>(), 'A'),
        (texts.flat_map(words).take(ATTRIBUTE_WORDS).collect(), 'B'),
        (words(&product.description).take(DESCRIPTION_WORDS).collect(), 'C'),
        (words(&product.category).take(CATEGORY_WORDS).collect(), 'D'),
    ];
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    for (list, weight) in fields {
        for word in list {
            if seen.insert(word.clone()) {
                found.push((word, weight));
            }
        }
    }
    found
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;

    use super::*;

    pub(crate) fn bread() -> ProductData {
        ProductData {
            sku: "BREAD-1".to_owned(),
            name: "Dark bread".to_owned(),
            description: "Baker's bread, rye".to_owned(),
            price: 250,
            tax_category: "reduced".to_owned(),
            category: "Food/Bread".to_owned(),
            barcode: Some("4006381333931".to_owned()),
            unit: "pcs".to_owned(),
            weight_grams: Some(750),
            attributes: [("brand".to_owned(), json!("O'Neil")), ("vegan".to_owned(), json!(true))].into(),
            active: true,
            shape: crate::variants::Shape::default(),
            images: Vec::new(),
        }
    }

    // CAT-2
    #[test]
    fn words_carry_the_weight_of_their_best_field_and_filters_carry_none() {
        let tenant = TenantId(uuid::Uuid::from_u128(0));
        let vector = search_vector(tenant, &bread());
        assert_eq!(
            vector,
            "'0000dark':1A '0000bread':2A '0000o':3B '0000neil':4B '0000baker':5C '0000s':6C '0000rye':7C \
             '0000food':8D '0000c=Food/Bread' '0000c=Food' '0000a=brand=O''Neil' '0000a=vegan=true' \
             '0000s=bread-1' '0000b=4006381333931'"
        );
    }

    #[test]
    fn what_is_taken_away_again_leaves_no_counts() {
        let mut changes = TermChanges::new();
        count_terms(&bread(), 1, &mut changes);
        assert_eq!(changes[&(Kind::Category, "Food".to_owned())], (1, 1));
        assert_eq!(changes[&(Kind::Attribute, "brand=O'Neil".to_owned())], (1, 1));
        count_terms(&bread(), -1, &mut changes);
        assert!(changes.values().all(|count| *count == (0, 0)));
    }

    #[test]
    fn quotes_and_backslashes_cannot_leave_a_lexeme() {
        assert_eq!(quoted("", "", r"a'b\c"), r"'a''b\\c'");
    }
}
