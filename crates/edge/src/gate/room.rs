//! Room in memory for large bodies: one budget for all of them, taken before the first byte is read (HTTP-11).

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bodies up to this size need no room: how many there are at once is bounded with the requests.
pub(super) const SMALL_BYTES: usize = 1 << 20;
/// Room is counted in pieces of so many bytes.
const PIECE_BYTES: usize = 1 << 10;

/// The budget.
pub(super) struct Room(Arc<Semaphore>);

/// A part of it, given back when dropped.
pub(super) struct Place(OwnedSemaphorePermit);

impl Room {
    pub(super) fn new(mebibytes: u32) -> Self {
        let pieces = usize::try_from(mebibytes).unwrap_or(usize::MAX).saturating_mul((1 << 20) / PIECE_BYTES);
        Self(Arc::new(Semaphore::new(pieces.min(Semaphore::MAX_PERMITS))))
    }

    /// Room for a body of so many bytes; `None` when others have taken it.
    pub(super) fn take(&self, bytes: usize) -> Option<Place> {
        let pieces = u32::try_from(bytes.div_ceil(PIECE_BYTES)).ok()?;
        self.0.clone().try_acquire_many_owned(pieces).ok().map(Place)
    }
}

impl Place {
    /// Keeps the place for as long as anybody keeps the body.
    pub(super) fn hold(self, body: Bytes) -> Bytes {
        Bytes::from_owner(Held { body, _place: self.0 })
    }
}

struct Held {
    body: Bytes,
    _place: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // HTTP-11
    #[test]
    fn room_comes_back_with_the_last_part_of_the_body() {
        let room = Room::new(3);
        let body = room.take(2 << 20).unwrap().hold(Bytes::from_static(b"body"));
        assert!(room.take(2 << 20).is_none());
        assert!(room.take(1 << 20).is_some());
        let part = body.slice(1..2);
        drop(body);
        assert!(room.take(2 << 20).is_none());
        drop(part);
        assert!(room.take(3 << 20).is_some());
        assert!(room.take((3 << 20) + 1).is_none());
    }
}
