//! What PayPal's objects mean for the books. Pure.

use serde_json::{Value as Json, json};

use super::api::Failure;
use crate::{
    model::{Outcome, RefundOutcome},
    provider::WebhookEvent,
    web_call::path_name,
};

/// The mark of an order that we never capture.
pub(super) const GIVEN_UP: &str = "given-up";

const UNIT: &str = "/purchase_units/0";

fn text<'a>(object: &'a Json, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Json::as_str).unwrap_or("")
}

/// The object's name, fit for a path.
pub(super) fn id(object: &Json) -> Result<&str, Failure> {
    path_name(text(object, "/id")).ok_or_else(|| Failure::Unknown("PayPal told no name.".to_owned()))
}

pub(super) fn is_approved(order: &Json) -> bool {
    text(order, "/status") == "APPROVED"
}

pub(super) fn is_captured(order: &Json) -> bool {
    text(order, "/status") == "COMPLETED"
}

pub(super) fn is_given_up(order: &Json) -> bool {
    text(order, &format!("{UNIT}/custom_id")) == GIVEN_UP || text(order, "/status") == "VOIDED"
}

fn capture(order: &Json) -> Option<&Json> {
    order.pointer(&format!("{UNIT}/payments/captures/0"))
}

pub(super) fn capture_id(order: &Json) -> Option<&str> {
    path_name(text(capture(order)?, "/id"))
}

pub(super) fn outcome(order: &Json) -> Outcome {
    let provider_ref = text(order, "/id").to_owned();
    let captured = capture(order).map_or("", |capture| text(capture, "/status"));
    match text(order, "/status") {
        "COMPLETED" if matches!(captured, "COMPLETED" | "REFUNDED" | "PARTIALLY_REFUNDED") => {
            Outcome::Succeeded { provider_ref }
        }
        "COMPLETED" if matches!(captured, "DECLINED" | "FAILED") => Outcome::Declined {
            code: captured.to_ascii_lowercase(),
            detail: "PayPal did not capture the money.".to_owned(),
        },
        _ if is_given_up(order) && captured.is_empty() => Outcome::Cancelled,
        "CREATED" | "SAVED" | "PAYER_ACTION_REQUIRED" => {
            let action = json!({ "type": "redirect", "url": approval(order) });
            Outcome::RequiresAction { provider_ref, action }
        }
        other => Outcome::unknown(format_args!("The order is {other}.")),
    }
}

/// PayPal's page for the payer.
fn approval(order: &Json) -> Option<&str> {
    let links = order["links"].as_array()?;
    let link = links.iter().find(|link| matches!(text(link, "/rel"), "approve" | "payer-action"))?;
    link["href"].as_str()
}

pub(super) fn refund(refund: &Json) -> RefundOutcome {
    let provider_ref = text(refund, "/id").to_owned();
    match text(refund, "/status") {
        "COMPLETED" => RefundOutcome::Succeeded { provider_ref },
        "PENDING" => RefundOutcome::Pending { provider_ref },
        status @ ("FAILED" | "CANCELLED") => RefundOutcome::Failed { code: status.to_ascii_lowercase() },
        other => RefundOutcome::Unknown { detail: format!("the refund is {other}") },
    }
}

/// An event about an order, a capture or a refund of ours; refunds carry both ids.
pub(super) fn event(event: &Json) -> Option<WebhookEvent> {
    let id = event["id"].as_str().filter(|id| !id.is_empty() && id.len() <= 255)?;
    let resource = event.get("resource")?;
    let own = match text(resource, "/custom_id") {
        "" => text(resource, &format!("{UNIT}/custom_id")),
        own => own,
    };
    let (payment, refund) = own.split_once(':').unwrap_or((own, ""));
    Some(WebhookEvent { id: id.to_owned(), payment: payment.parse().ok(), refund: refund.parse().ok() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(status: &str, capture: Option<&str>, custom_id: &str) -> Json {
        let captures: Vec<Json> =
            capture.iter().map(|status| json!({ "id": "C1", "status": status })).collect();
        let unit = json!({ "custom_id": custom_id, "payments": { "captures": captures } });
        let link = json!({ "rel": "approve", "href": "https://x/approve" });
        json!({ "id": "O1", "status": status, "purchase_units": [unit], "links": [link] })
    }

    // PAY-1
    #[test]
    fn every_status_of_an_order_has_its_meaning_and_new_ones_are_unknown() {
        let state = |status, capture, custom_id| outcome(&order(status, capture, custom_id)).state().as_str();
        assert_eq!(state("COMPLETED", Some("COMPLETED"), "pay"), "succeeded");
        assert_eq!(state("COMPLETED", Some("PARTIALLY_REFUNDED"), "pay"), "succeeded");
        assert_eq!(state("COMPLETED", Some("DECLINED"), "pay"), "failed");
        assert_eq!(state("COMPLETED", Some("PENDING"), "pay"), "unknown");
        assert_eq!(state("CREATED", None, "pay"), "requires_action");
        assert_eq!(state("CREATED", None, GIVEN_UP), "cancelled");
        assert_eq!(state("APPROVED", None, GIVEN_UP), "cancelled");
        assert_eq!(state("VOIDED", None, "pay"), "cancelled");
        assert_eq!(state("COMPLETED", Some("COMPLETED"), GIVEN_UP), "succeeded");
        assert_eq!(state("NEW", None, "pay"), "unknown");
    }
}
