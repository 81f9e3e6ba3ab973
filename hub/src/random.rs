//! The hub's only source of randomness: the operating system. Store marks, the admin capability and the
//! salt of the address buckets come from here and from nowhere else.

use crate::{Error, Result};

/// Makes random bytes.
///
/// # Errors
/// [`Error::NoRandom`] if the system has none to give.
pub(crate) fn make<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    #[allow(
        clippy::disallowed_methods,
        reason = "the hub links no landfall-seal; this is its one source"
    )]
    getrandom::fill(&mut bytes).map_err(|_| Error::NoRandom)?;
    Ok(bytes)
}
