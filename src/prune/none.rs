//! Pattern `none`: every weight stays, but for those of channels that are removed next to it.
//! Must not know other patterns.

/// Name in the manifest.
pub(super) const NAME: &str = "none";
