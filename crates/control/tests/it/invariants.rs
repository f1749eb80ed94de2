//! `markethall check` over the control database.

use crate::world::World;

#[tokio::test]
async fn every_broken_invariant_is_named() {
    let world = World::start().await;
    world.tenant("acme").await;
    world.admin("acme").await;
    assert_eq!(world.violations().await, []);
    let breaks = [
        (
            "active_tenants_are_set_up",
            "update control.provisioning set step = 'seed'",
            "update control.provisioning set step = 'done'",
        ),
        (
            "active_tenants_have_an_admin",
            "update control.account set active = false",
            "update control.account set active = true",
        ),
        (
            "memberships_have_a_role",
            "update control.membership set role = 'ghost'",
            "update control.membership set role = 'tenant_admin'",
        ),
        (
            "sessions_have_a_membership",
            "update control.membership set status = 'inactive'",
            "update control.membership set status = 'active'",
        ),
        (
            "a_signing_key_verifies",
            "update control.signing_key set verifies_until = now()",
            "update control.signing_key set verifies_until = null",
        ),
        (
            "refresh_tokens_are_single",
            "insert into control.refresh_token select gen_random_uuid(), session_id, secret_hash, created_at, expires_at from control.refresh_token",
            "delete from control.refresh_token",
        ),
    ];
    for (name, change, back) in breaks {
        world.sql(change).await;
        let found: Vec<&str> = world.violations().await.iter().map(|violation| violation.invariant).collect();
        assert!(found.contains(&name), "{name}: {found:?}");
        world.sql(back).await;
        assert_eq!(world.violations().await, [], "after {name}");
    }
}
