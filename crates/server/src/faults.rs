//! `MARKETHALL_TEST_BREAK=charge:committed`: the process ends, without any farewell, the first time a checkout comes to
//! that place. For the proof that another process then goes on; unset, as it always is, it costs nothing.

use std::sync::Arc;

use anyhow::{Result, bail};
use checkout::{CheckoutId, Faults, Step, When};
use db::DbError;
use serde::de::{DeserializeOwned, IntoDeserializer, value::Error};

const NAME: &str = "MARKETHALL_TEST_BREAK";

struct Abort {
    step: Step,
    when: When,
}

impl Faults for Abort {
    fn at(&self, _checkout: CheckoutId, step: Step, when: When) -> Result<(), DbError> {
        if step == self.step && when == self.when {
            std::process::abort();
        }
        Ok(())
    }
}

/// What the environment asks for.
///
/// # Errors
/// When it asks for a place that there is not.
pub(crate) fn from_environment() -> Result<Arc<dyn Faults>> {
    let Ok(wanted) = std::env::var(NAME) else { return Ok(Arc::new(())) };
    let Some((step, when)) = wanted.split_once(':') else { bail!("{NAME} must be step:when, not {wanted}") };
    Ok(Arc::new(Abort { step: word(step)?, when: word(when)? }))
}

fn word<T: DeserializeOwned>(text: &str) -> Result<T> {
    Ok(T::deserialize(IntoDeserializer::<Error>::into_deserializer(text))?)
}
