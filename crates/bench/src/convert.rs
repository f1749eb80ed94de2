//! The Complete Journey study as files that `markethall import` takes, and what the reports must then add up to.

mod decimal;
mod raw;
mod rows;
mod totals;

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    fs::{self, File},
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use flate2::{Compression, write::GzEncoder};
use raw::{Line, Product};
use rows::SaleLine;

const PRODUCT_HEADER: [&str; 9] =
    ["sku", "name", "category", "price", "currency", "tax_category", "barcode", "unit", "active"];
const SALES_HEADER: [&str; 10] = [
    "external_id",
    "shop",
    "register",
    "occurred_at",
    "customer",
    "sku",
    "quantity",
    "unit_price",
    "discount",
    "tender",
];

/// Where to read and write.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// products.csv or products.csv.gz of the study
    #[arg(long)]
    products: PathBuf,
    /// transactions.csv or transactions.csv.gz of the study
    #[arg(long)]
    transactions: PathBuf,
    /// Folder for products.csv, sales.csv and totals.json
    #[arg(long)]
    out: PathBuf,
    /// Write products.csv.gz and sales.csv.gz
    #[arg(long)]
    gzip: bool,
}

/// Converts, writes, and prints what became of every row.
pub(crate) fn convert(args: &Args) -> Result<()> {
    let report = convert_files(args)?;
    println!("{report}");
    Ok(())
}

/// Converts the study in `folder` into `out`; gives how many products and lines there are.
pub(crate) fn study(folder: &Path, out: &Path) -> Result<(usize, usize)> {
    let file = |name: &str| folder.join(name);
    let report = convert_files(&Args {
        products: file("products.csv.gz"),
        transactions: file("transactions-first-half.csv.gz"),
        out: out.to_owned(),
        gzip: false,
    })?;
    Ok((report.products_out, report.lines_out))
}

fn convert_files(args: &Args) -> Result<Report> {
    let products: Vec<Product> = raw::read(&args.products)?;
    let lines: Vec<Line> = raw::read(&args.transactions)?;
    let by_id = raw::by_id(&products)?;
    fs::create_dir_all(&args.out).with_context(|| format!("cannot create {}", args.out.display()))?;

    let sales: Vec<SaleLine> = lines
        .iter()
        .map(|line| rows::sale_line(line, by_id.get(line.product_id.as_str()).copied()))
        .collect::<Result<_>>()?;
    let mut report = Report { products_in: products.len(), lines_in: lines.len(), ..Report::default() };
    write_products(args, &products, &by_id, &lines, &sales, &mut report)?;
    write_sales(args, &lines, &sales, &mut report)?;

    let totals = totals::totals(&lines, &by_id)?;
    ensure!(report.paid == totals.total(), "{} cents converted, {} received", report.paid, totals.total());
    let file = File::create(args.out.join("totals.json"))?;
    serde_json::to_writer_pretty(BufWriter::new(file), &totals)?;
    Ok(report)
}

fn write_products(
    args: &Args,
    products: &[Product],
    by_id: &HashMap<&str, &Product>,
    lines: &[Line],
    sales: &[SaleLine],
    report: &mut Report,
) -> Result<()> {
    let prices = latest_prices(lines, sales);
    let price = |id: &str| prices.get(id).map_or(0, |(_, price)| *price);
    let mut out = Output::create(&args.out, "products.csv", args.gzip)?;
    out.row(&PRODUCT_HEADER)?;
    for product in products {
        report.never_priced += usize::from(!prices.contains_key(product.product_id.as_str()));
        out.row(&rows::product_cells(product, price(&product.product_id)))?;
    }
    let missing: BTreeMap<&str, ()> = lines
        .iter()
        .map(|line| (line.product_id.as_str(), ()))
        .filter(|(id, ())| !by_id.contains_key(id))
        .collect();
    for id in missing.keys() {
        out.row(&rows::unknown_product_cells(id, price(id)))?;
    }
    report.products_added = missing.len();
    report.lines_of_added =
        lines.iter().filter(|line| missing.contains_key(line.product_id.as_str())).count();
    report.products_out = products.len() + missing.len();
    out.finish()
}

/// The latest undiscounted unit price that each product was sold at, with its time.
fn latest_prices<'a>(lines: &'a [Line], sales: &[SaleLine]) -> HashMap<&'a str, (&'a str, i64)> {
    let mut prices: HashMap<&str, (&str, i64)> = HashMap::new();
    for (line, sale) in lines.iter().zip(sales).filter(|(_, sale)| sale.unit_price > 0) {
        let seen = (line.transaction_timestamp.as_str(), sale.unit_price);
        let latest = prices.entry(&line.product_id).or_insert(seen);
        if seen.0 >= latest.0 {
            *latest = seen;
        }
    }
    prices
}

