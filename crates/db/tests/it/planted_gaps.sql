create table shelf.open (id uuid primary key);
grant select on shelf.open to markethall_app;

create table shelf.owned (tenant_id uuid not null, primary key (tenant_id));
alter table shelf.owned owner to markethall_app;

-- Out of reach of tenants' requests: needs no tenant.
create table shelf.position (id int primary key);

alter table shelf.book no force row level security;
create policy generous on shelf.book for select to public using (true);
create unique index book_title_everywhere on shelf.book (title);
create unique index book_id_everywhere on shelf.book (tenant_id, id, title);

alter table shelf.loan add column of_book uuid;
alter table shelf.position add column book uuid unique;
alter table shelf.loan add constraint loan_of_any_book foreign key (of_book) references shelf.position (book);
alter table shelf.loan add constraint loan_of_own_book foreign key (tenant_id, of_book) references shelf.book;

create view shelf.pane as select id, title from shelf.book;
create view shelf.mirror with (security_invoker = true) as select id, title from shelf.book;
grant select on shelf.pane, shelf.mirror to markethall_app;

create function shelf.peek() returns bigint language sql security definer as 'select count(*) from shelf.book';
