//! IDN-2: signing in at the built-in issuer, and what stands against guessing.

use control::{SignIn, SignInError, Tokens, Whence};
use serde_json::json;

use crate::world::{PASSWORD, World, credentials};

async fn sign_in_from(
    world: &World,
    address: &str,
    email: &str,
    password: &str,
) -> Result<Tokens, SignInError> {
    let whence = Whence {
        address: Some(address.parse().unwrap()),
        agent: None,
        correlation_id: "test".into(),
        now: world.clock.now(),
    };
    let input =
        SignIn { email: email.to_owned(), password: password.into(), tenant: None, invitation: None, whence };
    control::sign_in(&world.control, input).await
}

fn wrong(email: &str) -> serde_json::Value {
    json!({ "email": email, "password": "a wrong password" })
}

// IDN-2
#[tokio::test]
async fn address_and_password_give_a_short_access_token_and_a_refresh_token() {
    let world = World::start().await;
    world.tenant("acme").await;
    let answer = world.sign_in(credentials("ADMIN@acme.test")).await.is(200);
    assert_eq!(answer.text("/tokenType"), "Bearer");
    assert_eq!(answer.json["expiresIn"], json!(900));
    assert!(answer.text("/refreshToken").starts_with("mhr_"));
    assert_eq!((answer.text("/tenant"), answer.text("/role")), ("acme", "tenant_admin"));
    let client = world.stranger().with_token(answer.text("/accessToken"));
    client.get("/me").await.is(200);
    world.clock.advance_seconds(901);
    client.get("/me").await.is_problem(401, "TOKEN_EXPIRED");
}

// IDN-2: no enumeration of users.
#[tokio::test]
async fn unknown_deactivated_and_wrong_look_the_same() {
    let world = World::start().await;
    world.tenant("acme").await;
    world.tenant("gone").await;
    world.sql("update control.account set active = false where email = 'admin@gone.test'").await;
    let mut seen = Vec::new();
    for email in ["admin@acme.test", "nobody@acme.test"] {
        let answer = world.sign_in(wrong(email)).await.is_problem(401, "WRONG_CREDENTIALS");
        seen.push((answer.text("/title").to_owned(), answer.text("/detail").to_owned()));
    }
    let answer = world.sign_in(credentials("admin@gone.test")).await.is_problem(401, "WRONG_CREDENTIALS");
    seen.push((answer.text("/title").to_owned(), answer.text("/detail").to_owned()));
    seen.dedup();
    assert_eq!(seen.len(), 1);
}

// IDN-2: five failures in 15 minutes.
#[tokio::test]
async fn five_failures_lock_the_account_for_fifteen_minutes_even_for_the_right_password() {
    let world = World::start().await;
    world.tenant("acme").await;
    for _ in 0..4 {
        world.sign_in(wrong("admin@acme.test")).await.is(401);
    }
    // A success forgets them.
    world.sign_in(credentials("admin@acme.test")).await.is(200);
    for _ in 0..5 {
        world.sign_in(wrong("admin@acme.test")).await.is_problem(401, "WRONG_CREDENTIALS");
    }
    let locked = world.sign_in(credentials("admin@acme.test")).await.is_problem(429, "SIGN_IN_LOCKED");
    assert_eq!(locked.header("retry-after"), "900");
    world.clock.advance_seconds(899);
    world.sign_in(credentials("admin@acme.test")).await.is(429);
    world.clock.advance_seconds(2);
    world.sign_in(credentials("admin@acme.test")).await.is(200);
}

#[tokio::test]
async fn an_account_that_does_not_exist_is_locked_just_the_same() {
    let world = World::start().await;
    for _ in 0..5 {
        world.sign_in(wrong("nobody@acme.test")).await.is(401);
    }
    world.sign_in(wrong("nobody@acme.test")).await.is_problem(429, "SIGN_IN_LOCKED");
}

#[tokio::test]
async fn failures_spread_over_more_than_fifteen_minutes_lock_nobody() {
    let world = World::start().await;
    world.tenant("acme").await;
    for _ in 0..12 {
        world.sign_in(wrong("admin@acme.test")).await.is(401);
        world.clock.advance_seconds(301);
    }
    world.sign_in(credentials("admin@acme.test")).await.is(200);
}

