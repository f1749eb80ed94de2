//! From the study's rows to the rows of Markethall's CSV contract.

use anyhow::{Context, Result, bail, ensure};

use super::{
    decimal::{cents, round_div, thousandths, written},
    raw::{Line, Product},
};

/// Where products go that are sold but missing from the products file.
pub(super) const UNKNOWN: &str = "Unknown";

/// A quantity of fuel above this is in thousandths of a gallon (at 2.30 a gallon, 8396 cost 19.30); below, cashiers
/// entered one piece worth the whole amount.
const FUEL_THOUSANDTHS_ABOVE: i64 = 100;

/// One line of a sale, in integers.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SaleLine {
    pub(super) thousandths: i64,
    /// Cents for one, before any discount.
    pub(super) unit_price: i64,
    /// Cents off the line; never negative.
    pub(super) discount: i64,
    /// Cents received: `round(unit_price * quantity) - discount`.
    pub(super) paid: i64,
    /// Cents off that the study recorded, without the residual of rounding the unit price.
    pub(super) recorded_discount: i64,
    pub(super) fuel: bool,
}

/// Finds price and discount so that the line is worth exactly what was received.
///
/// The unit price is rounded up to the cent, so that what rounding adds can be taken off as discount again.
pub(super) fn sale_line(line: &Line, product: Option<&Product>) -> Result<SaleLine> {
    let paid = cents(&line.sales_value)?;
    let recorded_discount =
        cents(&line.retail_disc)? + cents(&line.coupon_disc)? + cents(&line.coupon_match_disc)?;
    let mut quantity = thousandths(&line.quantity)?;
    ensure!(
        paid >= 0 && recorded_discount >= 0 && quantity >= 0,
        "a negative number in basket {}",
        line.basket_id
    );
    let fuel = product.is_some_and(is_fuel) && quantity > FUEL_THOUSANDTHS_ABOVE * 1000;
    if fuel {
        quantity /= 1000;
    }
    if quantity == 0 {
        // A coupon or a correction by itself: it is worth nothing and moves no goods.
        if paid != 0 {
            bail!("basket {}: money for a quantity of zero", line.basket_id);
        }
        return Ok(SaleLine { thousandths: 0, unit_price: 0, discount: 0, paid, recorded_discount, fuel });
    }
    let full = i128::from(paid + recorded_discount);
    let unit_price = -((-full * 1000).div_euclid(i128::from(quantity)));
    let gross = round_div(unit_price * i128::from(quantity), 1000);
    let discount = i64::try_from(gross)? - paid;
    ensure!(discount >= 0, "basket {}: a negative discount", line.basket_id);
    Ok(SaleLine {
        thousandths: quantity,
        unit_price: i64::try_from(unit_price)?,
        discount,
        paid,
        recorded_discount,
        fuel,
    })
}

fn is_fuel(product: &Product) -> bool {
    product.department == "FUEL" || product.product_type.starts_with("GASOLINE")
}

/// The cells of a line in the sales file.
pub(super) fn sale_cells(line: &Line, sale: &SaleLine) -> Result<[String; 10]> {
    Ok([
        line.basket_id.clone(),
        line.store_id.clone(),
        String::new(),
        utc(&line.transaction_timestamp)?,
        line.household_id.clone(),
        line.product_id.clone(),
        quantity_written(sale.thousandths),
        written(sale.unit_price, 2),
        written(sale.discount, 2),
        "cash".to_owned(),
    ])
}

/// The cells of a product that the study describes.
pub(super) fn product_cells(product: &Product, price: i64) -> [String; 9] {
    let category = match category_part(&product.product_category) {
        Some(part) => format!("{}/{part}", department(Some(product))),
        None => format!("{}/Uncategorised", department(Some(product))),
    };
    cells(&product.product_id, &name(product), &category, price)
}

/// The cells of a product that is only known from being sold.
pub(super) fn unknown_product_cells(id: &str, price: i64) -> [String; 9] {
    cells(id, &format!("Product {id}"), UNKNOWN, price)
}

fn cells(id: &str, name: &str, category: &str, price: i64) -> [String; 9] {
    let text = str::to_owned;
    [
        text(id),
        text(name),
        text(category),
        written(price, 2),
        text("USD"),
        String::new(),
        String::new(),
        String::new(),
        text("true"),
    ]
}

/// The first part of a product's category path.
pub(super) fn department(product: Option<&Product>) -> String {
    match product {
        None => UNKNOWN.to_owned(),
        Some(product) => category_part(&product.department).unwrap_or_else(|| "Uncategorised".to_owned()),
    }
}

/// A part of a path: a slash inside a name would begin the next part.
fn category_part(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.replace('/', "-"))
}

