//! Accounts of people: passwords, sign-in, refresh, sign-out, and their places in tenants.

mod admit;
mod attempts;
mod email;
mod gate;
mod http;
mod invitation;
mod me;
mod operator;
mod password;
mod place;
mod refresh;
mod session;
mod sign_in;
mod sign_out;

kernel::id!(
    /// A person who can sign in.
    AccountId,
    "usr"
);
kernel::id!(
    /// A sign-in that lives on through refresh tokens.
    SessionId,
    "ses"
);

pub(crate) use admit::{Admission, Admitted, admit};
pub(crate) use attempts::forget_lock;
pub(crate) use email::check_email;
pub use gate::{SignInGate, Turn};
pub(crate) use http::routes;
pub(crate) use me::end_all_tokens;
pub use me::{Me, MembershipView};
pub use operator::{CreateOperatorError, OperatorAccount, create_operator};
pub use password::{PasswordError, check_claimed_password, check_password};
pub(crate) use password::{Passwords, check_new_password, first_password};
pub use refresh::refresh;
pub use session::Tokens;
pub(crate) use session::revoke_sessions;
pub use sign_in::{SignIn, SignInError, Whence, sign_in};
