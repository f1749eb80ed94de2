//! A statement as a value, so that several can be sent in one pipeline.

use std::{fmt, sync::Arc};

use tokio_postgres::types::ToSql;

/// An owned parameter.
pub type Param = Box<dyn ToSql + Sync + Send>;

/// What happens once the transaction that ran a statement has committed; never blocks.
pub type Hook = Arc<dyn Fn() + Send + Sync>;

/// SQL text with its parameters. Domains hand these to each other's use cases, which send them together.
pub struct Stmt {
    /// The text; static, so that it is prepared once per connection.
    pub sql: &'static str,
    /// The parameters in order.
    pub params: Vec<Param>,
    pub(crate) after_commit: Option<Hook>,
}

impl Stmt {
    /// A statement without parameters yet.
    #[must_use]
    pub fn new(sql: &'static str) -> Self {
        Self { sql, params: Vec::with_capacity(8), after_commit: None }
    }

    /// Adds the next parameter.
    #[must_use]
    pub fn bind(mut self, value: impl ToSql + Sync + Send + 'static) -> Self {
        self.params.push(Box::new(value));
        self
    }

    /// Calls `hook` once the transaction that ran this statement has committed, in whatever batch it went.
    #[must_use]
    pub fn after_commit(mut self, hook: Hook) -> Self {
        self.after_commit = Some(hook);
        self
    }

    pub(crate) fn refs(&self) -> Vec<&(dyn ToSql + Sync)> {
        self.params.iter().map(|param| -> &(dyn ToSql + Sync) { &**param }).collect()
    }
}

impl fmt::Debug for Stmt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stmt").field("sql", &self.sql).field("params", &self.params.len()).finish()
    }
}
