//! The reader and the writer together, on good, broken and hostile files.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::io::{self, Read, Write as _};

use csvio::{Columns, Entry, Limits, ReadError, Reader, Writer, open};
use flate2::{Compression, write::GzEncoder};
use proptest::prelude::*;

const COLUMNS: Columns = Columns { required: &["id", "name"], optional: &["note"] };

/// The rows as `id|name`, and the broken ones as `line code`.
fn read(bytes: impl Read) -> (Vec<String>, Vec<String>) {
    let mut reader = Reader::new(bytes, &COLUMNS).unwrap();
    let (id, name) = (reader.column("id").unwrap(), reader.column("name").unwrap());
    let (mut rows, mut broken) = (Vec::new(), Vec::new());
    while let Some(entry) = reader.next_entry().unwrap() {
        match entry {
            Entry::Row(row) => match row.text(name) {
                Ok(name) => rows.push(format!("{}|{name}", row.raw(id))),
                Err(reject) => broken.push(format!("{} {}", reject.line, reject.code)),
            },
            Entry::Broken(row) => broken.push(format!("{} {}", row.reject.line, row.reject.code)),
        }
    }
    (rows, broken)
}

#[track_caller]
fn check(file: &[u8], rows: &[&str], broken: &[&str]) {
    assert_eq!(read(file), (owned(rows), owned(broken)));
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

// CAT-3, SAL-11: the good rows are taken, each bad one is reported by its line.
#[test]
fn each_broken_row_costs_only_itself() {
    check(
        b"id,name\n1,\xff\xfe\n2,two\n3\n4,four,extra\n5,fi\0ve\n6,=1+1\n7,'=1+1\n\n8,\"ei\nght\"\n9,5\" pizza\n10,ten",
        &["2|two", "7|=1+1", "8|ei\nght", "10|ten"],
        &["2 CSV_UTF8", "4 CSV_COLUMNS", "5 CSV_COLUMNS", "6 CSV_NUL", "7 CSV_FORMULA", "12 CSV_QUOTE"],
    );
}

#[test]
fn an_open_quote_costs_its_own_line_and_none_behind_it() {
    check(b"id,name\r\n1,\"open\r\n2,two\r\n3,three\r\n", &["2|two", "3|three"], &["2 CSV_QUOTE"]);
    check(b"id,name\n1,\"open\n2,\"two\"\n3,three\n", &["2|two", "3|three"], &["2 CSV_QUOTE"]);
    let long = format!("id,name\n1,\"open\n{}", "2,two\n".repeat(40_000));
    let (rows, broken) = read(long.as_bytes());
    assert_eq!((rows.len(), broken), (40_000, owned(&["2 CSV_QUOTE"])));
}

#[test]
fn halves_of_a_character_in_two_fields_do_not_make_a_whole_one() {
    check(b"id,name\n\xc3,\xa9\n2,two\n", &["2|two"], &["2 CSV_UTF8"]);
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_are_fine() {
    check(b"\xef\xbb\xbfid,name\r\n1,one\r\n", &["1|one"], &[]);
}

// HTTP-8: a line of 100 MB passes through a window of two records.
#[test]
fn a_line_of_100_megabytes_is_passed_over_in_constant_memory() {
    let line = io::repeat(b'x').take(100_000_000);
    let file = b"id,name\n1,one\n2,".chain(line).chain(&b"\n3,three\n"[..]);
    assert_eq!(read(file), (owned(&["1|one", "3|three"]), owned(&["3 RECORD_TOO_LONG"])));
    let quoted = b"id,name\n2,\"".chain(io::repeat(b'x').take(1_000_000)).chain(&b"\"\n3,three\n"[..]);
    assert_eq!(read(quoted), (owned(&["3|three"]), owned(&["2 RECORD_TOO_LONG"])));
}

#[test]
fn a_gzip_bomb_ends_at_the_bound_of_unpacked_text() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(b"id,name\n").unwrap();
    for _ in 0..200 {
        encoder.write_all(&[b'\n'; 100_000]).unwrap();
    }
    let bomb = encoder.finish().unwrap();
    let limits = Limits { total_bytes: 1_000_000, ..Limits::default() };
    let mut reader = Reader::with_limits(open(&bomb[..]).unwrap(), &COLUMNS, limits).unwrap();
    let error = loop {
        match reader.next_entry() {
            Ok(Some(_)) => {}
            Ok(None) => panic!("the bomb was read whole"),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, ReadError::TooLarge(1_000_000)));
}

#[test]
fn a_gzip_file_that_is_cut_off_gives_its_good_rows_before_it_fails() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::none());
    encoder.write_all(b"id,name\n1,one\n2,two\n3,thr").unwrap();
    let mut packed = encoder.finish().unwrap();
    packed.truncate(packed.len() - 8);
    let mut reader = Reader::new(open(&packed[..]).unwrap(), &COLUMNS).unwrap();
    let mut rows = 0;
    let error = loop {
        match reader.next_entry() {
            Ok(Some(Entry::Row(_))) => rows += 1,
            Ok(other) => panic!("{other:?}"),
            Err(error) => break error,
        }
    };
    assert_eq!(rows, 2);
    assert!(matches!(error, ReadError::Io { line: 4, .. }), "{error}");
}

