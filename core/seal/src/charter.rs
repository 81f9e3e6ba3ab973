//! Signing and checking charters: two of three root keys, and over a rotation two of the old and two of the
//! new three (the rule of TUF).

use std::collections::BTreeSet;

use landfall_wire::charter::Charter;
use landfall_wire::frame::{Context, MultiFrame};
use landfall_wire::ids::PublicKey;
use landfall_wire::sign::Signer;

use crate::sign::Ed25519Verifier;
use crate::{Error, Result};

/// Signs a charter with root keys, in their order.
#[must_use]
pub fn sign(charter: &Charter, root_keys: &[&dyn Signer]) -> Vec<u8> {
    MultiFrame::sign(Context::Charter, &charter.encode(), root_keys)
}

/// Checks a charter by its own root keys: the first one that a device sees, whose digest the invitation names.
///
/// # Errors
/// [`Error::Wire`], [`Error::WeakKey`].
pub fn verify(frame: &[u8]) -> Result<Charter> {
    let frame = MultiFrame::decode(frame)?;
    let charter = Charter::decode(frame.payload())?;
    check_keys(&charter)?;
    frame.verify(
        Context::Charter,
        &charter.root_keys,
        usize::from(charter.threshold),
        &Ed25519Verifier,
    )?;
    Ok(charter)
}

/// Checks a charter that follows one that is trusted.
///
/// # Errors
/// [`Error::Wire`] (among them a serial that does not rise), [`Error::WeakKey`], [`Error::NotContinued`] for
/// another organisation or audience.
pub fn verify_next(frame: &[u8], trusted: &Charter) -> Result<Charter> {
    let frame = MultiFrame::decode(frame)?;
    let charter = Charter::decode(frame.payload())?;
    check_keys(&charter)?;
    charter.follows(trusted.serial)?;
    if charter.org != trusted.org {
        return Err(Error::NotContinued { what: "organisation" });
    }
    if charter.aud() != trusted.aud() {
        return Err(Error::NotContinued { what: "audience" });
    }
    let both: Vec<PublicKey> = charter
        .root_keys
        .iter()
        .chain(&trusted.root_keys)
        .copied()
        .collect();
    let signers = frame.signers(Context::Charter, &both, &Ed25519Verifier)?;
    for (keys, threshold) in [
        (&trusted.root_keys, trusted.threshold),
        (&charter.root_keys, charter.threshold),
    ] {
        let valid = keys
            .iter()
            .collect::<BTreeSet<_>>()
            .into_iter()
            .filter(|key| signers.contains(*key))
            .count();
        let need = usize::from(threshold);
        if valid < need {
            return Err(landfall_wire::Error::NotEnoughSignatures { valid, need }.into());
        }
    }
    Ok(charter)
}

fn check_keys(charter: &Charter) -> Result<()> {
    charter
        .root_keys
        .iter()
        .chain(&charter.desk_keys)
        .try_for_each(Ed25519Verifier::check_key)
}
