//! Path parameters. What cannot be an identifier does not exist: 404.

use axum::extract::{FromRequestParts, Path as RawPath};
use http::request::Parts;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

use super::Input;
use crate::{Op, Problem, document::schema_part};

/// The one parameter of a path: `Path(id): Path<ProductId>`.
#[derive(Debug, Clone)]
pub struct Path<T>(pub T);

impl<T: ToSchema> Input for Path<T> {
    fn describe(op: &mut Op) {
        op.path_schemas = vec![schema_part::<T>];
    }
}

impl<S, T> FromRequestParts<S> for Path<T>
where
    S: Send + Sync,
    T: DeserializeOwned + Send,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match RawPath::<T>::from_request_parts(parts, state).await {
            Ok(RawPath(value)) => Ok(Self(value)),
            Err(_) => Err(Problem::not_found()),
        }
    }
}

/// The two parameters of a path, in order: `Path2(customer, sku): Path2<CustomerId, Sku>`.
#[derive(Debug, Clone)]
pub struct Path2<A, B>(pub A, pub B);

impl<A: ToSchema, B: ToSchema> Input for Path2<A, B> {
    fn describe(op: &mut Op) {
        op.path_schemas = vec![schema_part::<A>, schema_part::<B>];
    }
}

impl<S, A, B> FromRequestParts<S> for Path2<A, B>
where
    S: Send + Sync,
    A: DeserializeOwned + Send,
    B: DeserializeOwned + Send,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match RawPath::<(A, B)>::from_request_parts(parts, state).await {
            Ok(RawPath((a, b))) => Ok(Self(a, b)),
            Err(_) => Err(Problem::not_found()),
        }
    }
}
