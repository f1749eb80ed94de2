//! Splitting identifiers into words.

/// The lower-case words of an identifier: `OrderLineId`, `order_line_id` and `ORDER_LINE_ID` are all
/// `order line id`; `VATRate` is `vat rate`.
pub(crate) fn words(identifier: &str) -> Vec<String> {
    let letters: Vec<char> = identifier.chars().collect();
    let mut all = Vec::new();
    let mut word = String::new();
    for (at, &letter) in letters.iter().enumerate() {
        let after_lower = at > 0 && letters[at - 1].is_lowercase();
        let before_lower = letters.get(at + 1).is_some_and(|next| next.is_lowercase());
        let after_upper = at > 0 && letters[at - 1].is_uppercase();
        let starts = letter.is_uppercase() && (after_lower || (after_upper && before_lower));
        if (starts || !letter.is_alphabetic()) && !word.is_empty() {
            all.push(std::mem::take(&mut word));
        }
        if letter.is_alphabetic() {
            word.extend(letter.to_lowercase());
        }
    }
    if !word.is_empty() {
        all.push(word);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn identifiers_are_split_into_words() {
        for written in ["OrderLineId", "order_line_id", "ORDER_LINE_ID", "orderLineId"] {
            assert_eq!(words(written), ["order", "line", "id"], "{written}");
        }
        assert_eq!(words("VATRate2"), ["vat", "rate"]);
        assert_eq!(words("Ordering"), ["ordering"]);
        assert!(words("_").is_empty());
    }
}
