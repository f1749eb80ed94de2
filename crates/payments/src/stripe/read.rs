//! What Stripe's objects mean for the books. Pure.

use serde_json::{Value as Json, json};

use super::api::Failure;
use crate::{
    model::{Outcome, RefundId, RefundOutcome},
    provider::{Cancelled, WebhookEvent},
    web_call::path_name,
};

fn text<'a>(object: &'a Json, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Json::as_str).unwrap_or("")
}

pub(super) fn status(intent: &Json) -> &str {
    text(intent, "/status")
}

/// The object's name, fit for a path.
pub(super) fn id(object: &Json) -> Result<&str, Failure> {
    path_name(text(object, "/id")).ok_or_else(|| Failure::Unknown("Stripe told no name.".to_owned()))
}

/// Whether it was made and nothing was tried with it.
pub(super) fn is_untouched(intent: &Json) -> bool {
    match status(intent) {
        "requires_confirmation" => true,
        "requires_payment_method" => intent["last_payment_error"].is_null(),
        _ => false,
    }
}

/// Whether nothing can be changed about it any more.
pub(super) fn is_over(intent: &Json) -> bool {
    matches!(status(intent), "succeeded" | "canceled")
}

pub(super) fn outcome(intent: &Json) -> Outcome {
    let provider_ref = text(intent, "/id").to_owned();
    match status(intent) {
        "succeeded" => Outcome::Succeeded { provider_ref },
        "canceled" => Outcome::Cancelled,
        "requires_action" => {
            let action = json!({
                "type": "stripe", "clientSecret": intent["client_secret"], "nextAction": intent["next_action"]
            });
            Outcome::RequiresAction { provider_ref, action }
        }
        "requires_payment_method" if !intent["last_payment_error"].is_null() => {
            let error =
                |name: &str| intent.pointer(&format!("/last_payment_error/{name}")).and_then(Json::as_str);
            Outcome::Declined {
                code: error("decline_code").or_else(|| error("code")).unwrap_or("declined").to_owned(),
                detail: error("message").unwrap_or_default().to_owned(),
            }
        }
        other => Outcome::unknown(format_args!("The intent is {other}.")),
    }
}

pub(super) fn cancelled(intent: &Json) -> Cancelled {
    match status(intent) {
        "canceled" => Cancelled::Cancelled,
        "succeeded" => Cancelled::AlreadySucceeded { provider_ref: text(intent, "/id").to_owned() },
        _ => Cancelled::Unknown,
    }
}

pub(super) fn refund(refund: &Json) -> RefundOutcome {
    let provider_ref = text(refund, "/id").to_owned();
    match status(refund) {
        "succeeded" => RefundOutcome::Succeeded { provider_ref },
        "pending" | "requires_action" => RefundOutcome::Pending { provider_ref },
        "failed" | "canceled" => {
            let reason = text(refund, "/failure_reason");
            RefundOutcome::Failed { code: if reason.is_empty() { "failed" } else { reason }.to_owned() }
        }
        other => RefundOutcome::Unknown { detail: format!("the refund is {other}") },
    }
}

/// The refund of ours among those of an intent.
pub(super) fn refund_of(list: &Json, id: RefundId) -> Option<&Json> {
    let id = id.to_string();
    list["data"].as_array()?.iter().find(|refund| text(refund, "/metadata/refund_id") == id)
}

pub(super) fn event(event: &Json) -> Option<WebhookEvent> {
    let id = event["id"].as_str().filter(|id| !id.is_empty() && id.len() <= 255)?;
    let object = event.pointer("/data/object")?;
    Some(WebhookEvent {
        id: id.to_owned(),
        payment: text(object, "/metadata/payment_id").parse().ok(),
        refund: text(object, "/metadata/refund_id").parse().ok(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    // PAY-1
    #[test]
    fn every_status_of_an_intent_has_its_meaning_and_new_ones_are_unknown() {
        let with = |status: &str| json!({ "id": "pi_1", "status": status, "last_payment_error": null });
        assert!(matches!(outcome(&with("succeeded")), Outcome::Succeeded { .. }));
        assert!(matches!(outcome(&with("requires_action")), Outcome::RequiresAction { .. }));
        assert_eq!(outcome(&with("canceled")), Outcome::Cancelled);
        for status in ["processing", "requires_capture", "requires_confirmation", "", "new"] {
            assert!(matches!(outcome(&with(status)), Outcome::Unknown { .. }), "{status}");
        }
        assert!(
            is_untouched(&with("requires_payment_method")) && is_untouched(&with("requires_confirmation"))
        );
        let mut failed = with("requires_payment_method");
        failed["last_payment_error"] = json!({ "code": "card_declined", "message": "No." });
        assert!(!is_untouched(&failed));
        assert!(matches!(outcome(&failed), Outcome::Declined { code, .. } if code == "card_declined"));
    }

    #[test]
    fn every_status_of_a_refund_has_its_meaning() {
        let with = |status: &str| refund(&json!({ "id": "re_1", "status": status }));
        assert!(matches!(with("succeeded"), RefundOutcome::Succeeded { .. }));
        assert!(matches!(with("pending"), RefundOutcome::Pending { .. }));
        assert!(matches!(with("failed"), RefundOutcome::Failed { .. }));
        assert!(matches!(with("new"), RefundOutcome::Unknown { .. }));
    }
}
