select 'signing_key', 'there are accounts but no key that signs'
where exists (select from control.account)
    and not exists (select from control.signing_key where verifies_until is null)
    and $1::text[] is not null