/// Lines of one basket stand together, baskets in the order of their first line.
fn write_sales(args: &Args, lines: &[Line], sales: &[SaleLine], report: &mut Report) -> Result<()> {
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut baskets: Vec<Vec<(&Line, &SaleLine)>> = Vec::new();
    for pair @ (line, _) in lines.iter().zip(sales) {
        let place = *places.entry(&line.basket_id).or_insert(baskets.len());
        if place == baskets.len() {
            baskets.push(Vec::new());
        }
        baskets[place].push(pair);
    }
    let mut out = Output::create(&args.out, "sales.csv", args.gzip)?;
    out.row(&SALES_HEADER)?;
    for (line, sale) in baskets.iter().flatten() {
        out.row(&rows::sale_cells(line, sale)?)?;
        report.count(sale);
    }
    report.sales = baskets.len();
    out.finish()
}

/// A CSV file, packed on request.
enum Output {
    Plain(csv::Writer<BufWriter<File>>),
    Packed(csv::Writer<GzEncoder<BufWriter<File>>>),
}

impl Output {
    fn create(folder: &Path, name: &str, packed: bool) -> Result<Self> {
        let path = folder.join(if packed { format!("{name}.gz") } else { name.to_owned() });
        let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
        let file = BufWriter::new(file);
        Ok(if packed {
            Self::Packed(csv::Writer::from_writer(GzEncoder::new(file, Compression::default())))
        } else {
            Self::Plain(csv::Writer::from_writer(file))
        })
    }

    fn row<T: AsRef<[u8]>>(&mut self, cells: &[T]) -> Result<()> {
        match self {
            Self::Plain(out) => out.write_record(cells)?,
            Self::Packed(out) => out.write_record(cells)?,
        }
        Ok(())
    }

    fn finish(self) -> Result<()> {
        match self {
            Self::Plain(mut out) => out.flush()?,
            Self::Packed(out) => {
                let packed = out.into_inner().map_err(|error| error.into_error())?;
                packed.finish()?.flush()?;
            }
        }
        Ok(())
    }
}

/// What became of every row.
#[derive(Debug, Default, PartialEq, Eq)]
struct Report {
    products_in: usize,
    products_added: usize,
    products_out: usize,
    never_priced: usize,
    lines_in: usize,
    lines_out: usize,
    lines_of_added: usize,
    sales: usize,
    free_with_discount: usize,
    free_without_price: usize,
    zero_quantity: usize,
    zero_quantity_with_discount: usize,
    discount_dropped: i64,
    fuel: usize,
    with_residual: usize,
    residual: i64,
    paid: i64,
}

