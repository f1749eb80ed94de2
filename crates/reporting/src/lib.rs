//! Reports: what was sold, by period, shop, product and category; VAT by rate.
#![doc = include_str!("../README.md")]

mod csv;
mod http;
mod periods;
pub mod problems;
mod range;
mod report_sales;
mod report_vat;

pub use http::{Reporting, routes};
pub use periods::{PeriodUnit, Periods};
pub use range::{Range, RangeError, When};
pub use report_sales::{Amounts, SalesGroup, SalesGroupBy, SalesReport, SalesReportInput, report_sales};
pub use report_vat::{VatGroup, VatGroupBy, VatReport, VatReportInput, report_vat};