fn name(product: &Product) -> String {
    let kind =
        [&product.product_type, &product.product_category].into_iter().find(|text| !text.trim().is_empty());
    let Some(kind) = kind else {
        return format!("Product {}", product.product_id);
    };
    let parts = [kind.as_str(), &product.brand, &product.package_size];
    parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

fn quantity_written(thousandths: i64) -> String {
    if thousandths % 1000 == 0 { written(thousandths / 1000, 0) } else { written(thousandths, 3) }
}

/// `2017-01-01 12:30:27` as RFC 3339. The study names no time zone.
fn utc(stamp: &str) -> Result<String> {
    let (date, time) = stamp.split_once(' ').with_context(|| format!("not a date and a time: {stamp:?}"))?;
    ensure!(date.len() == 10 && time.len() == 8, "not a date and a time: {stamp:?}");
    Ok(format!("{date}T{time}Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product(department: &str, category: &str, kind: &str) -> Product {
        Product {
            product_id: "7".to_owned(),
            department: department.to_owned(),
            brand: "National".to_owned(),
            product_category: category.to_owned(),
            product_type: kind.to_owned(),
            package_size: "22 LB".to_owned(),
        }
    }

    fn line(quantity: &str, paid: &str, discount: &str) -> Line {
        Line {
            household_id: "1".to_owned(),
            store_id: "2".to_owned(),
            basket_id: "3".to_owned(),
            product_id: "7".to_owned(),
            quantity: quantity.to_owned(),
            sales_value: paid.to_owned(),
            retail_disc: discount.to_owned(),
            coupon_disc: "0.0".to_owned(),
            coupon_match_disc: "0.0".to_owned(),
            transaction_timestamp: "2017-01-01 12:30:27".to_owned(),
        }
    }

    fn converted(quantity: &str, paid: &str, discount: &str, kind: &str) -> Result<(i64, i64, i64)> {
        let sale = sale_line(&line(quantity, paid, discount), Some(&product("GROCERY", "X", kind)))?;
        let gross = round_div(i128::from(sale.unit_price) * i128::from(sale.thousandths), 1000);
        assert_eq!(
            gross,
            i128::from(sale.paid + sale.discount),
            "unit price x quantity - discount = received"
        );
        Ok((sale.thousandths, sale.unit_price, sale.discount))
    }

    #[test]
    fn a_plain_line_keeps_its_price_and_discount() -> Result<()> {
        assert_eq!(converted("1.0", "1.50", "0.29", "ICE")?, (1000, 179, 29));
        assert_eq!(converted("2.0", "3.00", "0.0", "ICE")?, (2000, 150, 0));
        Ok(())
    }

    #[test]
    fn what_rounding_the_unit_price_adds_is_taken_off_again() -> Result<()> {
        assert_eq!(converted("3.0", "5.00", "0.0", "ICE")?, (3000, 167, 1));
        Ok(())
    }

    #[test]
    fn fuel_is_in_thousandths_of_a_gallon_unless_it_is_one_piece() -> Result<()> {
        assert_eq!(converted("8396.0", "18.46", "0.84", "GASOLINE-REG UNLEADED")?, (8396, 230, 85));
        assert_eq!(converted("1.0", "20.0", "0.0", "GASOLINE-REG UNLEADED")?, (1000, 2000, 0));
        assert_eq!(converted("8396.0", "8396.0", "0.0", "ICE")?, (8_396_000, 100, 0));
        Ok(())
    }

    #[test]
    fn a_free_line_is_fully_discounted_and_a_zero_line_is_worth_nothing() -> Result<()> {
        assert_eq!(converted("1.0", "0.0", "2.99", "ICE")?, (1000, 299, 299));
        assert_eq!(converted("0.0", "4.440892e-16", "1.00", "ICE")?, (0, 0, 0));
        assert!(converted("0.0", "1.00", "0.0", "ICE").is_err());
        assert!(converted("-1.0", "1.00", "0.0", "ICE").is_err());
        Ok(())
    }

    #[test]
    fn names_and_categories_fall_back_when_parts_are_missing() {
        let [_, name, category, price, ..] = product_cells(&product("CNTRL/STORE SUP", "", ""), 0);
        assert_eq!((name.as_str(), category.as_str()), ("Product 7", "CNTRL-STORE SUP/Uncategorised"));
        assert_eq!(price, "0.00");
        let [_, name, category, ..] =
            product_cells(&product("GROCERY", "FRZN ICE", "ICE - CRUSHED/CUBED"), 199);
        assert_eq!(name, "ICE - CRUSHED/CUBED National 22 LB");
        assert_eq!(category, "GROCERY/FRZN ICE");
    }

    #[test]
    fn a_line_is_written_as_the_contract_says() -> Result<()> {
        let line = line("8396.0", "18.46", "0.84");
        let sale = sale_line(&line, Some(&product("FUEL", "X", "Y")))?;
        let expected = ["3", "2", "", "2017-01-01T12:30:27Z", "1", "7", "8.396", "2.30", "0.85", "cash"];
        assert_eq!(sale_cells(&line, &sale)?, expected);
        Ok(())
    }
}
