//! A postal address, as customers keep it and orders are shipped to it.

use std::fmt;

use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::{is_plain, phone_rule, refuse};

/// ISO 3166-1 alpha-2, every code that is assigned.
const COUNTRIES: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS \
     BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ \
     FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT \
     JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP \
     MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE \
     RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV \
     TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

/// A country by its code of two letters, ISO 3166-1 alpha-2.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CountryCode([u8; 2]);

impl CountryCode {
    /// `None` for what is no country's code in capital letters.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let known = COUNTRIES.split_ascii_whitespace().any(|code| code == text);
        if known { text.as_bytes().try_into().ok().map(Self) } else { None }
    }

    /// The two letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for CountryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for CountryCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for CountryCode {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        Self::new(&text).ok_or_else(|| serde::de::Error::custom("must be a country's code of two letters"))
    }
}

impl utoipa::PartialSchema for CountryCode {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .enum_values(Some(COUNTRIES.split_ascii_whitespace()))
            .description(Some("A country by its code of two letters, ISO 3166-1 alpha-2."))
            .into()
    }
}

impl ToSchema for CountryCode {}

/// A postal address. Its `Debug` shows no personal data.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Address {
    /// Who gets it.
    #[garde(custom(line_rule))]
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$"
    )]
    pub name: String,
    /// The company, if any.
    #[garde(custom(text_rule))]
    #[schema(max_length = 200, pattern = r"^[^\x00-\x1f\x7f]*$")]
    #[serde(default)]
    pub company: String,
    /// Street and number and whatever else stands above the town; 1 to 4 lines.
    #[garde(length(min = 1, max = 4), inner(custom(line_rule)))]
    #[schema(
        min_items = 1,
        max_items = 4,
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$"
    )]
    pub lines: Vec<String>,
    /// The postal code, where there is one.
    #[garde(custom(code_rule))]
    #[schema(max_length = 20, pattern = r"^[^\x00-\x1f\x7f]*$")]
    #[serde(default)]
    pub postal_code: String,
    /// The town.
    #[garde(custom(line_rule))]
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$"
    )]
    pub city: String,
    /// State or province, where it belongs to an address.
    #[garde(custom(text_rule))]
    #[schema(max_length = 200, pattern = r"^[^\x00-\x1f\x7f]*$")]
    #[serde(default)]
    pub region: String,
    /// The country.
    #[garde(skip)]
    pub country: CountryCode,
    /// Telephone, for the carrier.
    #[garde(inner(custom(phone_rule)))]
    #[schema(min_length = 1, max_length = 40, pattern = r"^[0-9+() ./-]{1,40}$")]
    #[serde(default)]
    pub phone: Option<String>,
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Address").finish_non_exhaustive()
    }
}

fn text_rule(text: &str, _: &()) -> garde::Result {
    let fine = text.chars().count() <= 200 && is_plain(text);
    refuse(fine, "must be at most 200 characters, without control characters")
}

fn line_rule(text: &str, _: &()) -> garde::Result {
    let fine = !text.trim().is_empty() && text.chars().count() <= 200 && is_plain(text);
    refuse(fine, "must be 1 to 200 characters, not all blank, without control characters")
}

fn code_rule(text: &str, _: &()) -> garde::Result {
    let fine = text.chars().count() <= 20 && is_plain(text);
    refuse(fine, "must be at most 20 characters, without control characters")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address() -> Address {
        Address {
            name: "Ann Example".to_owned(),
            company: String::new(),
            lines: vec!["Main Street 1".to_owned()],
            postal_code: "1010".to_owned(),
            city: "Vienna".to_owned(),
            region: String::new(),
            country: CountryCode::new("AT").unwrap(),
            phone: None,
        }
    }

    // CUS-1
    #[test]
    fn countries_are_those_of_iso_3166() {
        assert_eq!(COUNTRIES.split_ascii_whitespace().count(), 249);
        for text in ["at", "ZZ", "AUT", "", "A", "UK"] {
            assert!(CountryCode::new(text).is_none(), "{text}");
        }
    }

    // DPR-4
    #[test]
    fn debug_output_of_an_address_shows_nothing_of_it() {
        assert_eq!(format!("{:?}", address()), "Address { .. }");
    }

    #[test]
    fn addresses_without_street_or_town_are_refused() {
        assert!(address().validate().is_ok());
        assert!(Address { lines: Vec::new(), ..address() }.validate().is_err());
        assert!(Address { lines: vec!["x".to_owned(); 5], ..address() }.validate().is_err());
        assert!(Address { lines: vec![" ".to_owned()], ..address() }.validate().is_err());
        assert!(Address { city: "a\nb".to_owned(), ..address() }.validate().is_err());
        assert!(Address { phone: Some("call".to_owned()), ..address() }.validate().is_err());
    }
}
