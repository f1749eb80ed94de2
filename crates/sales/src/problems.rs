//! What can be refused at the till, and the permissions of its routes.

pub use catalog::problems::{CURRENCY_MISMATCH, PRODUCT_INACTIVE};
pub use edge::codes::FEATURE_OFF;
pub use inventory::problems::{OUT_OF_STOCK, UNKNOWN_SHOP, UNKNOWN_SKU};
use kernel::{Code, Permission};

/// See sales and shifts.
pub const SALES_READ: Permission = Permission::new("sales:read");
/// Sell.
pub const SALES_WRITE: Permission = Permission::new("sales:write");
/// Give a discount on a line.
pub const SALES_DISCOUNT: Permission = Permission::new("sales:discount");
/// Sell at another price than the catalog's.
pub const SALES_PRICE: Permission = Permission::new("sales:price");
/// Void a sale.
pub const SALES_VOID: Permission = Permission::new("sales:void");
/// Refund a sale.
pub const SALES_REFUND: Permission = Permission::new("sales:refund");
/// Open, close and report shifts.
pub const SHIFTS_WRITE: Permission = Permission::new("shifts:write");
/// Add registers.
pub const REGISTERS_WRITE: Permission = Permission::new("registers:write");

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $status:literal, $title:literal, $help:literal;)*) => {
        $($(#[$doc])* pub const $name: Code = Code::new(stringify!($name), $status, $title, $help);)*
    };
}

codes! {
    /// The sale does not exist for this tenant.
    SALE_NOT_FOUND = 404, "There is no such sale.", "Check the id; it may belong to another merchant.";
    /// The register does not exist for this tenant.
    REGISTER_NOT_FOUND = 404, "There is no such register.", "Create it with POST /shops/{id}/registers, or check the id.";
    /// The shift does not exist for this tenant.
    SHIFT_NOT_FOUND = 404, "There is no such shift.", "Check the id.";
    /// A line names a register that is not known.
    UNKNOWN_REGISTER = 422, "The register is not known.", "Send the id of a register of this merchant.";
    /// The register stands in another shop.
    REGISTER_IN_OTHER_SHOP = 422, "The register is not in that shop.", "Send the shop that the register stands in, or leave the shop out.";
    /// Neither shop nor register was sent.
    SHOP_REQUIRED = 422, "A sale needs a shop or a register.", "Send shopId, registerId or both.";
    /// The customer is not known.
    UNKNOWN_CUSTOMER = 422, "The customer is not known.", "Send the id of a customer of this merchant, or none.";
    /// No tax rate is valid for the product's tax category at the time of the sale.
    TAX_RATE_MISSING = 422, "No tax rate applies.", "Define a rate for the tax category that is valid at the time of the sale.";
    /// The client's total is not the server's.
    TOTAL_MISMATCH = 422, "The total differs from the computed one.", "Take the computed total in `computed` and ask the customer again.";
    /// The tenders do not cover what is due.
    TENDER_SHORT = 422, "The tenders do not cover what is due.", "Add tenders up to `due`.";
    /// More was paid than is due, and not in cash.
    TENDER_OVERPAID = 422, "More was tendered than is due.", "Only cash is given change for; lower the other tenders.";
    /// A discount larger than the line.
    DISCOUNT_TOO_LARGE = 422, "The discount is larger than the line.", "Lower the discount.";
    /// An amount beyond what can be represented.
    AMOUNT_OUT_OF_RANGE = 422, "An amount is out of range.", "Lower the quantity or the price.";
    /// The sale says it happened in the future.
    OCCURRED_IN_FUTURE = 422, "The sale lies in the future.", "Set the clock of the till; up to five minutes are tolerated.";
    /// The sale was voided.
    ALREADY_VOIDED = 409, "The sale is voided already.", "Nothing is left to do; a sale is voided once.";
    /// The sale was refunded, in part or whole, and cannot be voided.
    ALREADY_REFUNDED = 409, "The sale was refunded and cannot be voided.", "Refund what is left instead.";
    /// The shift of the sale has closed.
    SHIFT_CLOSED = 409, "The shift has closed.", "Refund the sale instead of voiding it; a closed shift stays as it is.";
    /// The sale is too old to be voided.
    VOID_TOO_LATE = 409, "The sale is too old to be voided.", "Refund it instead.";
    /// A void or refund cannot be voided or refunded.
    NOT_A_SALE = 409, "This is a correction, not a sale.", "Correct the original sale.";
    /// More would be refunded than was sold and not yet refunded.
    REFUND_EXCEEDS_SALE = 409, "More than was sold and not yet refunded.", "Refund at most what `left` says.";
    /// The line does not exist on the sale.
    UNKNOWN_LINE = 422, "The sale has no such line.", "Send a line number of the original sale.";
    /// The refund would go to a tender that did not take as much.
    REFUND_TENDER_EXCEEDED = 409, "More than that tender took.", "Refund to the original tenders, at most what each took.";
    /// The register has an open shift.
    SHIFT_ALREADY_OPEN = 409, "A shift is open on this register.", "Close it first.";
    /// The code is used by another register of the shop.
    REGISTER_CODE_TAKEN = 409, "The register code is taken.", "Choose another code.";
}
