//! A customer as it is kept, shown and taken. Nothing here implements a `Debug` that shows personal data.

use std::fmt;

use db::{DbError, Row};
use garde::Validate;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{
    ToSchema,
    openapi::{ArrayBuilder, ObjectBuilder, OneOfBuilder, RefOr, Schema, schema::Type},
};

kernel::id!(
    /// A customer.
    CustomerId,
    "cus"
);

/// Who buys.
#[derive(Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Customer {
    /// Identity.
    pub id: CustomerId,
    /// The merchant's own key, unique, if there is one.
    pub reference: Option<String>,
    /// The name; empty for customers that an import knew by reference only.
    pub name: String,
    /// Electronic mail.
    pub email: Option<String>,
    /// Telephone.
    pub phone: Option<String>,
    /// What the merchant wants to remember.
    pub note: String,
    /// Words to find customers by.
    pub tags: Vec<String>,
    /// The customer who has everything of this one now, if it was a duplicate.
    pub merged_into: Option<CustomerId>,
    /// False once deleted or merged.
    pub active: bool,
    /// Counts changes; the entity tag.
    #[schema(minimum = 1)]
    pub version: i32,
    /// When the customer was created.
    pub created_at: Timestamp,
    /// When the customer last changed.
    pub updated_at: Timestamp,
}

impl Customer {
    /// Reads a row with the columns of `find_customer.sql`.
    pub(crate) fn decode(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: row.try_get("id")?,
            reference: row.try_get("reference")?,
            name: row.try_get("name")?,
            email: row.try_get("email")?,
            phone: row.try_get("phone")?,
            note: row.try_get("note")?,
            tags: row.try_get("tags")?,
            merged_into: row.try_get("merged_into")?,
            active: row.try_get("active")?,
            version: row.try_get("version")?,
            created_at: row.try_get("created_at")?,
            updated_at: row.try_get("updated_at")?,
        })
    }
}

impl fmt::Debug for Customer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Customer")
            .field("id", &self.id)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// What is said about a customer; the whole of it, also on update.
#[derive(Clone, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CustomerInput {
    /// The merchant's own key, unique: printable, without blanks at its ends.
    #[garde(inner(custom(reference_rule)))]
    #[schema(min_length = 1, max_length = 64, pattern = r"^[!-~]([ -~]{0,62}[!-~])?$")]
    #[serde(default)]
    pub reference: Option<String>,
    /// The name.
    #[garde(custom(name_rule))]
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$"
    )]
    pub name: String,
    /// Electronic mail.
    #[garde(inner(custom(email_rule)))]
    #[schema(min_length = 3, max_length = 254, pattern = r"^[!-?A-~]{1,64}@[!-?A-~]{1,180}$")]
    #[serde(default)]
    pub email: Option<String>,
    /// Telephone: digits and `+ ( ) . / -`.
    #[garde(inner(custom(phone_rule)))]
    #[schema(min_length = 1, max_length = 40, pattern = r"^[0-9+() ./-]{1,40}$")]
    #[serde(default)]
    pub phone: Option<String>,
    /// What the merchant wants to remember.
    #[garde(length(chars, max = 2000))]
    #[schema(max_length = 2000)]
    #[serde(default)]
    pub note: String,
    /// Words to find customers by, each once, at most 50; when left out, they stay as they are.
    #[garde(inner(length(max = MOST_TAGS), inner(custom(tag_rule))))]
    #[schema(schema_with = tags_schema, required = false)]
    #[serde(default)]
    pub tags: Option<Vec<String>>,
    /// False for a customer who is no more one.
    #[garde(skip)]
    #[serde(default = "yes")]
    pub active: bool,
}

impl fmt::Debug for CustomerInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CustomerInput").finish_non_exhaustive()
    }
}

fn yes() -> bool {
    true
}

/// Tags of one customer at most.
pub(crate) const MOST_TAGS: usize = 50;

