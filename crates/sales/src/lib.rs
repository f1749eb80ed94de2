//! Point of sale: the book of record, receipts, shifts.
#![doc = include_str!("../README.md")]

mod book_orders;
mod booking;
pub mod cache;
mod correct_sale;
mod count_booked;
mod create_sale;
mod error;
pub mod events;
mod explain;
mod export_sales;
mod find_sales;
mod flags;
mod http;
mod import;
mod insert_sales;
mod invariants;
mod list_purchases;
mod model;
mod price_sale;
pub mod problems;
mod refund_sale;
mod registers;
mod run_shift;
mod schemas;
mod shift;
mod sum_sales;
mod void_sale;

pub use book_orders::{ChannelSale, Receipt, book_stmt, decode_receipts, goods_stmt, news};
pub use count_booked::{BookedSale, count_booked, list_booked};
pub use create_sale::{SaleBatch, SaleRequest};
pub use error::SaleError;
pub use export_sales::{ExportError, export_sales};
pub use find_sales::{SaleFilter, find_sale, list_sales};
pub use flags::{FLAGS, SPLIT_TENDER};
pub use http::{Sales, routes};
pub use import::{COLUMNS, ImportError, ImportSummary, import_sales};
pub use invariants::{find_gross, invariants, sold_units, sum_orders};
pub use list_purchases::RecordedPurchases;
pub use model::{
    Channel, MOST_AMOUNT, NewLine, NewSale, RegisterId, Sale, SaleId, SaleKind, SaleLine, SaleStatus,
    ShiftId, Tender, TenderMethod,
};
pub use price_sale::{BookedLine, PricedSale, price_lines, price_sale};
pub use refund_sale::{RefundLine, RefundSale, refund_rest, refund_sale};
pub use registers::{NewRegister, Register, create_register, ensure_registers, has_registers};
pub use run_shift::{close_shift, get_report, move_cash, open_shift};
pub use shift::{CloseShift, MoveCash, OpenShift, Shift, ShiftReport};
pub use sum_sales::{
    GroupBy, SalesSum, SumFilter, SumPage, Sums, VatSum, find_extent, sum_all_sales, sum_sales, sum_vat,
};
pub use void_sale::{VoidSale, void_sale};

/// The tables of this domain.
pub const MIGRATIONS: db::DomainMigrations = db::DomainMigrations {
    domain: "sales",
    steps: &[
        db::Migration { version: 1, name: "sales", sql: include_str!("../migrations/0001_sales.sql") },
        db::Migration { version: 2, name: "rows", sql: include_str!("../migrations/0002_rows.sql") },
        db::Migration {
            version: 3,
            name: "by_cashier",
            sql: include_str!("../migrations/0003_by_cashier.sql"),
        },
        db::Migration {
            version: 4,
            name: "by_channel",
            sql: include_str!("../migrations/0004_by_channel.sql"),
        },
        db::Migration { version: 5, name: "late", sql: include_str!("../migrations/0005_late.sql") },
    ],
};
