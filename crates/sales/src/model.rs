//! What a sale is, in and out. Money in minor units, quantities as decimal strings, times in UTC.

use customers::CustomerId;
use garde::Validate;
use inventory::ShopId;
use kernel::{Money, Quantity, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::schemas;

kernel::id!(
    /// A sale, void or refund.
    SaleId,
    "sal"
);
kernel::id!(
    /// A till.
    RegisterId,
    "reg"
);
kernel::id!(
    /// A register opened and closed by a cashier.
    ShiftId,
    "shf"
);

/// Lines on one sale at most.
pub(crate) const MOST_LINES: usize = 500;
/// Tenders on one sale at most.
pub(crate) const MOST_TENDERS: usize = 20;

/// Sale, or a correction that points back to one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SaleKind {
    /// Goods sold.
    Sale,
    /// A whole sale taken back before its shift closed.
    Void,
    /// Goods taken back later, in part or whole.
    Refund,
}

/// Where a sale came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// A register.
    Till,
    /// The web shop.
    Web,
    /// An order by chat.
    Chat,
    /// A program.
    Api,
    /// A ticket.
    Event,
}

/// How a sale stands today, seen with its corrections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SaleStatus {
    /// Nothing was taken back.
    Completed,
    /// Some was refunded.
    PartiallyRefunded,
    /// All was refunded.
    Refunded,
    /// Voided.
    Voided,
}

/// A means of payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TenderMethod {
    /// Notes and coins; the only one that gets change.
    Cash,
    /// A card terminal; card data never comes here.
    Card,
    /// A voucher.
    Voucher,
    /// A gift card.
    GiftCard,
    /// On the customer's account.
    Account,
}

/// What was given for a sale by one means; negative when money went back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct Tender {
    /// The means.
    pub method: TenderMethod,
    /// How much.
    pub amount: Money,
}

/// A wanted line.
#[derive(Debug, Clone, Deserialize, ToSchema, Validate, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct NewLine {
    /// The product.
    #[garde(length(chars, min = 1, max = 64))]
    #[schema(min_length = 1, max_length = 64)]
    pub sku: String,
    /// Above zero, up to three decimals, at most 1,000,000.
    #[garde(custom(sellable_quantity))]
    #[schema(schema_with = Quantity::line_schema)]
    pub quantity: Quantity,
    /// Instead of the catalog's price; needs `sales:price`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(inner(custom(not_negative)))]
    #[schema(schema_with = schemas::not_negative_or_null, required = false)]
    pub unit_price: Option<Money>,
    /// Taken off the line; needs `sales:discount`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(inner(custom(not_negative)))]
    #[schema(schema_with = schemas::not_negative_or_null, required = false)]
    pub discount: Option<Money>,
}

/// A wanted sale.
#[derive(Debug, Clone, Deserialize, ToSchema, Validate, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct NewSale {
    /// Where; may be left out when a register is named.
    #[serde(default)]
    pub shop_id: Option<ShopId>,
    /// The till; without one the sale is booked on the shop's register for programs.
    #[serde(default)]
    pub register_id: Option<RegisterId>,
    /// When it happened; now, unless the till was offline.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub occurred_at: Option<Timestamp>,
    /// Who bought.
    #[serde(default)]
    pub customer_id: Option<CustomerId>,
    /// What: 1 to 500 lines.
    #[garde(length(min = 1, max = MOST_LINES), dive)]
    #[schema(min_items = 1, max_items = 500)]
    pub lines: Vec<NewLine>,
    /// How it was paid: up to 20; they must cover what is due.
    #[garde(length(max = MOST_TENDERS), dive, custom(positive_tenders))]
    #[schema(schema_with = schemas::given_tenders, required = false)]
    #[serde(default)]
    pub tenders: Vec<Tender>,
    /// The gross total the client showed; refused with the computed one when it differs.
    #[serde(default)]
    pub total: Option<Money>,
}

