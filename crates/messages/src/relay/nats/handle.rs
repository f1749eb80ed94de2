//! One message from NATS: handled as in process, put on record, acknowledged, told; in this order.

use std::{sync::Arc, time::Duration};

use async_nats::jetstream::{self, AckKind};
use tokio::time::interval;

use super::{carry::Told, parcel::Parcel, work::Worker};
use crate::{
    ConsumerError,
    relay::{
        deliver::{Outcome, deliver},
        lanes::LaneKey,
        settle::{End, HICCUPS_MAX, count, failed, hiccup_pause},
        windows::Window,
    },
};

/// The longest pause before a message that could not be taken is offered again.
const BEHIND_MAX: Duration = Duration::from_secs(2);
/// The pause before a message is offered again whose failure could not be put on record.
const UNRECORDED_PAUSE: Duration = Duration::from_secs(1);

/// What is done with a message at NATS.
enum Verdict {
    /// The table says what became of it: it may go.
    Over(End),
    /// The table does not: it comes again.
    Again(Duration),
}

/// Handles one message.
pub(super) async fn handle(worker: Arc<Worker>, consumer: &'static str, message: jetstream::Message) {
    let parcel = match Parcel::open(&message.message) {
        Ok(parcel) if parcel.consumer == consumer => parcel,
        other => {
            tracing::error!(consumer, error = ?other.err(), "a message from NATS is none of ours");
            answer(&message, AckKind::Term).await;
            return;
        }
    };
    let delivered = message.info().map_or(1, |info| info.delivered);
    let before = u32::try_from(delivered - 1).unwrap_or_default();
    let verdict = {
        let judging = judge(&worker, consumer, &parcel, before);
        tokio::pin!(judging);
        let mut signs = interval(worker.nats.config.ack_wait / 3);
        signs.reset();
        loop {
            tokio::select! {
                verdict = &mut judging => break verdict,
                _ = signs.tick() => answer(&message, AckKind::Progress).await,
            }
        }
    };
    match verdict {
        Verdict::Over(end) => {
            answer(&message, AckKind::Ack).await;
            worker.env.config.windows.at(Window::Acknowledged);
            tell(&worker, &parcel, end).await;
        }
        Verdict::Again(pause) => answer(&message, AckKind::Nak(Some(pause))).await,
    }
}

async fn judge(worker: &Arc<Worker>, consumer: &'static str, parcel: &Parcel, before: u32) -> Verdict {
    let Some(_turn) = worker.turn(&parcel.placement).await else { return Verdict::Again(Duration::ZERO) };
    let message = &parcel.pending.message;
    let key = LaneKey { tenant: message.tenant, consumer, subject: message.subject.clone() };
    let finished = deliver(worker.env.clone(), key, parcel.pending.clone()).await;
    let key = finished.key;
    match finished.outcome {
        Outcome::Done => {
            count(&key, "done");
            Verdict::Over(End::Done)
        }
        Outcome::Ended(end) => Verdict::Over(end),
        Outcome::Gone => Verdict::Over(End::Look),
        Outcome::Behind | Outcome::Unanswered => {
            count(&key, "hiccup");
            tell(worker, parcel, End::Look).await;
            let doubled = 2_u32.saturating_pow(before);
            Verdict::Again(Duration::from_millis(20).saturating_mul(doubled).min(BEHIND_MAX))
        }
        Outcome::Failed(ConsumerError::Unavailable(error)) if before < HICCUPS_MAX => {
            tracing::debug!(consumer, message.id = %message.id, error, "not tried");
            count(&key, "hiccup");
            Verdict::Again(hiccup_pause(before))
        }
        Outcome::Failed(error) => {
            let recorded = async {
                let session = worker.session(&parcel.placement).await?;
                failed(&worker.env, &session, &key, &parcel.pending, error).await
            };
            match recorded.await {
                Ok(end) => Verdict::Over(end),
                Err(error) => {
                    tracing::warn!(consumer, message.id = %message.id, error = %error, "a failure is not on record");
                    Verdict::Again(UNRECORDED_PAUSE)
                }
            }
        }
    }
}

/// Tells NATS; what it does not hear costs a look at the table later, nothing else.
async fn answer(message: &jetstream::Message, kind: AckKind) {
    if let Err(error) = message.ack_with(kind).await {
        tracing::debug!(error, "NATS was not told");
    }
}

/// Tells whoever leads the database; what is not heard costs a look at the table later.
async fn tell(worker: &Worker, parcel: &Parcel, end: End) {
    let told = Told { id: parcel.id.clone(), end };
    let (Ok(payload), Ok(joined)) = (serde_json::to_vec(&told), worker.nats.joined().await) else { return };
    let subject = worker.nats.ended_subject(&parcel.placement);
    if let Err(error) = joined.client.publish(subject, payload.into()).await {
        tracing::debug!(error = %error, "the leader was not told");
    }
}
