//! What counts as an address of mail: enough to be somebody's name here; whether it exists shows when mail is sent.

/// A rule for request types: one `@`, printable ASCII, at most 254 characters. Schemas say the same as a pattern.
pub(crate) fn check_email(text: &str, _ctx: &()) -> garde::Result {
    let plain = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_graphic() && !b"@,;:<>\"()[]\\".contains(&byte))
    };
    match text.split_once('@') {
        Some((local, domain))
            if local.len() <= 64 && domain.len() <= 189 && plain(local) && plain(domain) =>
        {
            Ok(())
        }
        _ => Err(garde::Error::new("must be an address like ann@example.org")),
    }
}

#[cfg(test)]
mod tests {
    use super::check_email;

    #[test]
    fn addresses_are_told_from_other_text() {
        for text in ["ann@example.org", "a.b+c@sub.example.org", "admin@localhost"] {
            assert!(check_email(text, &()).is_ok(), "{text}");
        }
        for text in ["", "ann", "@example.org", "ann@", "a@b@c", "a b@c.d", "ann@ex\u{e4}mple.org", "a\0@b.c"]
        {
            assert!(check_email(text, &()).is_err(), "{text:?}");
        }
        assert!(check_email(&format!("{}@b.c", "a".repeat(65)), &()).is_err());
        assert!(check_email(&format!("a@{}", "b".repeat(190)), &()).is_err());
    }
}
