-- Writes down what became of payments, each exactly once whoever races: the row is locked and looked at again.
-- `succeeded` is never left; what was thought failed or cancelled may still turn out to have succeeded.
-- $1 tenant, $2 settlements, $3 now, $4 who
with wanted as materialized (
    select distinct on (payment_id) payment_id, state, provider_ref, action, failure_code, failure_detail, source
    from unnest($2::payments.new_settlement[])
    order by payment_id, state = 'succeeded' desc
),
locked as materialized (
    select payment.id, payment.state, payment.provider, payment.method, payment.amount, payment.currency,
           payment.purpose, payment.owner, payment.provider_ref
    from wanted
    join payments.payment on payment.tenant_id = $1 and payment.id = wanted.payment_id
    order by payment.id
    for no key update of payment
),
move as materialized (
    select locked.id, locked.state as was, wanted.state, wanted.provider_ref, wanted.action, wanted.failure_code,
           wanted.failure_detail, wanted.source, wanted.state in ('succeeded', 'failed', 'cancelled') as final
    from locked
    join wanted on wanted.payment_id = locked.id
    where case wanted.state
              when 'succeeded' then locked.state <> 'succeeded'
              when 'requires_action' then locked.state in ('pending', 'unknown')
              when 'unknown' then locked.state = 'pending'
              else locked.state in ('pending', 'requires_action', 'unknown')
          end
),
settled as (
    update payments.payment
    set state = move.state,
        provider_ref = coalesce(move.provider_ref, payment.provider_ref),
        action = case when move.state = 'requires_action' then move.action end,
        failure_code = move.failure_code,
        failure_detail = move.failure_detail,
        captured = case when move.state = 'succeeded' then payment.amount else 0 end,
        next_check_at = case when not move.final then payment.next_check_at end,
        settled_at = case when move.final then $3::timestamptz end,
        version = payment.version + 1,
        updated_at = $3
    from move
    where payment.tenant_id = $1 and payment.id = move.id
    returning payment.id, payment.version, payment.state, payment.provider_ref
),
noted as (
    insert into payments.status_change
        (tenant_id, payment_id, refund_id, version, from_state, to_state, source, actor, at)
    select $1, settled.id, '00000000-0000-0000-0000-000000000000', settled.version, move.was, settled.state,
           move.source, $4, $3
    from settled
    join move using (id)
)
select locked.id, coalesce(settled.state, locked.state) as state, settled.id is not null as changed,
       locked.state as was, locked.amount, locked.currency, locked.purpose, locked.owner, locked.provider,
       locked.method, coalesce(settled.provider_ref, locked.provider_ref) as provider_ref,
       wanted.failure_code
from locked
join wanted on wanted.payment_id = locked.id
left join settled on settled.id = locked.id
order by locked.id
