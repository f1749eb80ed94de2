-- Messages as the program hands them over (docs/adr/0022-rows-as-parameters.md).
-- A type never changes, as older programs go on using it: another shape is another type.
create type messages.new_message as (
    id uuid,
    created_at timestamptz,
    kind text,
    subject text,
    correlation_id text,
    traceparent text,
    data text
);