impl Report {
    fn count(&mut self, sale: &SaleLine) {
        self.lines_out += 1;
        self.paid += sale.paid;
        self.fuel += usize::from(sale.fuel);
        if sale.thousandths == 0 {
            self.zero_quantity += 1;
            self.zero_quantity_with_discount += usize::from(sale.recorded_discount > 0);
            self.discount_dropped += sale.recorded_discount;
        } else {
            let residual = sale.discount - sale.recorded_discount;
            self.with_residual += usize::from(residual > 0);
            self.residual += residual;
            if sale.paid == 0 && sale.discount > 0 {
                self.free_with_discount += 1;
            } else if sale.paid == 0 {
                self.free_without_price += 1;
            }
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let money = |cents| decimal::written(cents, 2);
        writeln!(f, "products: {} read, {} written", self.products_in, self.products_out)?;
        writeln!(f, "  {} never sold at a price: price 0.00", self.never_priced)?;
        writeln!(
            f,
            "  {} added in category {} for {} lines that name a product the file lacks",
            self.products_added,
            rows::UNKNOWN,
            self.lines_of_added
        )?;
        writeln!(f, "lines: {} read, {} written, {} sales", self.lines_in, self.lines_out, self.sales)?;
        writeln!(f, "  {} free: kept, discount = full price", self.free_with_discount)?;
        writeln!(f, "  {} free without any price: kept at 0.00", self.free_without_price)?;
        writeln!(
            f,
            "  {} of quantity 0: kept, worth nothing ({} of them record a discount, {} in all, on nothing: dropped)",
            self.zero_quantity,
            self.zero_quantity_with_discount,
            money(self.discount_dropped)
        )?;
        writeln!(f, "  {} of fuel: quantity in thousandths of a gallon", self.fuel)?;
        writeln!(
            f,
            "  {} whose unit price was rounded up to the cent: {} in all, taken off again as discount",
            self.with_residual,
            money(self.residual)
        )?;
        write!(f, "received: {} USD, equal to the raw file", money(self.paid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRODUCTS: &str = "product_id,manufacturer_id,department,brand,product_category,product_type,package_size\n\
        1,2,GROCERY,National,FRZN ICE,ICE,22 LB\n2,2,FUEL,Private,FUEL,GASOLINE,\n3,2,TOYS,National,,,\n";
    const LINES: &str = "household_id,store_id,basket_id,product_id,quantity,sales_value,retail_disc,coupon_disc,\
        coupon_match_disc,week,transaction_timestamp\n\
        9,319,B1,1,3.0,5.0,0.0,0.0,0.0,1,2017-01-01 12:30:27\n\
        9,319,B2,2,8396.0,18.46,0.84,0.0,0.0,1,2017-02-01 12:30:27\n\
        9,319,B1,77,1.0,0.0,2.0,0.0,0.0,1,2017-01-01 12:30:27\n\
        9,320,B3,1,0.0,0.0,0.0,1.5,0.0,1,2017-02-01 12:30:27\n";

    fn converted(gzip: bool) -> Result<(tempfile::TempDir, Report)> {
        let folder = tempfile::tempdir()?;
        let (products, transactions) = (folder.path().join("p.csv"), folder.path().join("t.csv"));
        fs::write(&products, PRODUCTS)?;
        fs::write(&transactions, LINES)?;
        let args = Args { products, transactions, out: folder.path().join("out"), gzip };
        let report = convert_files(&args)?;
        Ok((folder, report))
    }

    #[test]
    fn nothing_vanishes() -> Result<()> {
        let (_, report) = converted(false)?;
        assert_eq!((report.lines_in, report.lines_out, report.sales), (4, 4, 3));
        assert_eq!((report.products_in, report.products_added, report.products_out), (3, 1, 4));
        assert_eq!((report.zero_quantity, report.free_with_discount, report.fuel), (1, 1, 1));
        assert_eq!((report.paid, report.discount_dropped), (2346, 150));
        Ok(())
    }

    #[test]
    fn the_files_are_as_the_contract_says() -> Result<()> {
        let (folder, _) = converted(false)?;
        let read = |name: &str| fs::read_to_string(folder.path().join("out").join(name));
        assert_eq!(
            read("products.csv")?,
            "sku,name,category,price,currency,tax_category,barcode,unit,active\n\
             1,ICE National 22 LB,GROCERY/FRZN ICE,1.67,USD,,,,true\n2,GASOLINE Private,FUEL/FUEL,2.30,USD,,,,true\n\
             3,Product 3,TOYS/Uncategorised,0.00,USD,,,,true\n77,Product 77,Unknown,2.00,USD,,,,true\n"
        );
        assert_eq!(
            read("sales.csv")?,
            "external_id,shop,register,occurred_at,customer,sku,quantity,unit_price,discount,tender\n\
             B1,319,,2017-01-01T12:30:27Z,9,1,3,1.67,0.01,cash\nB1,319,,2017-01-01T12:30:27Z,9,77,1,2.00,2.00,cash\n\
             B2,319,,2017-02-01T12:30:27Z,9,2,8.396,2.30,0.85,cash\nB3,320,,2017-02-01T12:30:27Z,9,1,0,0.00,0.00,cash\n"
        );
        let totals: serde_json::Value = serde_json::from_str(&read("totals.json")?)?;
        assert_eq!(totals["byMonth"], serde_json::json!({"2017-01": 500, "2017-02": 1846}));
        assert_eq!(totals["byShop"], serde_json::json!({"319": 2346, "320": 0}));
        assert_eq!(totals["byDepartment"], serde_json::json!({"GROCERY": 500, "FUEL": 1846, "Unknown": 0}));
        Ok(())
    }

    #[test]
    fn packed_files_hold_the_same() -> Result<()> {
        let (plain, _) = converted(false)?;
        let (packed, _) = converted(true)?;
        let mut text = String::new();
        let file = File::open(packed.path().join("out/sales.csv.gz"))?;
        std::io::Read::read_to_string(&mut flate2::read::MultiGzDecoder::new(file), &mut text)?;
        assert_eq!(text, fs::read_to_string(plain.path().join("out/sales.csv"))?);
        Ok(())
    }
}
