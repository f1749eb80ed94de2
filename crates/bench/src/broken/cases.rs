//! The rows.

use super::{Fate, Row, Text};

const LONG: &str = "a line of absurd length";

const PRODUCT_HEADER: &str = "sku,name,category,price,currency,tax_category,barcode,unit,active";
const SALES_HEADER: &str =
    "external_id,shop,register,occurred_at,customer,sku,quantity,unit_price,discount,tender";

/// A bad row: what it is about, its text, and why it must be rejected.
type Case = (&'static str, &'static str, &'static str);

const BAD_PRODUCTS: [Case; 13] = [
    ("B-COLUMNS", "B-COLUMNS", "missing columns"),
    ("B-MANY", "B-MANY,Many,Food,1.00,USD,,,,true,extra,extra", "too many columns"),
    ("", ",No sku,Food,1.00,USD,,,,true", "an empty sku"),
    ("B-NAME", "B-NAME,,Food,1.00,USD,,,,true", "an empty name"),
    ("B-WORD", "B-WORD,Word,Food,abc,USD,,,,true", "a price that is no number"),
    ("B-NEGATIVE", "B-NEGATIVE,Negative,Food,-1.00,USD,,,,true", "a negative price"),
    ("B-HUGE", "B-HUGE,Huge,Food,99999999999999999999.99,USD,,,,true", "an absurd price"),
    ("B-EXPONENT", "B-EXPONENT,Exponent,Food,1e308,USD,,,,true", "an absurd price"),
    ("B-NAN", "B-NAN,Nan,Food,NaN,USD,,,,true", "a price that is no number"),
    ("B-CURRENCY", "B-CURRENCY,Currency,Food,1.00,DOLLARS,,,,true", "no currency"),
    ("B-ACTIVE", "B-ACTIVE,Active,Food,1.00,USD,,,,perhaps", "neither true nor false"),
    ("B-NUL", "B-NUL,N\0l,Food,1.00,USD,,,,true", "a NUL character"),
    ("B-QUOTE", "B-QUOTE,\"Never closed,Food,1.00,USD,,,,true", "an unbalanced quote"),
];

const BAD_SALES: [Case; 16] = [
    ("B-COLUMNS", "B-COLUMNS,S1", "missing columns"),
    ("B-MANY", "B-MANY,S1,,2017-03-01T10:00:00Z,,GOOD-1,1,1.50,,cash,extra", "too many columns"),
    ("", ",S1,,2017-03-01T10:00:00Z,,GOOD-1,1,1.50,,cash", "an empty external_id"),
    ("B-WHEN", "B-WHEN,S1,,yesterday,,GOOD-1,1,1.50,,cash", "not a time"),
    ("B-DAY", "B-DAY,S1,,2017-02-30T10:00:00Z,,GOOD-1,1,1.50,,cash", "no such day"),
    ("B-SKU", "B-SKU,S1,,2017-03-01T10:00:00Z,,NO-SUCH-SKU,1,1.50,,cash", "an unknown sku"),
    ("B-FORMULA", "B-FORMULA,S1,,2017-03-01T10:00:00Z,,=cmd|' /C calc'!A0,1,1.50,,cash", "an unknown sku"),
    (
        "B-MANY-OF",
        "B-MANY-OF,S1,,2017-03-01T10:00:00Z,,GOOD-1,9999999999999999999,1.50,,cash",
        "an absurd quantity",
    ),
    ("B-EXPONENT", "B-EXPONENT,S1,,2017-03-01T10:00:00Z,,GOOD-1,1e308,1.50,,cash", "an absurd quantity"),
    ("B-NAN", "B-NAN,S1,,2017-03-01T10:00:00Z,,GOOD-1,NaN,1.50,,cash", "not a quantity"),
    ("B-FINE", "B-FINE,S1,,2017-03-01T10:00:00Z,,GOOD-1,0.00001,1.50,,cash", "more than three decimals"),
    (
        "B-PRICE",
        "B-PRICE,S1,,2017-03-01T10:00:00Z,,GOOD-1,1,99999999999999999999.99,,cash",
        "an absurd price",
    ),
    ("B-NEGATIVE", "B-NEGATIVE,S1,,2017-03-01T10:00:00Z,,GOOD-1,1,-1.50,,cash", "a negative price"),
    ("B-DISCOUNT", "B-DISCOUNT,S1,,2017-03-01T10:00:00Z,,GOOD-1,1,1.50,free,cash", "not a discount"),
    ("B-NUL", "B-NUL\0,S1,,2017-03-01T10:00:00Z,,GOOD-1,1,1.50,,cash", "a NUL character"),
    ("B-QUOTE", "\"B-QUOTE,S1,,2017-03-01T10:00:00Z,,GOOD-1,1,1.50,,cash", "an unbalanced quote"),
];

/// The products file: `GOOD-1`.. are taken.
pub(super) fn products() -> Vec<Row> {
    let mut rows = vec![row("sku", PRODUCT_HEADER, Fate::Good)];
    let mut number = 0;
    let mut good = |rows: &mut Vec<Row>| {
        number += 1;
        let id = format!("GOOD-{number}");
        let text = format!("{id},Good thing {number},Food/Good,{number}.50,USD,,,,true");
        rows.push(row(&id, &text, Fate::Good));
    };
    between_good_ones(&mut rows, &BAD_PRODUCTS, &mut good);
    rows.push(bytes("B-UTF8", b"B-UTF8,\xff\xfe bread,Food,1.00,USD,,,,true", Fate::Bad("not UTF-8")));
    good(&mut rows);
    rows.push(long());
    good(&mut rows);
    // What a spreadsheet would run: whoever means it escapes it with an apostrophe.
    let formula = "FORMULA-1,\"=cmd|' /C calc'!A0\",Food,1.00,USD,,,,true";
    rows.push(row("FORMULA-1", formula, Fate::Bad("a formula")));
    good(&mut rows);
    rows.push(row("FORMULA-2", "FORMULA-2,\"'=1+1\",Food,1.00,USD,,,,true", Fate::Good));
    rows.push(row("QUOTED-1", "QUOTED-1,\"Bread, \"\"dark\"\"\",Food,1.00,USD,,,,true", Fate::Good));
    rows.push(row("GOOD-1", "GOOD-1,Another thing,Food,77.00,USD,,,,true", Fate::Repeated));
    good(&mut rows);
    rows
}

/// The sales file: sells `GOOD-1` and `GOOD-2`; sales `G-1`.. are taken.
pub(super) fn sales() -> Vec<Row> {
    let mut rows = vec![row("external_id", SALES_HEADER, Fate::Good)];
    let mut number = 0;
    let mut good = |rows: &mut Vec<Row>| {
        number += 1;
        let id = format!("G-{number}");
        for sku in ["GOOD-1", "GOOD-2"] {
            let text = format!("{id},S1,,2017-03-01T10:00:00Z,,{sku},2,1.50,0.25,cash");
            rows.push(row(&id, &text, Fate::Good));
        }
    };
    between_good_ones(&mut rows, &BAD_SALES, &mut good);
    let text = b"B-UTF8,\xff\xfe,,2017-03-01T10:00:00Z,,GOOD-1,1,1.50,,cash";
    rows.push(bytes("B-UTF8", text, Fate::Bad("not UTF-8")));
    good(&mut rows);
    rows.push(long());
    good(&mut rows);
    for (sku, quantity) in [("GOOD-1", "1"), ("GOOD-2", "none"), ("GOOD-1", "1")] {
        let text = format!("HALF,S1,,2017-03-01T10:00:00Z,,{sku},{quantity},1.50,,cash");
        rows.push(row("HALF", &text, Fate::Bad("a row of a sale that cannot be taken as a whole")));
    }
    good(&mut rows);
    // One id at two times: whose rows are whose cannot be told, and half a sale is never taken.
    for hour in [10, 11] {
        let text = format!("TWICE,S1,,2017-03-01T{hour}:00:00Z,,GOOD-1,1,1.50,,cash");
        rows.push(row("TWICE", &text, Fate::Bad("an id of two sales")));
        good(&mut rows);
    }
    good(&mut rows);
    rows
}

fn between_good_ones(rows: &mut Vec<Row>, cases: &[Case], good: &mut impl FnMut(&mut Vec<Row>)) {
    good(rows);
    for (id, text, reason) in cases {
        rows.push(row(id, text, Fate::Bad(reason)));
        good(rows);
    }
}

fn long() -> Row {
    Row { id: "B-LONG".to_owned(), text: Text::Long(b"B-LONG,".to_vec()), fate: Fate::Bad(LONG) }
}

fn row(id: &str, text: &str, fate: Fate) -> Row {
    bytes(id, text.as_bytes(), fate)
}

fn bytes(id: &str, text: &[u8], fate: Fate) -> Row {
    Row { id: id.to_owned(), text: Text::Short(text.to_vec()), fate }
}
