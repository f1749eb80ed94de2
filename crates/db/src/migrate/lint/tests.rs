use super::*;

fn check(sql: &str, rules: &[&str]) {
    let earlier = BTreeSet::from(["catalog.product".to_owned()]);
    let found: Vec<_> = lint_migration(sql, &earlier).into_iter().map(|finding| finding.rule).collect();
    assert_eq!(found, rules, "{sql}");
}

#[test]
fn an_index_on_a_table_with_rows_is_built_concurrently() {
    check("create index on catalog.product (sku)", &["index_not_concurrent"]);
    check("create unique index product_sku on only catalog.product (sku)", &["index_not_concurrent"]);
    check("create index on catalog.novelty (sku)", &[]);
    check("create index concurrently on catalog.product (sku)", &["concurrent_in_transaction"]);
    check("-- no-transaction\ncreate index concurrently if not exists i on catalog.product (sku);", &[]);
    check(
        "-- no-transaction\ncreate index concurrently i on catalog.product (sku); select 1",
        &["no_transaction_several"],
    );
}

#[test]
fn a_table_made_in_the_same_step_may_be_changed_freely() {
    let sql = "create table if not exists catalog.novelty (id uuid);
        create index on catalog.novelty (id);
        alter table catalog.novelty add column token uuid not null default gen_random_uuid(), drop column id;";
    check(sql, &[]);
    assert_eq!(created_tables(sql), ["catalog.novelty"]);
}

#[test]
fn a_column_is_added_without_rewriting_and_without_breaking_old_programs() {
    check("alter table catalog.product add column note text", &[]);
    check("alter table catalog.product add column note text not null default ''", &[]);
    check("alter table catalog.product add column at timestamptz not null default now()", &[]);
    check("alter table catalog.product add column rate numeric(5, 2) default 0::numeric(5, 2)", &[]);
    check("alter table catalog.product add note text not null", &["not_null_without_default"]);
    check("alter table catalog.product add column id2 uuid default gen_random_uuid()", &["volatile_default"]);
    check(
        "alter table only catalog.product add column n bigint generated always as identity",
        &["column_rewrites"],
    );
    check(
        "alter table catalog.product add column a int, add column b int not null",
        &["not_null_without_default"],
    );
    check(
        "alter table catalog.product add column shop uuid references catalog.shop (id)",
        &["constraint_validates"],
    );
}

#[test]
fn types_and_not_null_of_existing_columns_are_not_changed_in_place() {
    check("alter table catalog.product alter column price type numeric", &["column_type"]);
    check("ALTER TABLE catalog.product ALTER price SET DATA TYPE numeric", &["column_type"]);
    check("alter table catalog.product alter column price set not null", &["set_not_null"]);
    check("alter table catalog.product alter column price set default 0", &[]);
}

#[test]
fn constraints_are_added_not_valid_first() {
    check("alter table catalog.product add constraint p check (price > 0)", &["constraint_validates"]);
    check("alter table catalog.product add constraint p check (price > 0) not valid", &[]);
    check("alter table catalog.product add constraint u unique using index product_sku", &[]);
    check("alter table catalog.product validate constraint p", &[]);
}

#[test]
fn what_running_programs_use_is_dropped_only_with_a_reason() {
    check("drop table catalog.product", &["drop_without_contract"]);
    check("alter table catalog.product drop column note", &["drop_without_contract"]);
    check("alter table catalog.product rename column note to remark", &["drop_without_contract"]);
    check("-- contract: unused since 0004\nalter table catalog.product drop column note", &[]);
    check("alter table catalog.product drop constraint p", &[]);
}

#[test]
fn locks_rewrites_and_own_transactions_are_refused() {
    check("lock table catalog.product in exclusive mode", &["lock_table"]);
    check("truncate catalog.product", &["truncate"]);
    check("vacuum full catalog.product", &["vacuum_full"]);
    check("begin; select 1; commit", &["transaction_control", "transaction_control"]);
    check("reindex table catalog.product", &["reindex_not_concurrent"]);
}

#[test]
fn comments_literals_and_function_bodies_are_not_statements() {
    check("-- lock table catalog.product;\nselect 1", &[]);
    check("/* lock /* table */ x; */ select 'a;''b; lock table x', e'it\\'s; truncate x', \"begin\"", &[]);
    check(
        "create function db.f() returns void language plpgsql as $body$ begin lock table x; end $body$",
        &[],
    );
    check("select $1; lock x", &["lock_table"]);
    check("select 'unfinished; lock x", &[]);
}