// HTTP-10
#[tokio::test]
async fn five_failures_at_one_account_do_not_lock_out_others_behind_the_same_address() {
    let world = World::start().await;
    world.tenant("acme").await;
    let from = async |email: &str, password: &str| sign_in_from(&world, "192.0.2.1", email, password).await;
    for _ in 0..5 {
        assert!(matches!(from("nobody@acme.test", "guess").await, Err(SignInError::WrongCredentials)));
    }
    assert!(matches!(from("nobody@acme.test", "guess").await, Err(SignInError::Locked(900))));
    from("admin@acme.test", PASSWORD).await.unwrap();
}

#[tokio::test]
async fn one_address_cannot_guess_at_many_accounts() {
    let world = World::start_with(|config| config.address_failures = 5).await;
    world.tenant("acme").await;
    let from = async |address: &str, email: &str, password: &str| {
        sign_in_from(&world, address, email, password).await
    };
    for number in 0..4 {
        let guess = from("192.0.2.1", &format!("user{number}@acme.test"), "guessed").await;
        assert!(matches!(guess, Err(SignInError::WrongCredentials)));
    }
    // A right password does not wash the guesses away.
    from("192.0.2.1", "admin@acme.test", PASSWORD).await.unwrap();
    assert!(from("192.0.2.1", "user4@acme.test", "guessed").await.is_err());
    let locked = from("192.0.2.1", "admin@acme.test", PASSWORD).await;
    assert!(matches!(locked, Err(SignInError::Locked(900))), "{locked:?}");
    from("192.0.2.2", "admin@acme.test", PASSWORD).await.unwrap();
}

#[tokio::test]
async fn guesses_made_at_once_are_counted_one_by_one() {
    let world = World::start_with(|config| config.password_hashes_at_once = 4).await;
    world.tenant("acme").await;
    let guesses = (0..20).map(|_| {
        let stranger = world.stranger();
        tokio::spawn(async move { stranger.post("/auth/token", wrong("admin@acme.test")).await.status })
    });
    let (mut refused, mut locked) = (0, 0);
    for guess in guesses.collect::<Vec<_>>() {
        match guess.await.unwrap() {
            401 => refused += 1,
            429 => locked += 1,
            other => panic!("{other}"),
        }
    }
    assert_eq!((refused, locked), (5, 15));
}

// HTTP-8
#[tokio::test]
async fn what_is_neither_password_nor_refresh_token_is_refused() {
    let world = World::start().await;
    for body in [
        json!({}),
        json!({ "email": "a@b.c" }),
        json!({ "password": PASSWORD }),
        json!({ "email": "a@b.c", "password": PASSWORD, "refreshToken": "mhr_x" }),
        json!({ "email": "a@b.c", "password": "" }),
        json!({ "refreshToken": "mhr_x", "tenant": "acme" }),
        json!({ "refreshToken": "mhr_x", "invitation": "mhi_x" }),
        json!({ "email": "a@b.c", "password": PASSWORD, "invitation": "mhi_x" }),
        json!({ "email": "a@b.c", "password": PASSWORD, "tenant": "acme", "invitation": "x".repeat(101) }),
        json!({ "email": "a@b.c", "password": PASSWORD, "role": "super_admin" }),
        json!({ "email": "x".repeat(255), "password": PASSWORD }),
        json!({ "email": "a@b.c", "password": "x".repeat(1025) }),
    ] {
        world.sign_in(body.clone()).await.is_problem(400, "VALIDATION_FAILED");
    }
    world.sign_in(json!({ "refreshToken": "mhr_nonsense" })).await.is_problem(401, "WRONG_CREDENTIALS");
}

// IDN-9 (minimal): what happened is written down, without addresses of mail.
#[tokio::test]
async fn sign_ins_good_and_bad_are_security_events() {
    let world = World::start().await;
    world.tenant("acme").await;
    world.sign_in(credentials("admin@acme.test")).await.is(200);
    world.sign_in(wrong("admin@acme.test")).await.is(401);
    world.stranger().with_token("nonsense").get("/me").await.is(401);
    world.control.flush().await.unwrap();
    let kinds = world.ask("select string_agg(kind, ',' order by id) from control.security_event").await;
    assert_eq!(kinds, "sign_in_succeeded,sign_in_failed,token_refused");
    let all = world.ask("select string_agg(e::text, ' ') from control.security_event as e").await;
    assert!(!all.contains("acme.test"), "{all}");
}
