//! Plain or gzip, told apart by the first two bytes.

use std::io::{self, Cursor, Read};

use flate2::read::MultiGzDecoder;

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// The text behind `source`: itself, or unpacked when it starts like gzip. Nothing is read ahead beyond a buffer, so
/// a gzip bomb costs no memory; its length is bounded by [`crate::Limits::total_bytes`].
///
/// # Errors
/// When the first bytes cannot be read.
pub fn open<'a>(mut source: impl Read + Send + 'a) -> io::Result<Box<dyn Read + Send + 'a>> {
    let mut magic = [0_u8; 2];
    let (read, failure) = read_fully(&mut source, &mut magic);
    if let Some(error) = failure {
        return Err(error);
    }
    let whole = Cursor::new(magic).take(read as u64).chain(source);
    if read == 2 && magic == GZIP_MAGIC {
        Ok(Box::new(MultiGzDecoder::new(whole)))
    } else {
        Ok(Box::new(whole))
    }
}

/// Fills `target` as far as the source goes: the number of bytes read, short only at the end or before a failure.
pub(crate) fn read_fully(source: &mut impl Read, target: &mut [u8]) -> (usize, Option<io::Error>) {
    let mut filled = 0;
    while filled < target.len() {
        match source.read(&mut target[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (filled, Some(error)),
        }
    }
    (filled, None)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn text_of(bytes: &[u8]) -> Vec<u8> {
        let mut text = Vec::new();
        open(bytes).unwrap().read_to_end(&mut text).unwrap();
        text
    }

    #[test]
    fn plain_and_gzip_give_the_same_text_also_when_packed_in_two_pieces() {
        let mut packed = Vec::new();
        for piece in ["sku,name\n", "A,Bread\n"] {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(piece.as_bytes()).unwrap();
            packed.extend(encoder.finish().unwrap());
        }
        assert_eq!(text_of(&packed), b"sku,name\nA,Bread\n");
        assert_eq!(text_of(b"sku,name\nA,Bread\n"), b"sku,name\nA,Bread\n");
    }

    #[test]
    fn files_of_no_or_one_byte_are_read() {
        assert_eq!(text_of(b""), b"");
        assert_eq!(text_of(b"x"), b"x");
    }
}
