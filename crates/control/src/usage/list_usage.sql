-- $1 first and $2 last day, $3 tenant's slug, $4 after this slug, $5 limit
select t.slug, t.tier, sum(d.calls)::bigint, sum(d.received_bytes)::bigint, sum(d.sent_bytes)::bigint,
    (sum(d.worked_us) / 1000)::bigint, sum(d.messages)::bigint, round(avg(d.stored_rows))::bigint,
    round(avg(d.stored_bytes))::bigint, (sum(d.database_us) / 1000)::bigint, sum(d.moved_rows)::bigint
from control.tenant as t
join control.usage_day as d on d.tenant_id = t.id
where d.day between $1::text::date and $2::text::date
    and ($3::text is null or t.slug = $3)
    and ($4::text is null or t.slug > $4)
group by t.slug, t.tier
order by t.slug
limit $5
