//! Extractors complete the declaration of the operation whose handler takes them.

use axum::extract::{Extension, State};

use crate::Op;

/// Something a handler takes.
pub trait Input {
    /// Adds to `op` what taking it means: parameters, headers, a body.
    fn describe(op: &mut Op) {
        let _ = op;
    }
}

impl<S> Input for State<S> {}
impl<T> Input for Extension<T> {}
impl Input for http::HeaderMap {}
impl Input for http::Uri {}
impl Input for http::Method {}

/// All that a handler takes; implemented for the tuples by which axum knows handlers.
pub trait Inputs {
    /// Adds to `op` what taking all of it means.
    fn describe(op: &mut Op);
}

impl Inputs for ((),) {
    fn describe(_op: &mut Op) {}
}

macro_rules! inputs {
    ($($name:ident),+) => {
        impl<M, $($name: Input),+> Inputs for (M, $($name,)+) {
            fn describe(op: &mut Op) {
                $($name::describe(op);)+
            }
        }
    };
}

inputs!(A);
inputs!(A, B);
inputs!(A, B, C);
inputs!(A, B, C, D);
inputs!(A, B, C, D, E);
inputs!(A, B, C, D, E, F);
inputs!(A, B, C, D, E, F, G);
inputs!(A, B, C, D, E, F, G, H);