// SAL-11: a sale is refused whole when one of its rows is broken, so its key must be told from the broken row.
#[test]
fn the_key_of_a_broken_row_can_be_told_wherever_its_column_stands() {
    let mut reader = Reader::new(&b"name,id\n\"open,7\n\"a\"x,8\nonly\n"[..], &COLUMNS).unwrap();
    let id = reader.column("id").unwrap();
    let mut told = Vec::new();
    while let Some(entry) = reader.next_entry().unwrap() {
        match entry {
            Entry::Row(row) => panic!("{row:?}"),
            Entry::Broken(broken) => told.push(broken.guess(id)),
        }
    }
    assert_eq!(told, [None, Some("8".to_owned()), None]);
}

#[test]
fn a_file_without_the_needed_columns_is_refused_as_a_whole() {
    for (file, message) in [
        (&b""[..], "the file is empty; its first line must name the columns"),
        (b"id\n1\n", "the header lacks the columns: name"),
        (b"id,name,id\n", "the header names the column id twice"),
        (b"id,\"name\n", "the first line cannot be read as a header: CSV_QUOTE"),
        (b"id,na\xffme\n", "the first line cannot be read as a header: CSV_UTF8"),
    ] {
        assert_eq!(Reader::new(file, &COLUMNS).unwrap_err().to_string(), message);
    }
}

fn written(rows: &[(String, String)]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new());
    writer.header(&["id", "name"]).unwrap();
    for (id, name) in rows {
        writer.plain(id).unwrap();
        writer.text(name).unwrap();
        writer.end_row().unwrap();
    }
    writer.into_inner()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    // HTTP-8: any bytes are read to their end; each line is a row, a report, or part of one.
    #[test]
    fn any_bytes_end_without_panic(bytes in prop::collection::vec(
        prop_oneof![Just(b'"'), Just(b','), Just(b'\n'), Just(b'\r'), Just(b'a'), Just(0_u8), any::<u8>()], 0..300,
    ), record_bytes in 1_usize..40) {
        let file = [&b"id,name\n"[..], &bytes].concat();
        let limits = Limits { record_bytes: record_bytes.max(8), ..Limits::default() };
        let mut reader = Reader::with_limits(&file[..], &COLUMNS, limits).unwrap();
        let mut entries = 0;
        while reader.next_entry().unwrap().is_some() {
            entries += 1;
            prop_assert!(entries <= bytes.len() + 1);
        }
        let lines = file.iter().filter(|&&byte| byte == b'\n').count() as u64;
        prop_assert_eq!(reader.line(), lines + 1);
    }

    // CAT-3: what is exported reads back identically.
    #[test]
    fn written_rows_read_back(rows in prop::collection::vec(
        ("[a-z0-9,\"]{1,9}", "[=+@'\"\t\r\n,-]{0,3}[^\\x00]{0,8}"), 0..20,
    )) {
        let file = written(&rows);
        let (read, broken) = read(&file[..]);
        prop_assert_eq!(broken, Vec::<String>::new());
        let expected: Vec<_> = rows.iter().map(|(id, name)| format!("{id}|{name}")).collect();
        prop_assert_eq!(read, expected);
    }

    // A window of any size sees the same rows.
    #[test]
    fn the_size_of_the_window_does_not_change_what_is_read(rows in prop::collection::vec(
        ("[a-z]{1,9}", "[a-z\"\n, é]{0,12}"), 0..30,
    ), record_bytes in 64_usize..90) {
        let file = written(&rows);
        let limits = Limits { record_bytes, ..Limits::default() };
        let mut reader = Reader::with_limits(&file[..], &COLUMNS, limits).unwrap();
        let id = reader.column("id").unwrap();
        let mut ids = Vec::new();
        while let Some(entry) = reader.next_entry().unwrap() {
            match entry {
                Entry::Row(row) => ids.push(row.raw(id).to_owned()),
                Entry::Broken(broken) => prop_assert!(false, "{:?}", broken),
            }
        }
        prop_assert_eq!(ids, rows.into_iter().map(|row| row.0).collect::<Vec<_>>());
    }
}
