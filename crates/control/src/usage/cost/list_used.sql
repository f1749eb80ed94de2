-- $1 the tenant's slug, $2 first and $3 last day: what was used on each day, with the tier of that day.
select d.day::text, coalesce(d.tier, t.tier), n.item, n.quantity
from control.tenant as t
join control.usage_day as d on d.tenant_id = t.id
cross join lateral (
    values ('calls', d.calls), ('received_bytes', d.received_bytes), ('sent_bytes', d.sent_bytes),
        ('worked_us', d.worked_us), ('messages', d.messages), ('database_us', d.database_us),
        ('moved_rows', d.moved_rows), ('stored_row_days', d.stored_rows),
        ('stored_byte_days', d.stored_bytes)
) as n (item, quantity)
where t.slug = $1 and d.day between $2::text::date and $3::text::date and n.quantity > 0
union all
select f.day::text, f.tier, f.kind, f.amount
from control.tenant as t
join control.fact_day as f on f.tenant_id = t.id
where t.slug = $1 and f.day between $2::text::date and $3::text::date and f.amount > 0