fn sellable_quantity(quantity: &Quantity, (): &()) -> garde::Result {
    if quantity.fits_a_line() {
        Ok(())
    } else {
        Err(garde::Error::new("must be above 0 and at most 1000000"))
    }
}

/// The most that a request may name, and a sale may come to, in minor units: however many of them a shift or a report
/// adds up, the sum stays far from the end of 64 bits.
pub const MOST_AMOUNT: i64 = 10_000_000_000_000;

pub(crate) fn not_negative(money: &Money, (): &()) -> garde::Result {
    if (0..=MOST_AMOUNT).contains(&money.amount) {
        Ok(())
    } else {
        Err(garde::Error::new("must not be negative, and at most 10000000000000 minor units"))
    }
}

pub(crate) fn above_zero(money: &Money, (): &()) -> garde::Result {
    if (1..=MOST_AMOUNT).contains(&money.amount) {
        Ok(())
    } else {
        Err(garde::Error::new("must be above 0, and at most 10000000000000 minor units"))
    }
}

#[expect(clippy::ptr_arg, reason = "garde hands custom rules the field itself")]
fn positive_tenders(tenders: &Vec<Tender>, (): &()) -> garde::Result {
    tenders.iter().try_for_each(|tender| above_zero(&tender.amount, &()))
}

/// A line as booked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SaleLine {
    /// Its number on the receipt, from 1.
    pub line: i32,
    /// The product's SKU.
    pub sku: String,
    /// The product's name when it was sold.
    pub name: String,
    /// The product's category when it was sold.
    pub category: String,
    /// How many; negative when taken back.
    pub quantity: Quantity,
    /// The price of one.
    pub unit_price: Money,
    /// What was taken off.
    pub discount: Money,
    /// Without VAT.
    pub net: Money,
    /// The VAT.
    pub vat: Money,
    /// With VAT.
    pub gross: Money,
    /// The VAT rate in basis points.
    pub vat_rate: i32,
    /// On a correction: the line of the original sale.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub original_line: Option<i32>,
    /// On a correction: whether the goods went back to the shelf.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restocked: Option<bool>,
}

/// One VAT rate's share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TaxTotal {
    /// Basis points.
    pub rate: i32,
    /// Without VAT.
    pub net: Money,
    /// The VAT.
    pub vat: Money,
}

/// The sums of a sale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// Without VAT.
    pub net: Money,
    /// The VAT.
    pub vat: Money,
    /// With VAT.
    pub gross: Money,
    /// What was taken off in all.
    pub discount: Money,
    /// What cash rounding added or took off; `gross + cashRounding` was due.
    pub cash_rounding: Money,
}

/// A sale as booked, with what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Sale {
    /// Identity.
    pub id: SaleId,
    /// Gapless per register.
    pub receipt_number: String,
    /// Sale, void or refund.
    pub kind: SaleKind,
    /// How it stands.
    pub status: SaleStatus,
    /// Where it came from.
    pub channel: Channel,
    /// The shop.
    pub shop_id: ShopId,
    /// The register.
    pub register_id: RegisterId,
    /// The shift that was open.
    pub shift_id: Option<ShiftId>,
    /// Who sold: the subject of the token.
    pub cashier: String,
    /// Who bought.
    pub customer_id: Option<CustomerId>,
    /// What.
    pub lines: Vec<SaleLine>,
    /// By rate.
    pub vat: Vec<TaxTotal>,
    /// The sums.
    pub totals: Totals,
    /// How it was paid.
    pub tenders: Vec<Tender>,
    /// Given back in cash.
    pub change: Money,
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    pub occurred_at: Timestamp,
    /// When it was booked.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// The gross amount taken back so far.
    pub refunded_total: Money,
    /// On a correction: the sale it corrects.
    pub original: Option<SaleId>,
    /// On a correction: why.
    pub reason: Option<String>,
    /// With `explain=vat`: how each amount came about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<Vec<String>>,
}
