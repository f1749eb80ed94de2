//! Errors of use cases as problems: each error once, each place in the input named.

use edge::{FieldError, Problem};
use serde_json::json;

use crate::{
    change_stock::{ChangeStockError, Shortage},
    confirm_stock::CloseReservationError,
    create_shop::CreateShopError,
    problems::{
        DUPLICATE_LINE, OUT_OF_STOCK, RESERVATION_CLOSED, RESERVATION_EXPIRED, RESERVATION_NOT_FOUND,
        SAME_SHOP, SHOP_CODE_TAKEN, SHOP_NOT_FOUND, STOCK_OUT_OF_RANGE, UNKNOWN_SHOP, UNKNOWN_SKU,
    },
    reserve_stock::ReserveStockError,
    targets::{Target, UnknownTarget},
    units::Units,
    update_shop::UpdateShopError,
};

impl From<ChangeStockError> for Problem {
    fn from(error: ChangeStockError) -> Self {
        match error {
            ChangeStockError::Unknown(unknown) => unknown_targets(&unknown),
            ChangeStockError::OutOfStock(short) => out_of_stock(&short),
            ChangeStockError::Duplicate { line } => Self::new(DUPLICATE_LINE).pointer(
                format!("/lines/{line}"),
                DUPLICATE_LINE,
                "an earlier line names this SKU and shop",
            ),
            ChangeStockError::SameShop => {
                Self::new(SAME_SHOP).pointer("/toShopId", SAME_SHOP, "is the shop they come from")
            }
            ChangeStockError::OutOfRange => Self::new(STOCK_OUT_OF_RANGE),
            ChangeStockError::Db(error) => error.into(),
        }
    }
}

impl From<ReserveStockError> for Problem {
    fn from(error: ReserveStockError) -> Self {
        match error {
            ReserveStockError::Unknown(unknown) => unknown_targets(&unknown),
            ReserveStockError::OutOfStock(short) => out_of_stock(&short),
            ReserveStockError::Db(error) => error.into(),
        }
    }
}

impl From<CloseReservationError> for Problem {
    fn from(error: CloseReservationError) -> Self {
        match error {
            CloseReservationError::NotFound => Self::new(RESERVATION_NOT_FOUND),
            CloseReservationError::Closed(state) => {
                Self::new(RESERVATION_CLOSED).extension("state", json!(state))
            }
            CloseReservationError::Overdue => Self::new(RESERVATION_EXPIRED),
            CloseReservationError::Db(error) => error.into(),
        }
    }
}

impl From<CreateShopError> for Problem {
    fn from(error: CreateShopError) -> Self {
        match error {
            CreateShopError::CodeTaken(_) => {
                Self::new(SHOP_CODE_TAKEN).pointer("/code", SHOP_CODE_TAKEN, "another shop has this code")
            }
            CreateShopError::Db(error) => error.into(),
        }
    }
}

impl From<UpdateShopError> for Problem {
    fn from(error: UpdateShopError) -> Self {
        match error {
            UpdateShopError::NotFound => Self::new(SHOP_NOT_FOUND),
            UpdateShopError::Changed(_) => Self::new(edge::codes::PRECONDITION_FAILED),
            UpdateShopError::Db(error) => error.into(),
        }
    }
}

/// The problem of a transfer, whose lines name each SKU for both shops: first those of `from`, then those of `to`.
pub(super) fn transfer_problem(error: ChangeStockError, lines: usize) -> Problem {
    let ChangeStockError::Unknown(unknown) = error else { return error.into() };
    let shop = |at: &str, first: bool| {
        let at_shop = |each: &UnknownTarget| each.target == Target::Shop && (each.line < lines) == first;
        let error = FieldError::pointer(at.to_owned(), UNKNOWN_SHOP, "there is no such shop");
        unknown.iter().any(at_shop).then_some(error)
    };
    let sku = |each: &&UnknownTarget| each.target == Target::Sku && each.line < lines;
    let errors: Vec<FieldError> = shop("/fromShopId", true)
        .into_iter()
        .chain(shop("/toShopId", false))
        .chain(unknown.iter().filter(sku).map(unknown_target))
        .collect();
    with_errors(code_of(&unknown), errors)
}

fn unknown_targets(unknown: &[UnknownTarget]) -> Problem {
    with_errors(code_of(unknown), unknown.iter().map(unknown_target))
}

/// The code of the whole: of the shop when any is unknown, since its SKUs could not be looked at.
fn code_of(unknown: &[UnknownTarget]) -> kernel::Code {
    let any_shop = unknown.iter().any(|each| each.target == Target::Shop);
    if any_shop { UNKNOWN_SHOP } else { UNKNOWN_SKU }
}

fn unknown_target(UnknownTarget { line, target }: &UnknownTarget) -> FieldError {
    match target {
        Target::Shop => {
            FieldError::pointer(format!("/lines/{line}/shopId"), UNKNOWN_SHOP, "there is no such shop")
        }
        Target::Sku => {
            FieldError::pointer(format!("/lines/{line}/sku"), UNKNOWN_SKU, "no product has this SKU")
        }
    }
}

fn out_of_stock(short: &[Shortage]) -> Problem {
    let error = |shortage: &Shortage| {
        let left = Units(shortage.left.max(0));
        FieldError::pointer(
            format!("/lines/{}/quantity", shortage.line),
            OUT_OF_STOCK,
            format!("{left} of it can be had"),
        )
    };
    let left = |shortage: &Shortage| json!({ "shopId": shortage.shop, "sku": shortage.sku, "available": Units(shortage.left) });
    let shortages: Vec<_> = short.iter().take(100).map(left).collect();
    with_errors(OUT_OF_STOCK, short.iter().map(error)).extension("shortages", shortages)
}

fn with_errors(code: kernel::Code, errors: impl IntoIterator<Item = FieldError>) -> Problem {
    errors.into_iter().fold(Problem::new(code), Problem::error)
}
