//! Signing and checking manifests: by a desk key that the charter names, for the charter's audience.

use landfall_wire::charter::Charter;
use landfall_wire::frame::{Context, Frame};
use landfall_wire::manifest::Manifest;
use landfall_wire::sign::Signer;

use crate::sign::Ed25519Verifier;
use crate::{EpochRecipient, Result};

/// Signs a manifest with the desk key.
#[must_use]
pub fn sign(manifest: &Manifest, desk: &dyn Signer) -> Vec<u8> {
    Frame::sign(Context::Manifest, &manifest.encode(), desk)
}

/// Checks a manifest against a charter that is trusted. Whether its serial rises is for
/// [`Manifest::follows`], because only the caller's store knows the last one.
///
/// # Errors
/// [`crate::Error::Wire`], [`crate::Error::MalformedKey`] for an epoch key that is none.
pub fn verify(frame: &[u8], charter: &Charter) -> Result<Manifest> {
    let frame = Frame::decode(frame)?;
    if !charter
        .desk_keys
        .iter()
        .any(|key| frame.verify(Context::Manifest, key, &Ed25519Verifier).is_ok())
    {
        return Err(landfall_wire::Error::BadSignature.into());
    }
    let manifest = Manifest::decode(frame.payload())?;
    if manifest.aud != charter.aud() {
        return Err(landfall_wire::Error::WrongAudience.into());
    }
    for epoch in &manifest.epochs {
        EpochRecipient::from_bytes(&epoch.recipient)?;
    }
    Ok(manifest)
}
