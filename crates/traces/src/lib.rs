//! Where the time of a request goes, over everything that it causes: spans, and their way to a collector by OTLP.
#![doc = include_str!("../README.md")]

mod config;
mod counts;
mod export;
mod keep;
mod recorder;
mod run;
mod scope;
mod span;
mod wire;

pub use config::TracesConfig;
pub use recorder::{Traces, TracesError, is_on, sampled, start};
pub use scope::Scope;
pub use span::{Kind, Span, Value};
