-- Addresses of mail are not verified, so whoever has an account from before takes a place with a one-time code that
-- its inviter was shown; only the code's hash is kept.
alter table control.membership add column accepted_at timestamptz;
alter table control.membership add column last_sign_in_at timestamptz;
alter table control.membership add column invited_name text;
alter table control.membership add column invitation_hash bytea;
alter table control.membership add column invitation_expires_at timestamptz;

comment on column control.membership.accepted_at is
    'Since when the person has had the place; kept when they are dismissed. Active places of older programs lack it.';
comment on column control.membership.last_sign_in_at is 'Of this tenant only.';
comment on column control.membership.invited_name is
    'The name the inviter knows the person by, shown until the place is accepted.';

alter table control.membership
add constraint membership_invitation_in_whole
check ((invitation_hash is null) = (invitation_expires_at is null)) not valid;

-- Dismissed people of before: only accounts that the tenant made itself have certainly had their place.
update control.membership
set accepted_at = membership.updated_at
from control.account
where account.id = membership.account_id
    and (membership.status = 'active' or account.home_tenant = membership.tenant_id);
