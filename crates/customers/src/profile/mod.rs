//! What is kept about a customer besides the row itself: addresses, consents, notes.

mod address;
mod consents;
mod manage_addresses;
mod notes;

pub use address::{Address, CountryCode};
pub(crate) use consents::list_consents;
pub use consents::{Consent, ConsentId, ConsentInput, Purpose, has_consent, record_consent};
pub(crate) use manage_addresses::{
    AddressError, SavedAddressInput, create_address, delete_address, list_addresses, move_addresses,
    update_address,
};
pub use manage_addresses::{AddressId, SavedAddress};
pub use notes::{Note, NoteId};
pub(crate) use notes::{NoteInput, create_note, list_notes, move_notes};