/// Sorted, each once.
pub(crate) fn tidy_tags(mut tags: Vec<String>) -> Vec<String> {
    tags.sort_unstable();
    tags.dedup();
    tags
}

/// No control characters.
pub(crate) fn is_plain(text: &str) -> bool {
    !text.chars().any(|letter| letter < ' ' || letter == '\u{7f}')
}

pub(crate) fn refuse(fine: bool, message: &'static str) -> garde::Result {
    if fine { Ok(()) } else { Err(garde::Error::new(message)) }
}

/// Whether a text can be a customer's reference: 1 to 64 printable ASCII characters, no blanks at the ends.
#[must_use]
pub fn is_reference(text: &str) -> bool {
    let printable = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    !text.is_empty() && text.len() <= 64 && printable && text.trim() == text
}

fn reference_rule(reference: &str, _: &()) -> garde::Result {
    refuse(is_reference(reference), "must be 1 to 64 printable ASCII characters, without blanks at its ends")
}

pub(crate) fn name_rule(name: &str, _: &()) -> garde::Result {
    let fine = !name.trim().is_empty() && name.chars().count() <= 200 && is_plain(name);
    refuse(fine, "must be 1 to 200 characters, not all blank, without control characters")
}

pub(crate) fn email_rule(email: &str, _: &()) -> garde::Result {
    let visible = email.bytes().all(|byte| byte.is_ascii_graphic());
    let fine = email.split_once('@').is_some_and(|(local, domain)| {
        (1..=64).contains(&local.len()) && (1..=180).contains(&domain.len()) && !domain.contains('@')
    });
    refuse(visible && fine, "must be an address like name@example.com")
}

pub(crate) fn phone_rule(phone: &str, _: &()) -> garde::Result {
    let fine = phone.bytes().all(|byte| byte.is_ascii_digit() || b"+() ./-".contains(&byte));
    refuse(fine && (1..=40).contains(&phone.len()), "must be 1 to 40 digits, blanks and + ( ) . / -")
}

fn tags_schema() -> RefOr<Schema> {
    let tag = ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(40))
        .pattern(Some(r"^[^\s\x00-\x1f\x7f]([^\x00-\x1f\x7f]{0,38}[^\s\x00-\x1f\x7f])?$"));
    let tags = ArrayBuilder::new().items(tag).max_items(Some(MOST_TAGS));
    OneOfBuilder::new().item(tags).item(ObjectBuilder::new().schema_type(Type::Null)).into()
}

fn tag_rule(tag: &str, _: &()) -> garde::Result {
    let fine = (1..=40).contains(&tag.chars().count()) && is_plain(tag) && tag.trim() == tag;
    refuse(fine, "must be 1 to 40 characters without control characters, no blanks at the ends")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(name: &str, email: Option<&str>, phone: Option<&str>) -> CustomerInput {
        CustomerInput {
            reference: None,
            name: name.to_owned(),
            email: email.map(str::to_owned),
            phone: phone.map(str::to_owned),
            note: String::new(),
            tags: None,
            active: true,
        }
    }

    // HTTP-8
    #[test]
    fn addresses_and_numbers_that_cannot_be_are_refused() {
        assert!(input("Ann", Some("ann@example.com"), Some("+49 (30) 1-2")).validate().is_ok());
        for email in ["", "@", "a@", "@b", "a@b@c", "a b@c", "ä@b"] {
            assert!(input("Ann", Some(email), None).validate().is_err(), "{email}");
        }
        for phone in ["", "call me", "1\n2"] {
            assert!(input("Ann", None, Some(phone)).validate().is_err(), "{phone}");
        }
        for name in ["", " ", "a\u{0}b", "a\nb"] {
            assert!(input(name, None, None).validate().is_err(), "{name}");
        }
    }

    // DPR-4
    #[test]
    fn debug_output_shows_no_personal_data() {
        let shown = format!("{:?}", input("Ann Example", Some("ann@example.com"), Some("123")));
        assert_eq!(shown, "CustomerInput { .. }");
    }
}
