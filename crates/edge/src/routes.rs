//! Routes: operations with their handlers, waiting for their state and then for the edge.

use std::{any::Any, pin::Pin, sync::Arc};

use axum::{extract::Request, handler::Handler, response::Response};

use crate::{Inputs, Op};

pub(crate) type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;
/// A handler with its state, all types erased.
pub(crate) type Endpoint = Arc<dyn Fn(Request) -> BoxFuture<Response> + Send + Sync>;
type Waiting<S> = Box<dyn FnOnce(S) -> Endpoint + Send>;

/// The operations of a domain under one tag.
///
/// Domains build `Routes<State>`, give it the state and hand `Routes<()>` to [`crate::Api`].
#[must_use]
pub struct Routes<S> {
    tag: &'static str,
    waiting: Vec<(Op, Waiting<S>)>,
    ready: Vec<(Op, Endpoint)>,
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    /// No operations yet; `tag` is their heading in the documentation.
    pub fn new(tag: &'static str) -> Self {
        Self { tag, waiting: Vec::new(), ready: Vec::new() }
    }

    /// Adds an operation. What the handler takes completes the declaration: path identifiers, query, body, key.
    pub fn add<H, T>(mut self, mut op: Op, handler: H) -> Self
    where
        H: Handler<T, S> + Sync,
        T: Inputs + 'static,
    {
        op.tag = self.tag;
        T::describe(&mut op);
        let bind = move |state: S| -> Endpoint {
            Arc::new(move |request| unboxed(handler.clone().call(request, state.clone())))
        };
        self.waiting.push((op, Box::new(bind)));
        self
    }

    /// Gives every handler its state.
    pub fn with_state(self, state: S) -> Routes<()> {
        let mut ready = self.ready;
        ready.extend(self.waiting.into_iter().map(|(op, bind)| (op, bind(state.clone()))));
        Routes { tag: self.tag, waiting: Vec::new(), ready }
    }
}

impl Routes<()> {
    /// Adds the operations of another group; each keeps its own tag.
    pub fn merge(mut self, other: Self) -> Self {
        self.ready.extend(other.into_endpoints());
        self
    }

    pub(crate) fn into_endpoints(self) -> Vec<(Op, Endpoint)> {
        self.with_state(()).ready
    }
}

/// Boxes a future unless it is boxed already, as the futures of asynchronous functions are in axum.
fn unboxed<F: Future<Output = Response> + Send + 'static>(future: F) -> BoxFuture<Response> {
    let mut slot = Some(future);
    let any: &mut dyn Any = &mut slot;
    if let Some(boxed) = any.downcast_mut::<Option<BoxFuture<Response>>>().and_then(Option::take) {
        return boxed;
    }
    match slot {
        Some(future) => Box::pin(future),
        None => Box::pin(std::future::pending()),
    }
}
