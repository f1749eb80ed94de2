update checkout.checkout
set state = 'completed', phase = 'done', steps = given.steps, action = null, updated_at = $2, finished_at = $2
from unnest($3::uuid[], $4::jsonb[]) as given (id, steps)
where checkout.tenant_id = $1 and checkout.id = given.id
