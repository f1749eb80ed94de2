//! The routes of customers.

mod accounts;
mod addresses;
mod customers;
mod loyalty;
mod me;
mod profile;
mod subject;

use std::sync::Arc;

use control::{Control, SignInGate, Turn};
use db::Db;
use edge::{Problem, Routes};
use kernel::Ctx;

pub use customers::CustomerQuery;

use crate::{
    hooks::Hooks,
    manage_customers::CustomerError,
    problems::{CUSTOMER_MERGED, CUSTOMER_NOT_FOUND, CUSTOMER_REFERENCE_EXISTS},
};

/// Sign-ins of customers under way in this process; more are sent away, so that the staff always finds room.
const ROOM: usize = 32;

struct Inner {
    db: Db,
    control: Control,
    gate: SignInGate,
    hooks: Hooks,
}

/// What the routes need.
#[derive(Clone)]
pub struct Customers(Arc<Inner>);

impl Customers {
    /// Routes over `db`; `control` signs tokens and checks passwords, `hooks` take part when people become one.
    #[must_use]
    pub fn new(db: Db, control: Control, hooks: Hooks) -> Self {
        Self(Arc::new(Inner { db, control, gate: SignInGate::with_room(ROOM), hooks }))
    }

    pub(crate) fn db(&self) -> &Db {
        &self.0.db
    }

    pub(crate) fn control(&self) -> &Control {
        &self.0.control
    }

    pub(crate) fn hooks(&self) -> &Hooks {
        &self.0.hooks
    }

    /// Waits for the turn of an account, so that the limit of failures cannot be raced past; `None` when too many wait.
    pub(crate) async fn turn(&self, ctx: &Ctx, email: &str) -> Option<Turn<'_>> {
        self.0.gate.enter(&format!("{}/{email}", ctx.tenant_id())).await
    }
}

/// Every route of this domain.
pub fn routes(state: Customers) -> Routes<()> {
    let with = |routes: Routes<Customers>| routes.with_state(state.clone());
    with(customers::routes())
        .merge(with(accounts::routes()))
        .merge(with(me::routes()))
        .merge(with(addresses::routes()))
        .merge(with(profile::routes()))
        .merge(with(loyalty::routes()))
}

fn problem(error: CustomerError) -> Problem {
    match error {
        CustomerError::NotFound => Problem::new(CUSTOMER_NOT_FOUND),
        CustomerError::ReferenceExists => Problem::new(CUSTOMER_REFERENCE_EXISTS).pointer(
            "/reference",
            CUSTOMER_REFERENCE_EXISTS,
            "another customer has this reference",
        ),
        CustomerError::Merged(into) => {
            Problem::new(CUSTOMER_MERGED).extension("mergedInto", into.map(|into| into.to_string()))
        }
        CustomerError::Db(error) => error.into(),
    }
}
