//! Cursor pagination: stable while rows come and go, never an offset, never unbounded.

use std::borrow::Cow;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use garde::Validate;
use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned, de::Error as _};
use utoipa::{
    IntoParams, PartialSchema, ToSchema,
    openapi::{
        ArrayBuilder, ObjectBuilder, RefOr, Schema,
        schema::{SchemaType, Type},
    },
};

use crate::{FieldError, Problem, codes, document::schema_part};

/// The longest cursor that is read.
const MOST_CURSOR: usize = 512;

/// How many items a page holds: 1 to 200, 50 when not said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit(u16);

impl Limit {
    /// The most items on a page.
    pub const MOST: u16 = 200;
    /// Items on a page when the caller does not say.
    pub const USUAL: u16 = 50;

    /// `None` outside 1 to 200.
    #[must_use]
    pub const fn new(items: u16) -> Option<Self> {
        if items >= 1 && items <= Self::MOST { Some(Self(items)) } else { None }
    }

    /// The number of items.
    #[must_use]
    pub const fn get(self) -> usize {
        self.0 as usize
    }

    /// What SQL's `limit` needs: one more, to see whether another page follows.
    #[must_use]
    pub const fn sql(self) -> i64 {
        self.0 as i64 + 1
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self(Self::USUAL)
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let items = u16::deserialize(deserializer)?;
        Self::new(items).ok_or_else(|| D::Error::custom("must be between 1 and 200"))
    }
}

impl PartialSchema for Limit {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(1))
            .maximum(Some(Self::MOST))
            .default(Some(Self::USUAL.into()))
            .description(Some("How many items at most."))
            .into()
    }
}

impl ToSchema for Limit {}

/// Where a page ends, opaque to clients: base64url of a JSON tuple of the sort key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(String);

impl Cursor {
    /// Writes the sort key of the last item of a page: `Cursor::encode(&(name, id))`.
    pub fn encode<K: Serialize>(key: &K) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(key).unwrap_or_default())
    }

    /// Reads what [`Cursor::encode`] wrote.
    ///
    /// # Errors
    /// `NOT_FOUND` naming `cursor`, for a cursor that this list never gave out: there is no such page.
    pub fn decode<K: DeserializeOwned>(text: &str) -> Result<K, Problem> {
        let unknown = || {
            let error = FieldError::parameter(
                "cursor",
                codes::INVALID_VALUE,
                "take cursors from nextCursor of the same list, unchanged",
            );
            Problem::not_found().detail("There is no page at this cursor.").error(error)
        };
        if text.len() > MOST_CURSOR {
            return Err(unknown());
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| unknown())?;
        // A cursor is handed to SQL, which takes no NUL in texts.
        if bytes.windows(6).any(|window| window == b"\\u0000") {
            return Err(unknown());
        }
        serde_json::from_slice(&bytes).map_err(|_| unknown())
    }

    /// Reads the sort key out of a cursor taken as a parameter.
    ///
    /// # Errors
    /// As [`Cursor::decode`].
    pub fn key<K: DeserializeOwned>(&self) -> Result<K, Problem> {
        Self::decode(&self.0)
    }
}

impl<'de> Deserialize<'de> for Cursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        if text.is_empty() || text.len() > MOST_CURSOR || !plain {
            return Err(D::Error::custom("must be the nextCursor of an earlier page"));
        }
        Ok(Self(text))
    }
}

impl PartialSchema for Cursor {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some("^[A-Za-z0-9_-]{1,512}$"))
            .description(Some("`nextCursor` of the page before; absent for the first page."))
            .into()
    }
}

impl ToSchema for Cursor {}

/// The parameters of a list without filters. Lists with filters declare `limit` and `cursor` beside them.
#[derive(Debug, Clone, Default, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[garde(allow_unvalidated)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// How many items at most.
    #[serde(default)]
    #[param(inline, required = false)]
    pub limit: Limit,
    /// `nextCursor` of the page before.
    #[param(inline)]
    pub cursor: Option<Cursor>,
}

impl PageQuery {
    /// The sort key after which the page begins; `None` for the first page.
    ///
    /// # Errors
    /// As [`Cursor::decode`].
    pub fn after<K: DeserializeOwned>(&self) -> Result<Option<K>, Problem> {
        self.cursor.as_ref().map(Cursor::key).transpose()
    }
}

/// One page of a list.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Page<T> {
    /// The items, in the order of the list.
    pub items: Vec<T>,
    /// Where the next page begins; `null` on the last page.
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// Makes a page of what SQL gave for [`Limit::sql`]: when one more than `limit` came, another page follows, and
    /// `key` gives the sort key of the last item shown.
    pub fn from_rows<K: Serialize>(mut rows: Vec<T>, limit: Limit, key: impl FnOnce(&T) -> K) -> Self {
        let more = rows.len() > limit.get();
        rows.truncate(limit.get());
        let next_cursor = rows.last().filter(|_| more).map(|last| Cursor::encode(&key(last)));
        Self { items: rows, next_cursor }
    }

    /// A page that ends before its limit because its items are large; another follows.
    pub fn ending_early<K: Serialize>(items: Vec<T>, key: impl FnOnce(&T) -> K) -> Self {
        let next_cursor = items.last().map(|last| Cursor::encode(&key(last)));
        Self { items, next_cursor }
    }
}

impl<T: ToSchema> PartialSchema for Page<T> {
    fn schema() -> RefOr<Schema> {
        let items = ArrayBuilder::new().items(schema_part::<T>().here).max_items(Some(Limit::MOST.into()));
        let next = ObjectBuilder::new()
            .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
            .description(Some("Where the next page begins; null on the last page."));
        ObjectBuilder::new()
            .property("items", items)
            .required("items")
            .property("nextCursor", next)
            .required("nextCursor")
            .into()
    }
}

impl<T: ToSchema> ToSchema for Page<T> {
    fn name() -> Cow<'static, str> {
        format!("{}Page", T::name()).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.extend(schema_part::<T>().named);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // HTTP-5
    #[test]
    fn a_page_ends_with_a_cursor_only_when_more_follows() {
        let limit = Limit::new(2).unwrap();
        let page = Page::from_rows(vec![1, 2, 3], limit, |item| *item);
        assert_eq!(page.items, [1, 2]);
        assert_eq!(Cursor::decode::<i32>(&page.next_cursor.unwrap()).unwrap(), 2);
        assert_eq!(Page::from_rows(vec![1, 2], limit, |item| *item).next_cursor, None);
        assert_eq!(Page::from_rows(Vec::<i32>::new(), limit, |item| *item).next_cursor, None);
    }

    #[test]
    fn cursors_that_were_never_given_out_are_refused() {
        let nul = URL_SAFE_NO_PAD.encode(r#"["a\u0000",1]"#);
        for text in ["", "!!", "e30", "x", &nul, &"A".repeat(600)] {
            let problem = Cursor::decode::<(String, i32)>(text).unwrap_err();
            assert_eq!(problem.code(), codes::NOT_FOUND, "{text}");
        }
    }

    #[test]
    fn limits_outside_their_bounds_are_refused() {
        for (query, fine) in
            [("limit=1", true), ("limit=200", true), ("limit=0", false), ("limit=201", false)]
        {
            assert_eq!(crate::extract::read_query::<PageQuery>(query).is_ok(), fine, "{query}");
        }
        let problem = crate::extract::read_query::<PageQuery>("limit=x&cursor=abc").unwrap_err();
        assert_eq!(serde_json::to_value(problem.errors()).unwrap()[0]["parameter"], "limit");
        assert!(crate::extract::read_query::<PageQuery>("colour=red").is_err());
    }
}
