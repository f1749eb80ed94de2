//! Splits SQL into statements and words, leaving out comments and the insides of literals.

/// One statement as lower-case words and single punctuation characters; a literal is the word `'`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Statement {
    pub(super) words: Vec<String>,
}

impl Statement {
    /// Whether the statement begins with `words`.
    pub(super) fn begins(&self, words: &str) -> bool {
        starts(&self.words, words)
    }

    /// The words up to `count`, for messages.
    pub(super) fn excerpt(&self) -> String {
        self.words.iter().take(12).map(String::as_str).collect::<Vec<_>>().join(" ")
    }

    /// `catalog.product` of `create table [if not exists] catalog.product (...`.
    pub(super) fn created_table(&self) -> Option<String> {
        if !self.begins("create table") && !self.begins("create unlogged table") {
            return None;
        }
        let table = self.words.iter().position(|word| word == "table")? + 1;
        name_at(&self.words, skip(&self.words, table, &["if", "not", "exists"])).map(|(name, _)| name)
    }
}

/// Whether `words` begin with the words of `text`.
pub(super) fn starts(words: &[String], text: &str) -> bool {
    let mut at = words.iter();
    text.split(' ').all(|word| at.next().is_some_and(|found| found == word))
}

/// The position behind `optional` words at `at`, each of which may be missing.
pub(super) fn skip(words: &[String], mut at: usize, optional: &[&str]) -> usize {
    while words.get(at).is_some_and(|word| optional.contains(&word.as_str())) {
        at += 1;
    }
    at
}

/// A possibly qualified name at `at`, and the position behind it.
pub(super) fn name_at(words: &[String], at: usize) -> Option<(String, usize)> {
    let mut name = words.get(at)?.clone();
    let mut next = at + 1;
    while words.get(next).is_some_and(|word| word == ".") {
        name.push('.');
        name.push_str(words.get(next + 1)?);
        next += 2;
    }
    Some((name, next))
}

pub(super) fn statements(sql: &str) -> Vec<Statement> {
    let mut found = Vec::new();
    let mut words: Vec<String> = Vec::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let (word, length) = next_token(rest, first);
        rest = rest.get(length..).unwrap_or("");
        match word {
            Some(word) if word == ";" => found.push(Statement { words: std::mem::take(&mut words) }),
            Some(word) => words.push(word),
            None => {}
        }
    }
    found.push(Statement { words });
    found.retain(|statement| !statement.words.is_empty());
    found
}

/// The word at the beginning of `text` (none for space and comments) and how many bytes it takes.
fn next_token(text: &str, first: char) -> (Option<String>, usize) {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    if first.is_whitespace() {
        (None, first.len_utf8())
    } else if text.starts_with("--") {
        (None, text.find('\n').unwrap_or(text.len()))
    } else if text.starts_with("/*") {
        (None, block_comment(text))
    } else if first == '\'' {
        (Some("'".to_owned()), quoted(text, '\'', 1))
    } else if first == '"' {
        let length = quoted(text, '"', 1);
        (Some(text.get(1..length.saturating_sub(1)).unwrap_or("").to_owned()), length)
    } else if let Some(length) = dollar_quoted(text) {
        (Some("'".to_owned()), length)
    } else if is_word(first) {
        let length = text.find(|c: char| !is_word(c)).unwrap_or(text.len());
        let word = text[..length].to_lowercase();
        if word == "e" && text[length..].starts_with('\'') {
            return (Some("'".to_owned()), escaped(text, length + 1));
        }
        (Some(word), length)
    } else {
        (Some(first.to_string()), first.len_utf8())
    }
}

/// The end of a literal in which a doubled quote stands for itself.
fn quoted(text: &str, quote: char, mut at: usize) -> usize {
    loop {
        let Some(end) = text[at..].find(quote) else {
            return text.len();
        };
        at += end + 1;
        if !text[at..].starts_with(quote) {
            return at;
        }
        at += 1;
    }
}

/// The end of `E'...'`, in which a backslash escapes.
fn escaped(text: &str, at: usize) -> usize {
    let mut backslash = false;
    for (offset, c) in text[at..].char_indices() {
        match c {
            '\'' if !backslash => return at + offset + 1,
            '\\' => backslash = !backslash,
            _ => backslash = false,
        }
    }
    text.len()
}

/// The length of `$tag$ ... $tag$` at the beginning of `text`.
fn dollar_quoted(text: &str) -> Option<usize> {
    let tag_end = text.strip_prefix('$')?.find('$')? + 2;
    let tag = &text[..tag_end];
    let name = &tag[1..tag_end - 1];
    if !name.chars().all(|c| c.is_alphanumeric() || c == '_')
        || name.starts_with(|c: char| c.is_ascii_digit())
    {
        return None;
    }
    Some(text[tag_end..].find(tag).map_or(text.len(), |end| tag_end + end + tag_end))
}

/// The length of a comment that may hold others.
fn block_comment(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut depth, mut at) = (0_usize, 0);
    while at < bytes.len() {
        if bytes[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if bytes[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    text.len()
}
