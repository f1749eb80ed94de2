//! From what was typed to what the index is asked: filters, words with their neighbours, codes.

use std::collections::HashMap;

use db::{DbError, TenantTx};
use futures::future::try_join3;

use super::{
    filter::ProductFilter,
    tsquery::TsQuery,
    words::{TypedWord, find_words, words_of},
};
use crate::{
    fold::fold,
    terms::{INACTIVE, Kind, quoted, tenant_prefix},
    variants::VARIANTS_MOST,
};

/// Above any letter, for the end of a range of words.
pub(super) const LAST_LETTER: &str = "\u{10FFFF}";
/// More codes than this that begin as typed say that it was no code.
const CODES_MOST: i64 = 2_000;

/// What the index is asked.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    /// All conditions; `None` when everything matches.
    pub(crate) query: Option<TsQuery>,
    /// The conditions besides what was typed.
    pub(crate) filters: Option<TsQuery>,
    /// Any word that those typed stand for: what relevance is measured by.
    pub(crate) ranked: Option<TsQuery>,
    /// All the words as typed.
    pub(crate) typed: Option<TsQuery>,
    /// What was typed, folded, if it may be a SKU or barcode.
    pub(crate) code: Option<String>,
    /// Products whose code it is.
    pub(crate) code_is: Option<TsQuery>,
    /// Products whose code begins with it.
    pub(crate) code_begins: Option<TsQuery>,
    /// How many products match, about; never below one that is there.
    pub(crate) estimate: Option<i64>,
    /// Nothing can match.
    pub(crate) is_hopeless: bool,
}

/// Works out what the index is asked, with the vocabulary of the tenant.
pub(crate) async fn find_wanted(tx: &TenantTx, filter: &ProductFilter) -> Result<Wanted, DbError> {
    let prefix = tenant_prefix(tx.tenant_id());
    let terms = filter_terms(filter);
    let typed = filter.search.as_deref().unwrap_or("");
    let code = code_of(typed);
    let words = words_of(typed);
    let (counts, found, codes) =
        try_join3(count_terms(tx, &terms), find_words(tx, &words), count_codes(tx, code.as_deref())).await?;

    let mut conditions = Vec::new();
    let mut wanted = Wanted { code: code.clone(), ..Wanted::default() };
    for (kind, term) in &terms {
        let count = counts.get(&(kind.letter().to_owned(), term.clone())).copied().unwrap_or(0);
        wanted.at_most(count);
        conditions.push(TsQuery(quoted(&prefix, &format!("{}=", kind.letter()), term)));
    }
    if let Some(barcode) = &filter.barcode {
        wanted.at_most(1);
        conditions.push(TsQuery(quoted(&prefix, "b=", barcode)));
    }
    if let Some(parent) = filter.parent {
        wanted.at_most(VARIANTS_MOST);
        conditions.push(TsQuery(quoted(&prefix, "p=", &parent.0.to_string())));
    }
    wanted.filters = TsQuery::all(conditions.clone());
    if filter.search.is_some() {
        wanted.ranked = TsQuery::any(found.iter().filter_map(|word| word.condition(&prefix)));
        wanted.typed = TsQuery::all(words.iter().map(|word| TsQuery(quoted(&prefix, "", word))));
        let (by_words, count) = by_words(&prefix, &found);
        if let Some(code) = &code {
            wanted.code_is = Some(code_is(&prefix, code));
            wanted.code_begins = code_begins(&prefix, code, codes);
        }
        wanted.at_most(count.saturating_add(codes.min(CODES_MOST)).saturating_add(1));
        let by_code = wanted.code_begins.clone().or_else(|| wanted.code_is.clone());
        match TsQuery::any(by_words.into_iter().chain(by_code).map(|part| TsQuery(format!("({})", part.0)))) {
            Some(condition) => conditions.push(condition),
            None => wanted.is_hopeless = true,
        }
    }
    wanted.query = TsQuery::all(conditions);
    Ok(wanted)
}

impl Wanted {
    /// The products whose SKU or barcode was typed, under the same filters.
    pub(super) fn with_code_only(&self) -> Self {
        let query = TsQuery::all(self.filters.clone().into_iter().chain(self.code_is.clone()));
        Self { query, ..Self::default() }
    }

