-- How often a tenant may call, where that is not what its tier says: {limit, windowSeconds, burst, queue}.
alter table control.tenant add column rate_limit jsonb;
