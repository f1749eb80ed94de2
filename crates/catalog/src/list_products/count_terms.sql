select term.kind::text as kind, term.term, term.products, term.active
from unnest($2::text[], $3::text[]) as t (kind, term)
inner join catalog.term on term.tenant_id = $1 and term.kind = t.kind::"char" and term.term = t.term
