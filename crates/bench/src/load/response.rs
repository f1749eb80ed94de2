//! As much of an HTTP/1.1 response as a load generator must understand: where it ends, and its status.

use anyhow::{Context, Result, bail};

/// A whole response at the start of a buffer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Response {
    pub(crate) status: u16,
    /// Bytes up to its end.
    pub(crate) length: usize,
    /// Where its body begins.
    pub(crate) body: usize,
    /// The server will close the connection.
    pub(crate) closes: bool,
}

/// The response at the start of `bytes`; none when more bytes are needed.
///
/// # Errors
/// On what is no HTTP/1.1 response with a length.
pub(crate) fn parse(bytes: &[u8]) -> Result<Option<Response>> {
    let Some(end) = find(bytes, b"\r\n\r\n") else {
        if bytes.len() > 64 * 1024 {
            bail!("a response head without end");
        }
        return Ok(None);
    };
    let head = &bytes[..end];
    if !head.starts_with(b"HTTP/1.1 ") || head.len() < 12 {
        bail!("not an HTTP/1.1 response");
    }
    let status = std::str::from_utf8(&head[9..12])?.parse().context("not a status")?;
    let body = end + 4;
    let (mut length, mut chunked, mut closes) = (None, false, false);
    for line in head.split(|byte| *byte == b'\n').skip(1) {
        if let Some(value) = header(line, b"content-length") {
            length = Some(std::str::from_utf8(value)?.trim().parse::<usize>().context("not a length")?);
        } else if let Some(value) = header(line, b"transfer-encoding") {
            chunked = value.trim_ascii().eq_ignore_ascii_case(b"chunked");
        } else if let Some(value) = header(line, b"connection") {
            closes = value.trim_ascii().eq_ignore_ascii_case(b"close");
        }
    }
    let length = if chunked {
        match chunks(&bytes[body..])? {
            Some(length) => length,
            None => return Ok(None),
        }
    } else if status == 204 || status == 304 {
        0
    } else {
        length.context("a response without length")?
    };
    let length = body + length;
    Ok((bytes.len() >= length).then_some(Response { status, length, body, closes }))
}

/// The value of the line's header when its name is `name`, which is lower case.
fn header<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let value = line.get(name.len()..)?.strip_prefix(b":")?;
    line[..name.len()].eq_ignore_ascii_case(name).then_some(value)
}

/// The length of a chunked body, with its last chunk; none when it is not all there.
fn chunks(bytes: &[u8]) -> Result<Option<usize>> {
    let mut at = 0;
    loop {
        let Some(line) = find(&bytes[at..], b"\r\n") else {
            return Ok(None);
        };
        let size = std::str::from_utf8(&bytes[at..at + line])?;
        let size = usize::from_str_radix(size.trim(), 16).context("not a chunk")?;
        let next = at + line + 2 + size + 2;
        if next > bytes.len() {
            return Ok(None);
        }
        if size == 0 {
            return Ok(Some(next));
        }
        at = next;
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    // Nearly every byte is skipped by looking for the first one only.
    let mut from = 0;
    while let Some(at) = bytes.get(from..)?.iter().position(|byte| *byte == what[0]) {
        if bytes[from + at..].starts_with(what) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_ends_where_its_length_says_and_not_before() -> Result<()> {
        let bytes = b"HTTP/1.1 201 Created\r\nContent-Length: 5\r\nx: y\r\n\r\nhelloHTTP/1.1 200";
        let whole = Response { status: 201, length: 54, body: 49, closes: false };
        for cut in 0..54 {
            assert_eq!(parse(&bytes[..cut])?, None, "{cut}");
        }
        assert_eq!(parse(bytes)?, Some(whole));
        Ok(())
    }

    #[test]
    fn chunks_are_followed_to_the_last() -> Result<()> {
        let bytes =
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\na\r\n0123456789\r\n0\r\n\r\n";
        for cut in 0..bytes.len() {
            assert_eq!(parse(&bytes[..cut])?, None, "{cut}");
        }
        assert_eq!(parse(bytes)?.map(|response| response.length), Some(bytes.len()));
        Ok(())
    }

    #[test]
    fn no_content_needs_no_length_and_a_closing_server_is_noticed() -> Result<()> {
        let response = parse(b"HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n")?;
        assert_eq!(response.map(|r| (r.status, r.closes, r.length)), Some((304, true, 48)));
        Ok(())
    }

    #[test]
    fn what_is_no_response_is_refused() {
        for bytes in [
            &b"HTTP/1.0 200 OK\r\n\r\n"[..],
            b"nonsense\r\n\r\n",
            b"HTTP/1.1 abc no\r\ncontent-length: 0\r\n\r\n",
            b"HTTP/1.1 200 OK\r\n\r\n",
            b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n",
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        ] {
            assert!(parse(bytes).is_err(), "{}", String::from_utf8_lossy(bytes));
        }
        assert!(parse(&[b'a'; 70_000]).is_err());
    }
}
