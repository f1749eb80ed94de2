//! A step of work inside a tenant: the same context, with everything done in it under a span of its own.

use std::{borrow::Cow, ops::Deref};

use kernel::Ctx;

use crate::{Kind, Span};

/// The context of a step; while no traces are made it is the context that it was begun with.
#[derive(Debug)]
pub struct Scope<'a> {
    ctx: Cow<'a, Ctx>,
    span: Span,
}

impl<'a> Scope<'a> {
    /// Begins a step of our own.
    #[must_use]
    pub fn begin(ctx: &'a Ctx, name: &'static str) -> Self {
        Self::of(ctx, Span::child(ctx.caller.trace.as_ref(), Kind::Internal, || name.into()))
    }

    /// The context of what is done within `span`.
    #[must_use]
    pub fn of(ctx: &'a Ctx, span: Span) -> Self {
        let mut ctx = Cow::Borrowed(ctx);
        if let Some(own) = span.context() {
            ctx.to_mut().caller.trace = Some(own);
        }
        Self { ctx, span }
    }

    /// The span of the step.
    pub fn span(&mut self) -> &mut Span {
        &mut self.span
    }
}

impl Deref for Scope<'_> {
    type Target = Ctx;

    fn deref(&self) -> &Ctx {
        &self.ctx
    }
}
