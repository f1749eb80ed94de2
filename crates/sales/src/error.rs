//! Why the till refuses, and how clients see it.

use db::DbError;
use edge::Problem;
use kernel::{Code, MoneyError, Quantity};
use serde_json::json;

use crate::{model::SaleId, problems::*};

/// Why a sale, void, refund or shift was refused; nothing of it was booked.
#[derive(Debug, thiserror::Error)]
pub enum SaleError {
    /// A part of the request refers to something that does not fit; at a JSON pointer.
    #[error("{detail}")]
    Refused {
        /// The problem's code.
        code: Code,
        /// Where in the request.
        pointer: String,
        /// What is wrong there.
        detail: String,
    },
    /// The thing itself stands in the way of the request.
    #[error("{detail}")]
    State {
        /// The problem's code.
        code: Code,
        /// What is wrong.
        detail: String,
    },
    /// The client's total differs.
    #[error("the total is {computed}, not {sent}")]
    TotalMismatch {
        /// The server's gross total in minor units.
        computed: i64,
        /// The client's.
        sent: i64,
    },
    /// The tenders come to too little.
    #[error("{due} is due, {given} was tendered")]
    TenderShort {
        /// What is due in minor units.
        due: i64,
        /// What was given.
        given: i64,
    },
    /// The shelf does not hold enough.
    #[error("not enough of {sku} in stock")]
    OutOfStock {
        /// The SKU that is short; empty when several tills raced for it and it is not known which line lost.
        sku: String,
        /// What is left, where known.
        left: Option<Quantity>,
    },
    /// More would be refunded than is left.
    #[error("line {line} has {left} left to refund")]
    RefundExceeds {
        /// Line of the original sale.
        line: i32,
        /// Units not yet refunded.
        left: Quantity,
    },
    /// The idempotency key was used for this sale already.
    #[error("the idempotency key was used before")]
    Replay {
        /// What was booked under it.
        sale: SaleId,
    },
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl SaleError {
    /// A refusal at a place in the request.
    pub(crate) fn at(code: Code, pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::Refused { code, pointer: pointer.into(), detail: detail.into() }
    }

    /// A refusal because of how things stand.
    pub(crate) fn state(code: Code, detail: impl Into<String>) -> Self {
        Self::State { code, detail: detail.into() }
    }

    /// The code a client sees; `None` where the database failed.
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        Some(match self {
            Self::Refused { code, .. } | Self::State { code, .. } => *code,
            Self::TotalMismatch { .. } => TOTAL_MISMATCH,
            Self::TenderShort { .. } => TENDER_SHORT,
            Self::OutOfStock { .. } => OUT_OF_STOCK,
            Self::RefundExceeds { .. } => REFUND_EXCEEDS_SALE,
            Self::Replay { .. } | Self::Db(_) => return None,
        })
    }
}

impl From<db::DriverError> for SaleError {
    fn from(error: db::DriverError) -> Self {
        Self::Db(error.into())
    }
}

impl From<MoneyError> for SaleError {
    fn from(error: MoneyError) -> Self {
        Self::state(AMOUNT_OUT_OF_RANGE, error.to_string())
    }
}

impl From<SaleError> for Problem {
    fn from(error: SaleError) -> Self {
        let detail = error.to_string();
        match error {
            SaleError::Refused { code, pointer, .. } => {
                Self::new(code).detail(detail.clone()).pointer(pointer, code, detail)
            }
            SaleError::State { code, .. } => Self::new(code).detail(detail),
            SaleError::TotalMismatch { computed, .. } => {
                Self::new(TOTAL_MISMATCH).detail(detail).extension("computed", json!(computed))
            }
            SaleError::TenderShort { due, .. } => {
                Self::new(TENDER_SHORT).detail(detail).extension("due", json!(due))
            }
            SaleError::OutOfStock { sku, left } => Self::new(OUT_OF_STOCK)
                .detail(detail)
                .extension("sku", json!(sku))
                .extension("left", json!(left)),
            SaleError::RefundExceeds { line, left } => Self::new(REFUND_EXCEEDS_SALE)
                .detail(detail)
                .extension("line", json!(line))
                .extension("left", json!(left)),
            SaleError::Replay { .. } => Self::from(DbError::Other(detail)),
            SaleError::Db(error) if error.is_check("stock_within_bounds") => {
                Self::new(inventory::problems::STOCK_OUT_OF_RANGE)
            }
            SaleError::Db(error) => Self::from(error),
        }
    }
}
