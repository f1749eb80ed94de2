select exists (select 1 from sales.register where tenant_id = $1) as any
