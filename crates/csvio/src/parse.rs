//! One record from the front of a buffer: a pure state machine over bytes.

/// What stands at the front of the buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parsed {
    /// A whole record of so many bytes, its line end included.
    Record(usize),
    /// The buffer ends inside the record.
    More {
        /// Inside quotes.
        quoted: bool,
    },
    /// A quote where none may be; the record cannot be trusted from its first line on.
    BadQuote,
}

/// Unquoted fields, one after the other.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    pub(crate) bytes: Vec<u8>,
    pub(crate) ends: Vec<usize>,
}

impl Fields {
    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    fn end(&mut self) {
        self.ends.push(self.bytes.len());
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    FieldStart,
    Bare,
    Quoted,
    AfterQuote,
}

/// Parses one record of `input` into `fields`; `last` says that nothing follows the buffer.
///
/// A line ends with LF or CR LF; a CR elsewhere is data. `input` must not be empty.
pub(crate) fn parse_record(input: &[u8], last: bool, fields: &mut Fields) -> Parsed {
    fields.clear();
    let mut state = State::FieldStart;
    let mut at = 0;
    while let Some(&byte) = input.get(at) {
        if state == State::Quoted {
            match byte {
                b'"' => state = State::AfterQuote,
                _ => fields.bytes.push(byte),
            }
            at += 1;
            continue;
        }
        match byte {
            b'\n' => {
                fields.end();
                return Parsed::Record(at + 1);
            }
            b'\r' => match input.get(at + 1) {
                Some(b'\n') => {
                    fields.end();
                    return Parsed::Record(at + 2);
                }
                None if !last => return Parsed::More { quoted: false },
                _ if state == State::AfterQuote => return Parsed::BadQuote,
                _ => {
                    fields.bytes.push(byte);
                    state = State::Bare;
                }
            },
            b',' => {
                fields.end();
                state = State::FieldStart;
            }
            b'"' => match state {
                State::FieldStart => state = State::Quoted,
                State::AfterQuote => {
                    fields.bytes.push(b'"');
                    state = State::Quoted;
                }
                _ => return Parsed::BadQuote,
            },
            _ if state == State::AfterQuote => return Parsed::BadQuote,
            _ => {
                fields.bytes.push(byte);
                state = State::Bare;
            }
        }
        at += 1;
    }
    if state == State::Quoted || !last {
        return Parsed::More { quoted: state == State::Quoted };
    }
    fields.end();
    Parsed::Record(at)
}

/// The field at `index` of a line that could not be parsed, as well as it can be told.
pub(crate) fn guess_field(line: &[u8], index: usize) -> Option<String> {
    let mut fields = Vec::new();
    let mut quoted = false;
    let mut field = Vec::new();
    for &byte in line {
        match byte {
            b'"' => quoted = !quoted,
            b',' if !quoted => fields.push(std::mem::take(&mut field)),
            b'\r' | b'\n' => {}
            _ => field.push(byte),
        }
        if fields.len() > index {
            break;
        }
    }
    fields.push(field);
    fields.get(index).map(|field| String::from_utf8_lossy(field).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields_of(input: &str) -> Option<Vec<String>> {
        let mut fields = Fields::default();
        match parse_record(input.as_bytes(), true, &mut fields) {
            Parsed::Record(_) => {
                let mut start = 0;
                let mut texts = Vec::new();
                for &end in &fields.ends {
                    texts.push(String::from_utf8_lossy(&fields.bytes[start..end]).into_owned());
                    start = end;
                }
                Some(texts)
            }
            _ => None,
        }
    }

    #[test]
    fn quotes_commas_and_line_ends_within_quotes_are_data() {
        assert_eq!(fields_of("a,\"b,\"\"c\"\"\r\nd\",\r\nnext").unwrap(), ["a", "b,\"c\"\r\nd", ""]);
        assert_eq!(fields_of("a\rb,c").unwrap(), ["a\rb", "c"]);
        assert_eq!(fields_of("\n").unwrap(), [""]);
    }

    #[test]
    fn quotes_inside_a_bare_field_or_text_after_a_closing_quote_are_refused() {
        for input in ["5\" pizza,1", "\"a\"b,1", "\"a\"\r,1", "\"open"] {
            assert_eq!(fields_of(input), None, "{input}");
        }
    }

    #[test]
    fn the_first_field_of_a_broken_line_can_be_told() {
        assert_eq!(guess_field(b"B-17,\"open,x", 0).as_deref(), Some("B-17"));
        assert_eq!(guess_field(b"B-17,b\"x,\"y", 1).as_deref(), Some("bx,y"));
        assert_eq!(guess_field(b"B-17", 3), None);
    }
}
