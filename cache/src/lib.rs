//! A content-addressed store with a record of which action made which bytes.
//! Knows bytes, digests and folders; must not know networks, boards or tools.

mod action;
mod blob;
mod digest;
mod error;
mod lock;
mod scratch;
mod store;
mod sweep;

pub use action::Record;
pub use blob::{Blob, copy_hashed};
pub use digest::{Digest, NotADigest};
pub use error::{Error, Result};
pub use lock::Lock;
pub use scratch::Scratch;
pub use store::{Durability, Store};
pub use sweep::{Collected, Verified, collect};
