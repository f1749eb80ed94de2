//! Text as people look for it: lower case, without accents, cut into words.

use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};

/// The longest word that is kept; longer ones are cut.
const WORD_CHARS: usize = 40;
/// The longest key of a name, in bytes.
const KEY_BYTES: usize = 120;

/// Lower case, accents and ligatures taken apart.
pub(crate) fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mut folded = String::with_capacity(text.len());
    for letter in text.nfkd().filter(|letter| !is_combining_mark(*letter)) {
        for lower in letter.to_lowercase() {
            match lower {
                'ß' => folded.push_str("ss"),
                'æ' => folded.push_str("ae"),
                'œ' => folded.push_str("oe"),
                'ø' => folded.push('o'),
                'ł' => folded.push('l'),
                'đ' => folded.push('d'),
                // Lower-casing may bring a mark of its own (İ).
                lower if is_combining_mark(lower) => {}
                lower => folded.push(lower),
            }
        }
    }
    folded
}

/// The words of a text, folded, in order, with repetitions.
pub(crate) fn words(text: &str) -> impl Iterator<Item = String> {
    let folded = fold(text);
    let words: Vec<String> = folded
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| word.char_indices().nth(WORD_CHARS).map_or(word, |(end, _)| &word[..end]).to_owned())
        .collect();
    words.into_iter()
}

/// The key that a name is sorted by: folded, blanks joined, bounded.
pub(crate) fn name_key(name: &str) -> String {
    let mut key = String::with_capacity(name.len());
    for word in fold(name).split_whitespace() {
        if !key.is_empty() {
            key.push(' ');
        }
        key.push_str(word);
    }
    let mut end = key.len().min(KEY_BYTES);
    while !key.is_char_boundary(end) {
        end -= 1;
    }
    key.truncate(end);
    key
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_text_folds_without_panic_and_folding_twice_changes_nothing(text in "\\PC{0,40}") {
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once);
            prop_assert!(name_key(&text).len() <= KEY_BYTES);
            prop_assert!(words(&text).all(|word| word.chars().count() <= WORD_CHARS));
        }
    }

    // CAT-2
    #[test]
    fn accents_case_and_punctuation_do_not_matter() {
        let list: Vec<_> = words("Crème-Brûlée 7,5% «Straße» ŁÓDŹ İ").collect();
        assert_eq!(list, ["creme", "brulee", "7", "5", "strasse", "lodz", "i"]);
        assert_eq!(name_key("  Äpfel \t 1 kg "), "apfel 1 kg");
    }
}
