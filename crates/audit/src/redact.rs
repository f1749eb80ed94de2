//! What never gets into the log: secrets by the name of their field, numbers of cards by their look.

use serde_json::Value;

const REDACTED: &str = "[redacted]";
/// Card numbers have so many digits (ISO/IEC 7812); shorter ones are article numbers as well.
const CARD_DIGITS: std::ops::RangeInclusive<usize> = 14..=19;

/// A JSON body without its secrets; `None` for what is no JSON.
pub(crate) fn redact(body: &[u8]) -> Option<Vec<u8>> {
    let mut value: Value = serde_json::from_slice(body).ok()?;
    clean(&mut value);
    serde_json::to_vec(&value).ok()
}

fn clean(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                if is_secret(name) && !value.is_null() {
                    *value = Value::from(REDACTED);
                } else {
                    clean(value);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(clean),
        Value::String(text) if holds_card(text) => *value = Value::from(REDACTED),
        Value::Number(number) if holds_card(&number.to_string()) => *value = Value::from(REDACTED),
        Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Null => {}
    }
}

fn is_secret(name: &str) -> bool {
    let name: String =
        name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    ["password", "secret", "token", "invitationcode", "apikey", "privatekey", "securitycode"]
        .iter()
        .any(|word| name.ends_with(word))
        || ["key", "pin", "cvc", "cvv", "authorization", "credentials"].contains(&name.as_str())
}

/// Whether some run of digits, with blanks and hyphens between, could be the number of a card.
fn holds_card(text: &str) -> bool {
    let mut digits = Vec::new();
    for byte in text.bytes().chain([b'.']) {
        match byte {
            b'0'..=b'9' => digits.push(byte - b'0'),
            b' ' | b'-' => {}
            _ => {
                if CARD_DIGITS.contains(&digits.len()) && passes_luhn(&digits) {
                    return true;
                }
                digits.clear();
            }
        }
    }
    false
}

fn passes_luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| match (at % 2, u32::from(*digit) * 2) {
            (0, _) => u32::from(*digit),
            (_, double) if double > 9 => double - 9,
            (_, double) => double,
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn cleaned(value: &Value) -> Value {
        serde_json::from_slice(&redact(value.to_string().as_bytes()).unwrap()).unwrap()
    }

    // DPR-1
    #[test]
    fn secrets_go_and_everything_else_stays() {
        let body = json!({
            "email": "ann@shop.example", "password": "hunter2", "newPassword": "x", "refresh_token": "t",
            "nested": [{ "key": "mk_live_1", "pin": 1234, "clientSecret": { "a": 1 }, "adminInvitationCode": "c" }],
            "token": null, "keyboard": "qwertz", "code": "S01", "amount": 4_111,
        });
        let expected = json!({
            "email": "ann@shop.example", "password": REDACTED, "newPassword": REDACTED, "refresh_token": REDACTED,
            "nested": [{
                "key": REDACTED, "pin": REDACTED, "clientSecret": REDACTED, "adminInvitationCode": REDACTED,
            }],
            "token": null, "keyboard": "qwertz", "code": "S01", "amount": 4_111,
        });
        assert_eq!(cleaned(&body), expected);
        assert_eq!(redact(b"no json"), None);
    }

    // DPR-1: the test numbers that card networks publish.
    #[test]
    fn what_looks_like_a_card_goes_and_article_numbers_stay() {
        for card in
            ["4111111111111111", "4111 1111 1111 1111", "paid with 5500-0000-0000-0004.", "340000000000009"]
        {
            assert_eq!(cleaned(&json!({ "note": card })), json!({ "note": REDACTED }), "{card}");
        }
        assert_eq!(cleaned(&json!([4_111_111_111_111_111_u64])), json!([REDACTED]));
        for other in ["4006381333931", "4111111111111112", "2026-11-21T10:15:00Z", "+43 660 1234567"] {
            assert_eq!(cleaned(&json!({ "note": other })), json!({ "note": other }), "{other}");
        }
    }
}
