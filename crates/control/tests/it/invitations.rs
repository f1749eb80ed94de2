//! IDN-2, IDN-3: an account from before takes a place with the code that its inviter was shown.

use serde_json::{Value, json};
use testkit::{Answer, Client};

use crate::world::{PASSWORD, World, accepting, credentials};

const OWNER: &str = "owner@bigcorp.test";

fn invite(email: &str, role: &str) -> Value {
    json!({ "email": email, "name": "The Owner", "role": role })
}

/// `evil` has an account of [`OWNER`] and knows its password; `bolt` invites that person.
async fn invited() -> (World, Client, Answer) {
    let world = World::start().await;
    world.account_elsewhere("evil", OWNER).await;
    world.tenant("bolt").await;
    let admin = world.admin("bolt").await;
    let answer = admin.post("/staff", invite(OWNER, "manager")).await.is(201);
    assert_eq!((answer.text("/status"), &answer.json["initialPassword"]), ("invited", &json!(null)));
    (world, admin, answer)
}

fn naming(tenant: &str) -> Value {
    json!({ "email": OWNER, "password": PASSWORD, "tenant": tenant })
}

// IDN-2
#[tokio::test]
async fn who_made_an_account_first_owns_no_place_that_its_address_is_given_later() {
    let (world, _, answer) = invited().await;
    world.sign_in(naming("bolt")).await.is_problem(403, "INVITATION_REQUIRED");
    // The same for the first administrator of a new tenant.
    let body = json!({
        "slug": "bigcorp", "name": "Big", "tier": "standard", "currency": "EUR", "adminEmail": OWNER,
    });
    let made = world.operator().await.post("/admin/tenants", body).await.is(201);
    assert_eq!(made.json["adminPassword"], json!(null));
    world.sign_in(naming("bigcorp")).await.is_problem(403, "INVITATION_REQUIRED");
    assert_eq!(world.sign_in(credentials(OWNER)).await.is(200).text("/tenant"), "evil");
    assert_eq!(world.violations().await, []);

    let code = made.text("/adminInvitationCode");
    world.sign_in(accepting(OWNER, "bolt", code)).await.is_problem(403, "INVITATION_REQUIRED");
    let accepted = world.sign_in(accepting(OWNER, "bigcorp", code)).await.is(200);
    assert_eq!(accepted.text("/role"), "tenant_admin");
    let accepted = world.sign_in(accepting(OWNER, "bolt", answer.text("/invitationCode"))).await.is(200);
    assert_eq!(accepted.text("/role"), "manager");
    assert_eq!(world.violations().await, []);
}

// IDN-2
#[tokio::test]
async fn a_code_works_once_and_the_place_needs_none_from_then_on() {
    let (world, admin, answer) = invited().await;
    let code = answer.text("/invitationCode");
    assert!(code.starts_with("mhi_") && code.len() <= 100, "{code}");
    world.sign_in(accepting(OWNER, "bolt", code)).await.is(200);
    world.sign_in(naming("bolt")).await.is(200);
    admin.post("/staff", invite(OWNER, "cashier")).await.is_problem(409, "STAFF_EXISTS");
    // Taken on anew after a dismissal, the old code is worth nothing.
    let path = format!("/staff/{}", answer.text("/id"));
    admin.put(&path, json!({ "role": "manager", "active": false })).await.is(200);
    let again = admin.post("/staff", invite(OWNER, "cashier")).await.is(201);
    assert_eq!((again.text("/id"), again.text("/status")), (answer.text("/id"), "invited"));
    world.sign_in(accepting(OWNER, "bolt", code)).await.is_problem(403, "INVITATION_REQUIRED");
    world.sign_in(accepting(OWNER, "bolt", again.text("/invitationCode"))).await.is(200);
    let stored = "select count(*)::text from control.membership where invitation_hash is not null";
    assert_eq!(world.ask(stored).await, "0");
}

