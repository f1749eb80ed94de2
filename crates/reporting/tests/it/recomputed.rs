//! Every report against a recomputation in Rust, line by line.

use std::collections::{BTreeMap, BTreeSet};

use inventory::ShopId;
use jiff::Timestamp;
use reporting::{
    Range, SalesGroup, SalesGroupBy, SalesReportInput, VatGroupBy, VatReportInput, When, report_sales,
    report_vat,
};
use sales::Sale;

use crate::books::{Books, ZONE};

/// Receipts, quantity, net, vat, gross, discount.
type Row = (i64, Option<i64>, i64, i64, i64, i64);

fn range(from: &str, to: &str) -> Range {
    let when = |text: &str| Some(text.parse::<When>().unwrap());
    Range::new(when(from), when(to), ZONE, Timestamp::UNIX_EPOCH).unwrap()
}

/// From the first day of the books to long after their last, and parts that begin and end in awkward places.
fn ranges() -> Vec<Range> {
    vec![
        range("2026-01-01", "2027-12-31"),
        range("2026-03-29", "2026-03-29"),
        range("2026-10-25", "2026-10-26"),
        range("2026-04-15", "2026-06-14"),
        range("2026-03-29T00:30:00Z", "2026-10-25T00:59:00Z"),
        range("2020-01-01", "2020-12-31"),
    ]
}

fn local_date(sale: &Sale) -> String {
    sale.occurred_at.in_tz(ZONE).unwrap().date().to_string()
}

fn cut(path: &str, depth: Option<u16>) -> String {
    match depth {
        Some(depth) => path.split('/').take(depth.into()).collect::<Vec<_>>().join("/"),
        None => path.to_owned(),
    }
}

impl Books {
    fn selected(&self, range: &Range, shop: Option<ShopId>) -> Vec<&Sale> {
        let inside = |sale: &&Sale| {
            sale.occurred_at >= range.from
                && sale.occurred_at < range.to
                && shop.is_none_or(|shop| sale.shop_id == shop)
        };
        self.sales.iter().filter(inside).collect()
    }

    /// What the report should say.
    fn expected(&self, input: &SalesReportInput) -> BTreeMap<String, Row> {
        let mut rows: BTreeMap<String, Row> = BTreeMap::new();
        let mut receipts: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for sale in self.selected(&input.range, input.shop) {
            for line in &sale.lines {
                let date = local_date(sale);
                let (key, by_line) = match input.group_by {
                    SalesGroupBy::Day => (date, false),
                    SalesGroupBy::Month => (date[..7].to_owned(), false),
                    SalesGroupBy::Shop => (sale.shop_id.to_string(), false),
                    SalesGroupBy::Product => (line.sku.clone(), true),
                    SalesGroupBy::Category => (cut(&line.category, input.depth), true),
                };
                receipts.entry(key.clone()).or_default().insert(sale.id.to_string());
                let row = rows.entry(key).or_default();
                row.1 = by_line.then(|| row.1.unwrap_or(0) + line.quantity.thousandths());
                row.2 += line.net.amount;
                row.3 += line.vat.amount;
                row.4 += line.gross.amount;
                row.5 += line.discount.amount;
            }
        }
        for (key, sales) in receipts {
            rows.get_mut(&key).unwrap().0 = i64::try_from(sales.len()).unwrap();
        }
        rows
    }

    /// What the report says, read in pages of seven.
    async fn reported(&self, input: &SalesReportInput) -> Vec<SalesGroup> {
        let tx = self.site.db.begin_read(&self.ctx).await.unwrap();
        let mut input = SalesReportInput { limit: 7, ..input.clone() };
        let mut all = Vec::new();
        loop {
            let (groups, totals, more) = report_sales(&tx, &input).await.unwrap();
            assert!(groups.len() <= 7);
            input.after = groups.last().map(|group| group.key.clone());
            all.extend(groups);
            if !more {
                let sum = |of: fn(&SalesGroup) -> i64| all.iter().map(of).sum::<i64>();
                assert_eq!(totals.gross.amount, sum(|group| group.amounts.gross.amount));
                assert_eq!(totals.net.amount, sum(|group| group.amounts.net.amount));
                assert_eq!(totals.vat.amount, sum(|group| group.amounts.vat.amount));
                assert_eq!(totals.discount.amount, sum(|group| group.amounts.discount.amount));
                return all;
            }
        }
    }
}

