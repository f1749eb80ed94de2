-- Writes down what became of payments, each exactly once whoever races: the row is locked and looked at again.
-- `succeeded` is never left; what was thought failed or cancelled may still turn out to have succeeded.
-- Every step carries on what the next one needs: steps that look each other up cost the square of their number.
-- $1 tenant, $2 settlements, $3 now, $4 who
with wanted as materialized (
    select distinct on (payment_id) payment_id, state, provider_ref, action, failure_code, failure_detail, source
    from unnest($2::payments.new_settlement[])
    order by payment_id, state = 'succeeded' desc
),
locked as materialized (
    select payment.id, payment.state as was, payment.provider, payment.method, payment.amount, payment.currency,
           payment.purpose, payment.owner, payment.provider_ref as known_ref,
           wanted.state, wanted.provider_ref, wanted.action, wanted.failure_code, wanted.failure_detail, wanted.source,
           wanted.state in ('succeeded', 'failed', 'cancelled') as final,
           case wanted.state
               when 'succeeded' then payment.state <> 'succeeded'
               when 'requires_action' then payment.state in ('pending', 'unknown')
               when 'unknown' then payment.state = 'pending'
               else payment.state in ('pending', 'requires_action', 'unknown')
           end as moves
    from wanted
    join payments.payment on payment.tenant_id = $1 and payment.id = wanted.payment_id
    order by payment.id
    for no key update of payment
),
settled as (
    update payments.payment
    set state = move.state,
        provider_ref = coalesce(move.provider_ref, move.known_ref),
        action = case when move.state = 'requires_action' then move.action end,
        failure_code = move.failure_code,
        failure_detail = move.failure_detail,
        captured = case when move.state = 'succeeded' then move.amount else 0 end,
        next_check_at = case when not move.final then payment.next_check_at end,
        settled_at = case when move.final then $3::timestamptz end,
        version = payment.version + 1,
        updated_at = $3
    from locked as move
    where move.moves and payment.tenant_id = $1 and payment.id = move.id
    returning payment.version, payment.id, payment.state, move.was, payment.amount, payment.currency, payment.purpose,
              payment.owner, payment.provider, payment.method, payment.provider_ref, move.failure_code, move.source
),
noted as (
    insert into payments.status_change
        (tenant_id, payment_id, refund_id, version, from_state, to_state, source, actor, at)
    select $1, id, '00000000-0000-0000-0000-000000000000', version, was, state, source, $4, $3
    from settled
)
select id, state, true as changed, was, amount, currency, purpose, owner, provider, method, provider_ref, failure_code
from settled
union all
select id, was, false, was, amount, currency, purpose, owner, provider, method, known_ref, failure_code
from locked
where not moves
order by id
