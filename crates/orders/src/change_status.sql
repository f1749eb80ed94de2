update orders.customer_order
set status = $3, history = history || $4::jsonb, version = version + 1, updated_at = $5
where tenant_id = $1 and id = $2