fn row_of(group: &SalesGroup) -> Row {
    let amounts = &group.amounts;
    (
        amounts.receipts,
        group.quantity.map(|quantity| quantity.0),
        amounts.net.amount,
        amounts.vat.amount,
        amounts.gross.amount,
        amounts.discount.amount,
    )
}

// REP-1, REP-5
#[tokio::test]
async fn every_sales_report_equals_a_recomputation_from_the_sales_themselves() {
    use SalesGroupBy::{Category, Day, Month, Product, Shop};
    let books = Books::open().await;
    assert!(books.sales.len() > 450, "the books hold corrections as well: {}", books.sales.len());
    let shops: BTreeSet<ShopId> = books.sales.iter().map(|sale| sale.shop_id).collect();
    let shops: Vec<Option<ShopId>> = std::iter::once(None).chain(shops.into_iter().map(Some)).collect();
    let kinds = [
        (Day, None),
        (Month, None),
        (Shop, None),
        (Product, None),
        (Category, None),
        (Category, Some(1)),
        (Category, Some(2)),
    ];
    for range in ranges() {
        for shop in shops.iter().copied() {
            for (group_by, depth) in kinds {
                let input =
                    SalesReportInput { range: range.clone(), group_by, shop, depth, after: None, limit: 7 };
                let expected = books.expected(&input);
                let reported = books.reported(&input).await;
                assert!(reported.is_sorted_by(|a, b| a.key < b.key), "{input:?}");
                let reported: BTreeMap<String, Row> =
                    reported.iter().map(|group| (group.key.clone(), row_of(group))).collect();
                assert_eq!(reported, expected, "{input:?}");
            }
        }
    }
}

// REP-1, REP-5
#[tokio::test]
async fn every_vat_report_equals_a_recomputation_from_the_sales_themselves() {
    let books = Books::open().await;
    let tx = books.site.db.begin_read(&books.ctx).await.unwrap();
    for range in ranges() {
        for group_by in [VatGroupBy::Rate, VatGroupBy::Month, VatGroupBy::Day] {
            let mut expected: BTreeMap<(Option<String>, i32), (i64, i64, i64)> = BTreeMap::new();
            for sale in books.selected(&range, None) {
                let date = local_date(sale);
                let period = match group_by {
                    VatGroupBy::Rate => None,
                    VatGroupBy::Month => Some(date[..7].to_owned()),
                    VatGroupBy::Day => Some(date),
                };
                // The tax lines of the receipt, not its lines: both must come to the same.
                for tax in &sale.vat {
                    let row = expected.entry((period.clone(), tax.rate)).or_default();
                    row.0 += tax.net.amount;
                    row.1 += tax.vat.amount;
                    row.2 += tax.net.amount + tax.vat.amount;
                }
            }
            let input = VatReportInput { range: range.clone(), group_by, shop: None };
            let (rows, totals) = report_vat(&tx, &input).await.unwrap().unwrap();
            let reported: BTreeMap<_, _> = rows
                .iter()
                .map(|row| {
                    ((row.period.clone(), row.rate), (row.net.amount, row.vat.amount, row.gross.amount))
                })
                .collect();
            assert_eq!(reported, expected, "{input:?}");
            let sum: i64 = totals.iter().map(|row| row.vat.amount).sum();
            assert_eq!(sum, expected.values().map(|row| row.1).sum::<i64>());
        }
    }
}
