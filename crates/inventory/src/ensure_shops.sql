-- Names that can be codes become codes; the others are numbered after the highest S-number in use or now given.
-- $1 tenant, $2 ids, $3 names, $4 whether the name is a code, $5 now
with wanted as (
    select id, name, coded, row_number() over (partition by coded order by name) as place
    from unnest($2::uuid[], $3::text[], $4::boolean[]) as given (id, name, coded)
),
highest as (
    select coalesce(max(substr(used.code, 2)::integer), 0) as number
    from (
        select shop.code from inventory.shop where shop.tenant_id = $1
        union all
        select wanted.name from wanted where wanted.coded
    ) as used
    where used.code ~ '^S[0-9]{1,6}$'
),
coded as (
    select wanted.id, wanted.name,
           case when wanted.coded then wanted.name
                else 'S' || lpad((highest.number + wanted.place)::text,
                                 greatest(2, length((highest.number + wanted.place)::text)), '0') end as code
    from wanted cross join highest
)
insert into inventory.shop (tenant_id, id, code, name, kind, created_at, updated_at)
select $1, coded.id, coded.code, coded.name, 'store', $5, $5
from coded
returning name, id
