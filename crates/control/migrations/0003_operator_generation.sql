-- Tokens of the command line belong to no account; a newer generation makes all of them worthless.
create table control.operator_generation (
    only_row   boolean primary key default true,
    generation integer not null,
    constraint operator_generation_single check (only_row)
);
insert into control.operator_generation (generation) values (0);