    fn at_most(&mut self, count: i64) {
        self.estimate = Some(self.estimate.map_or(count, |known| known.min(count)));
    }
}

fn filter_terms(filter: &ProductFilter) -> Vec<(Kind, String)> {
    let mut terms = Vec::new();
    terms.extend(filter.category.clone().map(|path| (Kind::Category, path)));
    terms.extend(filter.attributes.iter().map(|term| (Kind::Attribute, term.clone())));
    if filter.active == Some(false) {
        terms.push((Kind::Inactive, INACTIVE.to_owned()));
    }
    terms
}

/// All the words, each in any of its forms; and how many products have the rarest of them.
fn by_words(prefix: &str, words: &[TypedWord]) -> (Option<TsQuery>, i64) {
    let mut parts = Vec::new();
    let mut count = i64::MAX;
    for word in words {
        let Some(part) = word.condition(prefix) else { return (None, 0) };
        parts.push(TsQuery(format!("({})", part.0)));
        count = count.min(word.products());
    }
    if parts.is_empty() { (None, 0) } else { (TsQuery::all(parts), count) }
}

/// A single printable word may be a SKU or a barcode.
fn code_of(typed: &str) -> Option<String> {
    let typed = typed.trim();
    let printable = typed.bytes().all(|byte| byte.is_ascii_graphic());
    if printable && (1..=64).contains(&typed.len()) { Some(fold(typed)) } else { None }
}

fn code_is(prefix: &str, code: &str) -> TsQuery {
    TsQuery(format!("{} | {}", quoted(prefix, "s=", code), quoted(prefix, "b=", code)))
}

/// Codes that begin as typed; `None` when it is too short or too common to be the beginning of one.
fn code_begins(prefix: &str, code: &str, beginning: i64) -> Option<TsQuery> {
    if code.len() < 3 || beginning >= CODES_MOST {
        return None;
    }
    let (sku, barcode) = (quoted(prefix, "s=", code), quoted(prefix, "b=", code));
    let sku = TsQuery::beginning_with(sku);
    let digits = code.bytes().all(|byte| byte.is_ascii_digit());
    // Seven digits name a company at least; fewer would be a whole country's goods.
    let barcode = if digits && code.len() >= 7 { TsQuery::beginning_with(barcode) } else { TsQuery(barcode) };
    Some(TsQuery(format!("{} | {}", sku.0, barcode.0)))
}

async fn count_terms(
    tx: &TenantTx,
    terms: &[(Kind, String)],
) -> Result<HashMap<(String, String), i64>, DbError> {
    if terms.is_empty() {
        return Ok(HashMap::new());
    }
    let kinds: Vec<&str> = terms.iter().map(|(kind, _)| kind.letter()).collect();
    let names: Vec<&str> = terms.iter().map(|(_, term)| term.as_str()).collect();
    let rows = tx.query(include_str!("count_terms.sql"), &[&tx.tenant_id(), &kinds, &names]).await?;
    rows.iter()
        .map(|row| Ok(((row.try_get("kind")?, row.try_get("term")?), row.try_get("products")?)))
        .collect()
}

async fn count_codes(tx: &TenantTx, code: Option<&str>) -> Result<i64, DbError> {
    let Some(code) = code.filter(|code| code.len() >= 3) else { return Ok(0) };
    let (tenant, capitals) = (tx.tenant_id(), code.to_uppercase());
    let row = tx
        .query_one(include_str!("count_codes.sql"), &[&tenant, &code, &capitals, &LAST_LETTER, &CODES_MOST])
        .await?;
    Ok(row.try_get("products")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    // CAT-2
    #[test]
    fn one_word_may_be_a_code_and_several_are_not() {
        assert_eq!(code_of(" BREAD-1 ").as_deref(), Some("bread-1"));
        assert_eq!(code_of("dark bread"), None);
        assert_eq!(code_is("0000", "ab").0, "'0000s=ab' | '0000b=ab'");
        assert_eq!(code_begins("0000", "ab", 5), None);
        assert_eq!(code_begins("0000", "abc", 2_000), None);
        assert_eq!(code_begins("0000", "abc", 5).unwrap().0, "'0000s=abc':* | '0000b=abc'");
        assert_eq!(code_begins("0000", "4006381", 0).unwrap().0, "'0000s=4006381':* | '0000b=4006381':*");
    }
}
