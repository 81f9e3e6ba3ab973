//! Enrolment's secrets: what both sides derive from an invitation's one-time secret, and the sealed reply.
//!
//! The secret proves nothing about persons: whoever photographed the invitation has it too. That is why no
//! capability of a device works before both sides have compared the six words.

use landfall_wire::charter::Charter;
use landfall_wire::enrol::{Invitation, InvitationFile, InvitationSecret, Reply, transcript_hash};
use landfall_wire::ids::Capability;
use landfall_wire::manifest::Manifest;
use landfall_wire::sign::Signer;

use crate::sign::Ed25519Verifier;
use crate::{EpochIdentity, EpochRecipient, Error, Result, charter, file, kdf, manifest};

/// Derives the one-time capability under which the reply may be put, once.
///
/// # Errors
/// [`Error::Internal`], which HKDF's documents exclude for 32 bytes.
pub fn derive_put_capability(secret: &InvitationSecret) -> Result<Capability> {
    Ok(Capability::from_bytes(*kdf::derive_key(
        secret.expose(),
        &[],
        &[b"landfall/v1/enrol/put"],
    )?))
}

/// Derives the proof that a reply's maker knows the secret; it covers the transcript.
///
/// # Errors
/// [`Error::Internal`], which HKDF's documents exclude for 32 bytes.
pub fn derive_proof(secret: &InvitationSecret, transcript: &[u8; 32]) -> Result<[u8; 32]> {
    let key = kdf::derive_key(secret.expose(), &[], &[b"landfall/v1/enrol/proof"])?;
    Ok(kdf::derive_mac(key.as_ref(), &[transcript]))
}

/// Checks an invitation file: digests, both signatures, the manifest's audience and serial.
///
/// # Errors
/// [`Error::Wire`], [`Error::WeakKey`], [`Error::MalformedKey`].
pub fn verify_file(file: &InvitationFile) -> Result<(Charter, Manifest)> {
    file.check()?;
    let charter = charter::verify(&file.charter)?;
    let manifest = manifest::verify(&file.manifest, &charter)?;
    if manifest.serial != file.invitation.serial {
        return Err(landfall_wire::Error::DigestMismatch { what: "serial" }.into());
    }
    Ok((charter, manifest))
}

/// Signs a reply with the device's key and seals it to the desk's epoch key.
///
/// # Errors
/// Those of [`file::seal_file`].
pub fn seal_reply(reply: &Reply, device: &dyn Signer, desk: &EpochRecipient) -> Result<Vec<u8>> {
    file::seal_file(&reply.sign(device), core::slice::from_ref(desk))
}

/// Opens a sealed reply. Which invitation it answers stands in it; [`check_reply`] comes next.
///
/// # Errors
/// Those of [`file::open_file`], [`Error::Wire`], [`Error::WeakKey`], [`Error::MalformedKey`].
pub fn open_reply(sealed: &[u8], identities: &[&EpochIdentity]) -> Result<Reply> {
    let reply = Reply::open(&file::open_file(sealed, identities)?, &Ed25519Verifier)?;
    Ed25519Verifier::check_key(&reply.device_key)?;
    EpochRecipient::from_bytes(&reply.recipient)?;
    Ok(reply)
}

/// Checks a reply against the invitation that it answers and returns the transcript's hash.
///
/// # Errors
/// [`Error::BadProof`].
pub fn check_reply(reply: &Reply, invitation: &Invitation) -> Result<[u8; 32]> {
    let transcript = transcript_hash(invitation, &reply.device_key, &reply.recipient);
    let expected = derive_proof(&invitation.secret, &transcript)?;
    let differs = expected
        .iter()
        .zip(&reply.proof)
        .fold(0, |sum, (a, b)| sum | (a ^ b));
    if differs == 0 && reply.invitation == invitation.digest() {
        Ok(transcript)
    } else {
        Err(Error::BadProof)
    }
}
