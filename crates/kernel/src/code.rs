//! Stable problem codes: one catalogue entry per way a request can fail.

/// One kind of failure, as clients see it. The `code` never changes its meaning once published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Code {
    /// `OUT_OF_STOCK`: upper-case, unique over the whole program.
    pub code: &'static str,
    /// The HTTP status it is answered with.
    pub status: u16,
    /// One short sentence that is true for every occurrence.
    pub title: &'static str,
    /// What a caller can do about it, for `docs/errors.md`.
    pub help: &'static str,
}

impl Code {
    /// Declares a code; `help` says what the caller can do.
    #[must_use]
    pub const fn new(code: &'static str, status: u16, title: &'static str, help: &'static str) -> Self {
        Self { code, status, title, help }
    }
}
