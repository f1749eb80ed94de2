//! A search condition as PostgreSQL takes it: the text form of `tsquery`.

use bytes::BytesMut;
use db::types::{Format, IsNull, ToSql, Type, to_sql_checked};

/// A `tsquery` parameter, sent as text; PostgreSQL has no other way in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TsQuery(pub(crate) String);

impl TsQuery {
    /// Both conditions.
    pub(crate) fn and(self, other: Self) -> Self {
        Self(format!("({}) & ({})", self.0, other.0))
    }

    /// All of `parts`; `None` without any.
    pub(crate) fn all(parts: impl IntoIterator<Item = Self>) -> Option<Self> {
        parts.into_iter().reduce(Self::and)
    }

    /// Any of `parts`; `None` without any.
    pub(crate) fn any(parts: impl IntoIterator<Item = Self>) -> Option<Self> {
        let parts: Vec<String> = parts.into_iter().map(|part| part.0).collect();
        if parts.is_empty() { None } else { Some(Self(parts.join(" | "))) }
    }

    /// The lexeme (quoted already) or every lexeme that begins with it.
    pub(crate) fn beginning_with(quoted: String) -> Self {
        Self(format!("{quoted}:*"))
    }
}

impl ToSql for TsQuery {
    fn to_sql(
        &self,
        _ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        out.extend_from_slice(self.0.as_bytes());
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::TSQUERY
    }

    fn encode_format(&self, _ty: &Type) -> Format {
        Format::Text
    }

    to_sql_checked!();
}
