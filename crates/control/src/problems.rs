//! The problem codes of the control plane.

use kernel::Code;

macro_rules! codes {
    ($($(#[$meta:meta])* $name:ident, $status:literal, $title:literal, $help:literal;)*) => {
        $($(#[$meta])* pub const $name: Code = Code::new(stringify!($name), $status, $title, $help);)*
    };
}

codes! {
    /// Sign-in refused; why is not said.
    WRONG_CREDENTIALS, 401, "The credentials are wrong.",
        "Check address and password, or sign in again instead of using an old refresh token.";
    /// The present password, given to change it, is wrong.
    WRONG_PASSWORD, 422, "The present password is wrong.",
        "Give the password that the account has now. Wrong guesses count as failed sign-ins.";
    /// Too many failed sign-ins.
    SIGN_IN_LOCKED, 429, "Sign-in is locked after too many failures.",
        "Wait for `Retry-After` seconds; the lock covers the account and the address.";
    /// Too many sign-ins at once.
    SIGN_IN_BUSY, 503, "Too many sign-ins at once.",
        "Try again after `Retry-After` seconds.";
    /// The account has several tenants and none was named.
    TENANT_CHOICE_REQUIRED, 422, "The account belongs to several tenants.",
        "Repeat the request with `tenant` (or `X-Tenant`), one of those listed in `tenants`.";
    /// The account has no tenant.
    NO_TENANT, 403, "The account belongs to no tenant.",
        "Ask an administrator of the tenant to take you on, or accept an invitation by naming its tenant and giving its code.";
    /// The place is an invitation, and no code or a wrong one was given.
    INVITATION_REQUIRED, 403, "The place is taken with an invitation code.",
        "Repeat the sign-in with `invitation`, the code shown to whoever invited you. It works once and for 7 days; ask \
         for a new one. Wrong codes count as failed sign-ins.";

    /// The slug is taken.
    TENANT_EXISTS, 409, "A tenant of that name exists.",
        "Choose another slug. Repeating the very request that created an unfinished tenant goes on with it.";
    /// The slug is an address of the program.
    TENANT_NAME_RESERVED, 422, "The name is reserved.",
        "Choose another slug; this one is an address of Markethall itself.";
    /// Suspending or resuming makes no sense now.
    TENANT_NOT_READY, 409, "The tenant is still being set up.",
        "Wait until its status is `active`; an error is tried again by itself or by repeating the creation.";

    /// A cluster that nobody configured.
    SHARD_NOT_CONFIGURED, 422, "No cluster of that name is configured.",
        "Add the cluster to the configuration of every process first; only then can tenants be placed there.";
    /// The shard is there.
    SHARD_EXISTS, 409, "The shard exists.",
        "Change it with `PUT /api/v1/admin/shards/{name}`.";

    /// The role is there.
    ROLE_EXISTS, 409, "A role of that name exists.",
        "Choose another name, or change the existing role.";
    /// Somebody still has the role.
    ROLE_IN_USE, 409, "The role is in use.",
        "Give those who have it another role first.";
    /// No such role for staff.
    UNKNOWN_ROLE, 422, "There is no such role.",
        "Name one of the roles listed by `GET /api/v1/roles`.";
    /// No route asks for such a permission.
    UNKNOWN_PERMISSION, 422, "There is no such permission.",
        "Name permissions as the API documentation does (`resource:action`), `resource:*`, or `*`.";
    /// More than the caller has.
    PERMISSION_BEYOND_YOURS, 403, "You cannot give away more than you may do yourself.",
        "Leave out the permission named in `detail`, or ask somebody who has it.";

    /// The program has no switch of that name.
    UNKNOWN_FEATURE, 404, "There is no feature of that name.",
        "Name one of the features listed by `GET /api/v1/admin/features`; `detail` names them too.";

    /// A bound of the tenant is reached.
    TOO_MANY, 409, "There are as many as there may be.",
        "Remove one that is not needed any more; `detail` says how many there may be.";

    /// The person works there already.
    STAFF_EXISTS, 409, "This person is on the staff already.",
        "Change their role with `PUT /api/v1/staff/{id}`.";
    /// Nobody would be left to run the tenant.
    LAST_ADMIN, 409, "The tenant would be left without an administrator.",
        "Make somebody else `tenant_admin` first.";
    /// An account that others rely on too.
    ACCOUNT_SHARED, 422, "The account is not only yours.",
        "Its owner changes the password; an account with places in other tenants cannot be changed by one of them.";

    /// An issuer of that name is there, or its audience is taken.
    ISSUER_EXISTS, 409, "The issuer's audience is taken.",
        "Use an audience of its own for each tenant.";
    /// The issuer cannot be reached or is not what it says.
    ISSUER_UNUSABLE, 422, "The issuer cannot be used.",
        "Check that its discovery document can be read and names the same issuer and a key set.";
}
