//! The words of a search, each with the words of the vocabulary that it may stand for.

use db::{DbError, TenantTx};

use super::{
    tsquery::TsQuery,
    typos::{distance, forgiven},
    wanted::LAST_LETTER,
};
use crate::{fold::words, terms::quoted};

/// Words of a search that count; the rest is left aside.
const WORDS_MOST: usize = 8;
/// Words that begin as typed are named one by one up to this many; beyond, the index is asked for all of them.
const NAMED_MOST: i64 = 64;
/// Words this much alike count even when the typed one exists: another number, another ending.
const AKIN: f32 = 0.6;
/// Words this much alike count when nothing begins as typed.
const ALIKE: f32 = 0.45;

/// One word of a search.
#[derive(Debug, Clone, Default)]
pub(super) struct TypedWord {
    word: String,
    is_last: bool,
    beginning: Vec<(String, i64)>,
    beginning_total: i64,
    alike: Vec<(String, f32, i64)>,
}

/// The different words of what was typed, folded.
pub(super) fn words_of(typed: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for word in words(typed) {
        if !found.contains(&word) && found.len() < WORDS_MOST {
            found.push(word);
        }
    }
    found
}

/// Looks `typed` up in the vocabulary, typing errors forgiven.
pub(super) async fn find_words(tx: &TenantTx, typed: &[String]) -> Result<Vec<TypedWord>, DbError> {
    if typed.is_empty() {
        return Ok(Vec::new());
    }
    let rows = tx
        .query(include_str!("find_words.sql"), &[&tx.tenant_id(), &typed, &LAST_LETTER, &(NAMED_MOST + 1)])
        .await?;
    let start = |(place, word): (usize, &String)| TypedWord {
        word: word.clone(),
        is_last: place + 1 == typed.len(),
        ..TypedWord::default()
    };
    let mut found: Vec<TypedWord> = typed.iter().enumerate().map(start).collect();
    for row in rows {
        let place: i32 = row.try_get("place")?;
        let Some(word) = usize::try_from(place - 1).ok().and_then(|place| found.get_mut(place)) else {
            continue;
        };
        let (term, products) = (row.try_get("word")?, row.try_get("products")?);
        match row.try_get("how")? {
            "prefix" => word.beginning.push((term, products)),
            "total" => word.beginning_total = products,
            _ => word.alike.push((term, row.try_get("likeness")?, products)),
        }
    }
    for word in found.iter_mut().filter(|word| word.is_unknown()) {
        word.add_neighbours(tx).await?;
    }
    Ok(found)
}

impl TypedWord {
    /// A word may be the beginning of a longer one, unless it is so short that nearly everything begins like it.
    fn may_begin(&self) -> bool {
        let letters = self.word.chars().count();
        letters >= 3 || (self.is_last && letters == 2)
    }

    fn is_written(&self) -> bool {
        !self.beginning.is_empty() && (self.may_begin() || self.beginning[0].0 == self.word)
    }

    fn is_unknown(&self) -> bool {
        !self.is_written()
            && self.may_be_mistyped()
            && self.alike.iter().all(|(_, likeness, _)| *likeness < ALIKE)
    }

    /// Short words and numbers are meant as they are.
    fn may_be_mistyped(&self) -> bool {
        forgiven(&self.word) > 0 && !self.word.contains(|letter: char| letter.is_ascii_digit())
    }

    /// Swapped letters leave little alike in a short word: looks among words that begin with the same letter.
    async fn add_neighbours(&mut self, tx: &TenantTx) -> Result<(), DbError> {
        let Some(first) = self.word.chars().next().map(String::from) else { return Ok(()) };
        let letters = i32::try_from(self.word.chars().count()).unwrap_or(i32::MAX);
        let (shortest, longest) = (letters - 1, letters.saturating_add(1));
        let rows = tx
            .query(
                include_str!("find_neighbours.sql"),
                &[&tx.tenant_id(), &first, &LAST_LETTER, &shortest, &longest],
            )
            .await?;
        for row in rows {
            let term: String = row.try_get("term")?;
            if distance(&self.word, &term) <= forgiven(&self.word) {
                self.alike.push((term, 1.0, row.try_get("products")?));
            }
        }
        Ok(())
    }

    /// The words it stands for besides those that begin with it.
    fn meant(&self) -> impl Iterator<Item = (&str, i64)> {
        let least = if self.is_written() { AKIN } else { ALIKE };
        let fits = move |likeness: f32| self.may_be_mistyped() && likeness >= least;
        self.alike
            .iter()
            .filter(move |(_, likeness, _)| fits(*likeness))
            .map(|(term, _, products)| (term.as_str(), *products))
    }

    /// Any of the words it stands for; `None` when the vocabulary has none.
    pub(super) fn condition(&self, prefix: &str) -> Option<TsQuery> {
        let lexeme = |word: &str| TsQuery(quoted(prefix, "", word));
        let mut forms = Vec::new();
        if self.may_begin() && self.beginning.len() as i64 > NAMED_MOST {
            forms.push(TsQuery::beginning_with(quoted(prefix, "", &self.word)));
        } else {
            forms.extend(self.written().map(|(word, _)| lexeme(word)));
        }
        forms.extend(self.meant().map(|(word, _)| lexeme(word)));
        TsQuery::any(forms)
    }

    fn written(&self) -> impl Iterator<Item = (&str, i64)> {
        let may_begin = self.may_begin();
        self.beginning
            .iter()
            .filter(move |(word, _)| may_begin || *word == self.word)
            .map(|(word, products)| (word.as_str(), *products))
    }

    /// How many products have any of the words, at most.
    pub(super) fn products(&self) -> i64 {
        let written = match self.may_begin() {
            true => self.beginning_total,
            false => self.written().map(|(_, products)| products).sum(),
        };
        written + self.meant().map(|(_, products)| products).sum::<i64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(word: &str, is_last: bool) -> TypedWord {
        TypedWord { word: word.to_owned(), is_last, ..TypedWord::default() }
    }

    // CAT-2
    #[test]
    fn a_word_stands_for_longer_ones_and_similar_ones() {
        let mut word = typed("apple", false);
        word.beginning = vec![("apple".to_owned(), 30), ("apples".to_owned(), 5)];
        word.beginning_total = 35;
        word.alike = vec![("aple".to_owned(), 0.7, 1), ("applause".to_owned(), 0.5, 2)];
        assert_eq!(word.condition("p").unwrap().0, "'papple' | 'papples' | 'paple'");
        assert_eq!(word.products(), 36);
    }

    #[test]
    fn short_words_stand_for_themselves_until_they_are_the_last_one_typed() {
        let with = |is_last| TypedWord {
            beginning: vec![("ca".to_owned(), 2), ("candy".to_owned(), 9)],
            ..typed("ca", is_last)
        };
        assert_eq!(with(false).condition("").unwrap().0, "'ca'");
        assert_eq!(with(true).condition("").unwrap().0, "'ca' | 'candy'");
    }

    #[test]
    fn mistyped_words_stand_for_what_looks_like_them_and_numbers_for_nothing_else() {
        let mut word = typed("choclate", true);
        word.alike = vec![("chocolate".to_owned(), 0.58, 9), ("chocola".to_owned(), 0.31, 2)];
        assert_eq!(word.condition("").unwrap().0, "'chocolate'");
        let mut number = typed("4006", true);
        number.alike = vec![("4005".to_owned(), 0.6, 1)];
        assert_eq!(number.condition(""), None);
    }
}
