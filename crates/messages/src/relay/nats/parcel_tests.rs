use async_nats::jetstream::message::PublishMessage;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn pending(data: &str) -> Pending {
    let message = Message {
        id: MessageId(Uuid::from_u128(1)),
        seq: i64::MAX,
        tenant: TenantId(Uuid::from_u128(2)),
        kind: "ThingMade".into(),
        subject: "thing ä".into(),
        time: "2026-11-21T10:00:00.123456Z".parse().unwrap(),
        correlation_id: "cor".into(),
        traceparent: None,
        data: RawValue::from_string(data.to_owned()).unwrap(),
    };
    Pending { message: Arc::new(message), attempts: 3, version: 4_294_967_295 }
}

fn arrived(sent: PublishMessage) -> async_nats::Message {
    let sent = sent.outbound_message("a.b");
    async_nats::Message {
        subject: sent.subject,
        reply: None,
        payload: sent.payload,
        headers: sent.headers,
        status: None,
        description: None,
        length: 0,
    }
}

// MSG-3: what arrives is what was sent, to the byte of its data.
#[test]
fn a_parcel_arrives_as_it_was_wrapped() {
    let pending = pending(r#"{ "n": 1.10,  "ä": [null] }"#);
    let placement = Placement { shard: "s 1".into(), database: "db".into(), dedicated: false };
    let key = LaneKey { tenant: pending.message.tenant, consumer: "a.b", subject: "thing ä".into() };
    let id = id_of(&key, &pending, 0);
    let parcel = Parcel::open(&arrived(wrap(&id, &placement, &key, &pending).unwrap())).unwrap();
    assert_eq!((parcel.id, parcel.consumer.as_str()), (id, "a.b"));
    assert_eq!(parcel.placement, placement);
    assert_eq!(format!("{:?}", parcel.pending), format!("{pending:?}"));
}

#[test]
fn copies_are_told_apart_by_message_consumer_and_version_alone() {
    let first = pending("1");
    let mut key = LaneKey { tenant: first.message.tenant, consumer: "a", subject: "s".into() };
    let id = id_of(&key, &first, 0);
    assert_eq!(id_of(&key, &Pending { attempts: 9, ..first.clone() }, 0), id);
    assert_ne!(id_of(&key, &Pending { version: 5, ..first.clone() }, 0), id);
    assert_ne!(id_of(&key, &first, 1), id);
    key.consumer = "b";
    assert_ne!(id_of(&key, &first, 0), id);
}

#[test]
fn what_is_no_parcel_is_refused() {
    let none = PublishMessage::build().payload("{}".into());
    assert!(matches!(Parcel::open(&arrived(none)), Err(NoParcel::Header(_))));
    let torn = PublishMessage::build().payload("{".into()).header(SEQ, "1");
    assert!(matches!(Parcel::open(&arrived(torn)), Err(NoParcel::Envelope(_))));
}

proptest! {
    #[test]
    fn different_names_become_different_plain_words(a in ".{1,12}", b in ".{1,12}") {
        let (one, other) = (token(&a), token(&b));
        prop_assert!(one.bytes().all(|it| it.is_ascii_alphanumeric() || b"-_=".contains(&it)));
        prop_assert_eq!(one == other, a == b);
    }
}
