//! What became of spans, in numbers.

use metrics::Counter;

const SENT: &str = "markethall_traces_sent_spans_total";
const DROPPED: &str = "markethall_traces_dropped_spans_total";

/// Counters of spans; those that were not chosen are in none.
#[derive(Clone)]
pub(crate) struct Counts {
    /// The collector has them.
    pub(crate) sent: Counter,
    /// They came faster than they could be looked at.
    pub(crate) flooded: Counter,
    /// They came faster than the collector takes them, or it has not answered.
    pub(crate) unsent: Counter,
    /// The collector does not want them.
    pub(crate) refused: Counter,
    /// They were held back for an error that might follow, and let go early for want of room.
    pub(crate) crowded: Counter,
}

impl Counts {
    /// The counters, made with zero: alerts need a beginning.
    pub(crate) fn new() -> Self {
        metrics::describe_counter!(SENT, "Spans of traces that the collector has taken.");
        metrics::describe_counter!(DROPPED, "Spans of traces that were lost, by why.");
        let dropped = |reason: &'static str| metrics::counter!(DROPPED, "reason" => reason);
        let counts = Self {
            sent: metrics::counter!(SENT),
            flooded: dropped("flooded"),
            unsent: dropped("unsent"),
            refused: dropped("refused"),
            crowded: dropped("crowded"),
        };
        for counter in [&counts.sent, &counts.flooded, &counts.unsent, &counts.refused, &counts.crowded] {
            counter.increment(0);
        }
        counts
    }
}
