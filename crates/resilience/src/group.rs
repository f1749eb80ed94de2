//! Breakers around any number of places of one kind.

use std::{fmt, sync::Arc};

use metrics::Gauge;

use crate::{Breaker, BreakerConfig, breaker::Shown};

/// Makes breakers that are counted together: for places that merchants name, of which there may be any number. Whoever
/// knows the places keeps their breakers.
#[derive(Clone)]
pub struct Group {
    name: Arc<str>,
    config: BreakerConfig,
    open: Gauge,
}

impl Group {
    pub(crate) fn new(name: &'static str, config: BreakerConfig) -> Self {
        metrics::describe_gauge!(
            "markethall_breaker_group_open",
            "Places of a kind that are left alone now because calls failed again and again."
        );
        let open = metrics::gauge!("markethall_breaker_group_open", "breaker" => name);
        open.set(0.0);
        Self { name: name.into(), config, open }
    }

    /// A closed breaker for one more place; tries again after its pause only.
    #[must_use]
    pub fn breaker(&self) -> Breaker {
        Breaker::made(self.name.clone(), self.config, None, Shown::Among(self.open.clone()))
    }
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group").field("name", &self.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;

    fn fail(breaker: &Breaker) {
        while let Ok(permit) = breaker.permit() {
            permit.failed();
        }
    }

    // RES-1: state in metrics.
    #[test]
    fn the_places_that_are_left_alone_are_counted_and_forgotten_ones_are_not() {
        let recorder = PrometheusBuilder::new().build_recorder();
        metrics::with_local_recorder(&recorder, || {
            let group = Group::new("places", BreakerConfig::default());
            let [first, second, third] = [group.breaker(), group.breaker(), group.breaker()];
            let shown = |open: usize| {
                let line = format!("markethall_breaker_group_open{{breaker=\"places\"}} {open}");
                let page = recorder.handle().render();
                assert!(page.contains(&line), "no {line} in {page}");
            };
            shown(0);
            fail(&first);
            fail(&second);
            shown(2);
            assert!(third.permit().is_ok(), "each by itself");
            drop(first);
            shown(1);
        });
    }
}
