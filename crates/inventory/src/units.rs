//! Figures of stock as the API writes them.

use std::fmt;

use serde::{Serialize, Serializer};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, schema::Type},
};

/// A level in thousandths, written as a decimal string. Unlike a [`kernel::Quantity`] it is a sum and never an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Units(pub i64);

impl fmt::Display for Units {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, part) = (self.0.unsigned_abs() / 1000, self.0.unsigned_abs() % 1000);
        if part == 0 { write!(f, "{sign}{whole}") } else { write!(f, "{sign}{whole}.{part:03}") }
    }
}

impl Serialize for Units {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl PartialSchema for Units {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some(r"^-?[0-9]{1,16}(\.[0-9]{1,3})?$"))
            .description(Some("A decimal with up to three places."))
            .into()
    }
}

impl ToSchema for Units {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_written_like_quantities_and_beyond_their_bounds() {
        let written = |thousandths| Units(thousandths).to_string();
        assert_eq!(written(450), "0.450");
        assert_eq!(written(-2000), "-2");
        assert_eq!(written(9_000_000_000_000_001), "9000000000000.001");
    }
}
