//! Prefixed, sortable identifiers: `ten_01J...`, a UUIDv7 written as 26 characters of Crockford's base 32.

use uuid::Uuid;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The text is not an identifier of this kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a valid identifier of this kind")]
pub struct ParseIdError;

/// Writes `uuid` behind `prefix_`, 26 characters, sorting like the UUID itself.
#[must_use]
pub fn encode_id(prefix: &str, uuid: Uuid) -> String {
    let mut out = String::with_capacity(prefix.len() + 27);
    out.push_str(prefix);
    out.push('_');
    let bits = uuid.as_u128();
    for place in (0..26).rev() {
        let digit = ((bits >> (place * 5)) & 31) as usize;
        out.push(char::from(ALPHABET[digit]));
    }
    out
}

/// Reads what [`encode_id`] wrote; only the canonical upper-case form is taken, so that one thing has one name.
///
/// # Errors
/// [`ParseIdError`] on another prefix, length, alphabet, or a number beyond 128 bits.
pub fn decode_id(prefix: &str, text: &str) -> Result<Uuid, ParseIdError> {
    let digits =
        text.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('_')).ok_or(ParseIdError)?.as_bytes();
    if digits.len() != 26 || digits[0] > b'7' {
        return Err(ParseIdError);
    }
    let mut bits: u128 = 0;
    for digit in digits {
        let value = ALPHABET.iter().position(|letter| letter == digit).ok_or(ParseIdError)?;
        bits = (bits << 5) | value as u128;
    }
    Ok(Uuid::from_u128(bits))
}

/// Declares an identifier newtype over a UUIDv7: `id!(ShopId, "shp")`.
///
/// It is written `shp_01J...` in JSON, logs and paths, and is a plain `uuid` in PostgreSQL.
#[macro_export]
macro_rules! id {
    ($(#[$meta:meta])* $name:ident, $prefix:literal) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub $crate::macros::Uuid);

        impl $name {
            /// The prefix of the written form.
            pub const PREFIX: &'static str = $prefix;

            /// A new identifier, later than all made before it in this process.
            #[must_use]
            pub fn new() -> Self {
                Self($crate::macros::Uuid::now_v7())
            }
        }

        impl ::core::default::Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }

        impl ::core::fmt::Display for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.write_str(&$crate::encode_id($prefix, self.0))
            }
        }

        impl ::core::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::fmt::Display::fmt(self, f)
            }
        }

        impl ::core::str::FromStr for $name {
            type Err = $crate::ParseIdError;
            fn from_str(text: &str) -> ::core::result::Result<Self, Self::Err> {
                $crate::decode_id($prefix, text).map(Self)
            }
        }

        impl $crate::macros::serde::Serialize for $name {
            fn serialize<S: $crate::macros::serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::core::result::Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> $crate::macros::serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::macros::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::core::result::Result<Self, D::Error> {
                let text = <::std::borrow::Cow<'de, str> as $crate::macros::serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(|_| {
                    <D::Error as $crate::macros::serde::de::Error>::custom(concat!("not an identifier of the form ", $prefix, "_..."))
                })
            }
        }

        impl $crate::macros::postgres_types::ToSql for $name {
            fn to_sql(
                &self,
                ty: &$crate::macros::postgres_types::Type,
                out: &mut $crate::macros::BytesMut,
            ) -> ::core::result::Result<
                $crate::macros::postgres_types::IsNull,
                ::std::boxed::Box<dyn ::std::error::Error + Sync + Send>,
            > {
                $crate::macros::postgres_types::ToSql::to_sql(&self.0, ty, out)
            }
            fn accepts(ty: &$crate::macros::postgres_types::Type) -> bool {
                <$crate::macros::Uuid as $crate::macros::postgres_types::ToSql>::accepts(ty)
            }
            $crate::macros::postgres_types::to_sql_checked!();
        }

        impl<'a> $crate::macros::postgres_types::FromSql<'a> for $name {
            fn from_sql(
                ty: &$crate::macros::postgres_types::Type,
                raw: &'a [u8],
            ) -> ::core::result::Result<Self, ::std::boxed::Box<dyn ::std::error::Error + Sync + Send>> {
                <$crate::macros::Uuid as $crate::macros::postgres_types::FromSql>::from_sql(ty, raw).map(Self)
            }
            fn accepts(ty: &$crate::macros::postgres_types::Type) -> bool {
                <$crate::macros::Uuid as $crate::macros::postgres_types::FromSql>::accepts(ty)
            }
        }

        impl $crate::macros::utoipa::PartialSchema for $name {
            fn schema() -> $crate::macros::utoipa::openapi::RefOr<$crate::macros::utoipa::openapi::Schema> {
                $crate::macros::utoipa::openapi::ObjectBuilder::new()
                    .schema_type($crate::macros::utoipa::openapi::schema::Type::String)
                    .pattern(Some(concat!("^", $prefix, "_[0-7][0-9A-HJKMNP-TV-Z]{25}$")))
                    .into()
            }
        }

        impl $crate::macros::utoipa::ToSchema for $name {}
    };
}

#[cfg(test)]
#[expect(unreachable_pub, dead_code, reason = "the macro makes public items, for the crates that use it")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    crate::id!(ThingId, "thg");

    proptest! {
        // HTTP-1: ids are prefixed and sortable.
        #[test]
        fn written_ids_read_back_and_sort_like_the_uuid(a: u128, b: u128) {
            let (a, b) = (ThingId(Uuid::from_u128(a)), ThingId(Uuid::from_u128(b)));
            prop_assert_eq!(a.to_string().parse::<ThingId>(), Ok(a));
            prop_assert_eq!(a.to_string().cmp(&b.to_string()), a.0.cmp(&b.0));
        }

        #[test]
        fn any_text_is_read_or_refused_without_panic(text: String) {
            let _ = text.parse::<ThingId>();
        }
    }

    #[test]
    fn other_prefixes_and_numbers_beyond_128_bits_are_refused() {
        let id = ThingId::new().to_string();
        assert!(id.replace("thg", "oth").parse::<ThingId>().is_err());
        assert!(format!("thg_8{}", "0".repeat(25)).parse::<ThingId>().is_err());
        assert!(id.to_lowercase().parse::<ThingId>().is_err());
    }
}