#[tokio::test]
async fn of_ten_who_bring_one_code_at_once_all_hold_the_one_place() {
    let (world, _, answer) = invited().await;
    let body = accepting(OWNER, "bolt", answer.text("/invitationCode"));
    let calls = (0..10).map(|_| {
        let (stranger, body) = (world.stranger(), body.clone());
        tokio::spawn(async move { stranger.post("/auth/token", body).await.status })
    });
    for call in calls.collect::<Vec<_>>() {
        assert_eq!(call.await.unwrap(), 200);
    }
    let accepted = "select reason from control.security_event where reason like '%invitation' group by reason \
                    having count(*) = 1";
    world.control.flush().await.unwrap();
    assert_eq!(world.ask(accepted).await, "password and invitation");
}

#[tokio::test]
async fn a_code_ends_after_seven_days() {
    let (world, _, answer) = invited().await;
    let accepting = accepting(OWNER, "bolt", answer.text("/invitationCode"));
    world.clock.advance_seconds(7 * 86_400);
    world.sign_in(accepting).await.is_problem(403, "INVITATION_REQUIRED");
}

#[tokio::test]
async fn a_code_works_until_its_last_second() {
    let (world, _, answer) = invited().await;
    world.clock.advance_seconds(7 * 86_400 - 1);
    world.sign_in(accepting(OWNER, "bolt", answer.text("/invitationCode"))).await.is(200);
}

#[tokio::test]
async fn inviting_again_makes_a_new_code_and_ends_the_old_one() {
    let (world, admin, first) = invited().await;
    let second = admin.post("/staff", invite(OWNER, "cashier")).await.is(201);
    assert_eq!((second.text("/id"), second.text("/role")), (first.text("/id"), "cashier"));
    assert_ne!(first.text("/invitationCode"), second.text("/invitationCode"));
    let old = accepting(OWNER, "bolt", first.text("/invitationCode"));
    world.sign_in(old).await.is_problem(403, "INVITATION_REQUIRED");
    let new = accepting(OWNER, "bolt", second.text("/invitationCode"));
    assert_eq!(world.sign_in(new).await.is(200).text("/role"), "cashier");
}

// HTTP-6
#[tokio::test]
async fn the_same_request_repeated_under_its_key_shows_the_same_code() {
    let (world, admin, _) = invited().await;
    let body = invite(OWNER, "manager");
    let call = || admin.api(http::Method::POST, "/staff").key("one").json(&body).send();
    let first = call().await.is(201);
    let again = call().await.is(201);
    assert_eq!(first.text("/invitationCode"), again.text("/invitationCode"));
    world.sign_in(accepting(OWNER, "bolt", again.text("/invitationCode"))).await.is(200);
}

// IDN-4
#[tokio::test]
async fn nobody_gets_a_code_for_a_place_that_may_do_more_than_they_may() {
    let world = World::start().await;
    let acme = world.tenant("acme").await;
    world.account_elsewhere("evil", OWNER).await;
    world.admin("acme").await.post("/staff", invite(OWNER, "tenant_admin")).await.is(201);
    let lead = world.with(Some(acme), &["staff:*", "sales:*", "catalog:*"]).await;
    lead.post("/staff", invite(OWNER, "cashier")).await.is_problem(403, "PERMISSION_BEYOND_YOURS");
}

// IDN-2: five failures in 15 minutes.
#[tokio::test]
async fn wrong_codes_count_as_failed_sign_ins_and_a_missing_one_forgives_none() {
    let (world, _, answer) = invited().await;
    let right = answer.text("/invitationCode").to_owned();
    let replaced = if right.ends_with('A') { 'B' } else { 'A' };
    let wrong = format!("{}{replaced}", &right[..right.len() - 1]);
    for code in ["x", "mhi_nonsense", wrong.as_str(), &right.replace("mhi_", "mhr_"), "mhi_é"] {
        world.sign_in(accepting(OWNER, "bolt", code)).await.is_problem(403, "INVITATION_REQUIRED");
        if code != "mhi_é" {
            world.sign_in(naming("bolt")).await.is_problem(403, "INVITATION_REQUIRED");
        }
    }
    world.sign_in(accepting(OWNER, "bolt", &right)).await.is_problem(429, "SIGN_IN_LOCKED");
    world.clock.advance_seconds(901);
    world.sign_in(accepting(OWNER, "bolt", &right)).await.is(200);
    world.control.flush().await.unwrap();
    let events = "select sum(times)::text from control.security_event where reason = 'wrong invitation code'";
    assert_eq!(world.ask(events).await, "5");
}

