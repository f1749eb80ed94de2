//! Errors of use cases as problems: each error once, each place in the input named.

use edge::Problem;

use crate::{
    create_webhook::CreateWebhookError,
    problems::{
        UNKNOWN_MESSAGE_TYPE, WEBHOOK_DELIVERY_NOT_FOUND, WEBHOOK_DELIVERY_PENDING, WEBHOOK_LIMIT,
        WEBHOOK_NOT_FOUND, WEBHOOK_OFF, WEBHOOK_URL_REFUSED,
    },
    replay_delivery::ReplayDeliveryError,
    rotate_secret::RotateSecretError,
    send_test::SendTestError,
    target::TargetError,
    update_webhook::UpdateWebhookError,
};

impl From<CreateWebhookError> for Problem {
    fn from(error: CreateWebhookError) -> Self {
        match error {
            CreateWebhookError::TooMany => Self::new(WEBHOOK_LIMIT),
            CreateWebhookError::Seal(error) => Self::internal(error),
            CreateWebhookError::Db(error) => error.into(),
        }
    }
}

impl From<UpdateWebhookError> for Problem {
    fn from(error: UpdateWebhookError) -> Self {
        match error {
            UpdateWebhookError::NotFound => Self::new(WEBHOOK_NOT_FOUND),
            UpdateWebhookError::Changed(_) => Self::new(edge::codes::PRECONDITION_FAILED),
            UpdateWebhookError::Db(error) => error.into(),
        }
    }
}

impl From<RotateSecretError> for Problem {
    fn from(error: RotateSecretError) -> Self {
        match error {
            RotateSecretError::NotFound => Self::new(WEBHOOK_NOT_FOUND),
            RotateSecretError::Seal(error) => Self::internal(error),
            RotateSecretError::Db(error) => error.into(),
        }
    }
}

impl From<SendTestError> for Problem {
    fn from(error: SendTestError) -> Self {
        match error {
            SendTestError::NotFound => Self::new(WEBHOOK_NOT_FOUND),
            SendTestError::Off => Self::new(WEBHOOK_OFF),
            SendTestError::Db(error) => error.into(),
        }
    }
}

impl From<ReplayDeliveryError> for Problem {
    fn from(error: ReplayDeliveryError) -> Self {
        match error {
            ReplayDeliveryError::NotFound => Self::new(WEBHOOK_DELIVERY_NOT_FOUND),
            ReplayDeliveryError::Pending => Self::new(WEBHOOK_DELIVERY_PENDING),
            ReplayDeliveryError::Off => Self::new(WEBHOOK_OFF),
            ReplayDeliveryError::Db(error) => error.into(),
        }
    }
}

impl From<TargetError> for Problem {
    fn from(error: TargetError) -> Self {
        Self::new(WEBHOOK_URL_REFUSED).pointer("/url", WEBHOOK_URL_REFUSED, error.to_string())
    }
}

/// Names that no message type has, by their places among `types`.
pub(super) fn unknown_types(places: &[usize]) -> Problem {
    let problem = Problem::new(UNKNOWN_MESSAGE_TYPE);
    places.iter().fold(problem, |problem, place| {
        problem.pointer(format!("/types/{place}"), UNKNOWN_MESSAGE_TYPE, "no message type has this name")
    })
}