// IDN-2: no enumeration.
#[tokio::test]
async fn without_the_right_password_nothing_is_said_about_an_invitation() {
    let (world, _, answer) = invited().await;
    for (email, code) in [(OWNER, answer.text("/invitationCode")), ("nobody@acme.test", "mhi_nonsense")] {
        let mut guess = accepting(email, "bolt", code);
        guess["password"] = json!("a wrong password");
        world.sign_in(guess).await.is_problem(401, "WRONG_CREDENTIALS");
    }
    // Nor has the code been used up.
    world.sign_in(accepting(OWNER, "bolt", answer.text("/invitationCode"))).await.is(200);
}

// IDN-3
#[tokio::test]
async fn an_inviter_learns_nothing_about_a_person_before_they_accept() {
    let (world, admin, answer) = invited().await;
    world.sign_in(credentials(OWNER)).await.is(200);
    let path = format!("/staff/{}", answer.text("/id"));
    let listed = admin.get("/staff?status=invited").await.is(200).json["items"][0].clone();
    for seen in [answer.json.clone(), admin.get(&path).await.is(200).json, listed] {
        assert_eq!((&seen["name"], &seen["lastSignInAt"]), (&json!("The Owner"), &json!(null)), "{seen}");
    }
    world.clock.advance_seconds(60);
    world.sign_in(accepting(OWNER, "bolt", answer.text("/invitationCode"))).await.is(200);
    let accepted = admin.get(&path).await.is(200);
    assert_eq!(accepted.text("/name"), "From elsewhere");
    assert_eq!(accepted.text("/lastSignInAt"), "2026-11-21T10:01:00Z");
    // What they do elsewhere stays there.
    world.clock.advance_seconds(60);
    let mut elsewhere = credentials(OWNER);
    elsewhere["tenant"] = json!("evil");
    world.sign_in(elsewhere).await.is(200);
    assert_eq!(admin.get(&path).await.is(200).text("/lastSignInAt"), "2026-11-21T10:01:00Z");
}

#[tokio::test]
async fn a_place_dismissed_and_taken_back_before_it_was_accepted_is_still_an_invitation() {
    let (world, admin, answer) = invited().await;
    let path = format!("/staff/{}", answer.text("/id"));
    let code = answer.text("/invitationCode");
    admin.put(&path, json!({ "role": "manager", "active": false })).await.is(200);
    world.sign_in(accepting(OWNER, "bolt", code)).await.is_problem(403, "TENANT_MISMATCH");
    let back = admin.put(&path, json!({ "role": "manager", "active": true })).await.is(200);
    assert_eq!((back.text("/status"), back.text("/name")), ("invited", "The Owner"));
    // The code has gone with the dismissal.
    world.sign_in(accepting(OWNER, "bolt", code)).await.is_problem(403, "INVITATION_REQUIRED");
    let again = admin.post("/staff", invite(OWNER, "manager")).await.is(201);
    world.sign_in(accepting(OWNER, "bolt", again.text("/invitationCode"))).await.is(200);
}

#[tokio::test]
async fn the_only_administrator_cannot_be_dismissed_while_still_invited() {
    let world = World::start().await;
    world.account_elsewhere("evil", OWNER).await;
    let body = json!({
        "slug": "bigcorp", "name": "Big", "tier": "standard", "currency": "EUR", "adminEmail": OWNER,
    });
    let made = world.operator().await.post("/admin/tenants", body).await.is(201);
    let inside = world.with(Some(made.text("/id").parse().unwrap()), &["*"]).await;
    let staff = inside.get("/staff").await.is(200);
    let path = format!("/staff/{}", staff.text("/items/0/id"));
    inside.put(&path, json!({ "role": "tenant_admin", "active": false })).await.is_problem(409, "LAST_ADMIN");
    assert_eq!(world.violations().await, []);
}
