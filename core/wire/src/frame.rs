//! The COSE frames (RFC 9052): `COSE_Sign1` (tag 18) for entries, control messages, manifests and enrolment
//! replies, `COSE_Sign` (tag 98) for the charter. Algorithm Ed25519 (-19) and nothing else.
//!
//! Array heads, headers and lengths of a COSE frame are not signed, and lenient decoders accept variants
//! that verify and have another hash. So exactly one encoding passes here: the expected tag, shortest
//! lengths, protected header exactly `{1: -19}`, empty unprotected map, signatures of 64 bytes, no trailing
//! bytes, and writing the decoded frame again must give the same bytes.

use core::fmt;
use std::collections::BTreeSet;

use coset::{
    CoseError, CoseSign, CoseSign1, CoseSign1Builder, CoseSignBuilder, CoseSignatureBuilder, Header,
    HeaderBuilder, ProtectedHeader, SignatureContext, TaggedCborSerializable as _, iana, sig_structure_data,
};

use crate::ids::{PublicKey, Signature};
use crate::sign::{Signer, Verifier};
use crate::{Error, Result};

/// Largest frame, in bytes.
pub const MAX_FRAME: usize = 1 << 20;
/// Most signatures on one charter.
pub const MAX_SIGNATURES: usize = 8;

/// The protected header `{1: -19}` as it stands in every frame.
const PROTECTED: [u8; 3] = [0xa1, 0x01, 0x32];

/// What a signature is for. It enters the signed bytes as external_aad, so that no signature can stand for
/// another kind of message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Context {
    /// An entry.
    Entry,
    /// A control message of the desk.
    Control,
    /// A charter, by root keys.
    Charter,
    /// A manifest, by the desk key.
    Manifest,
    /// The reply of a device that enrols.
    Enrol,
}

impl Context {
    /// Returns the external_aad.
    #[must_use]
    pub const fn aad(self) -> &'static [u8] {
        match self {
            Self::Entry => b"landfall/entry/v1",
            Self::Control => b"landfall/control/v1",
            Self::Charter => b"landfall/charter/v1",
            Self::Manifest => b"landfall/manifest/v1",
            Self::Enrol => b"landfall/enrol/v1",
        }
    }
}

/// A decoded `COSE_Sign1` whose signature has not been checked yet.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    payload: Vec<u8>,
    signature: Signature,
}

impl Frame {
    /// Signs a payload and returns the frame's bytes.
    #[must_use]
    pub fn sign(context: Context, payload: &[u8], signer: &dyn Signer) -> Vec<u8> {
        let signature = signer.sign(&to_be_signed(SignatureContext::CoseSign1, context, payload));
        Self {
            payload: payload.to_vec(),
            signature,
        }
        .to_bytes()
    }

    /// Decodes a frame.
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::FrameTag`], [`Error::FrameShape`], [`Error::IndefiniteLength`],
    /// [`Error::Truncated`], [`Error::TrailingBytes`], [`Error::FrameUnprotected`], [`Error::FrameAlgorithm`],
    /// [`Error::FrameProtected`], [`Error::SignatureLength`], [`Error::NotExact`].
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        check_start(bytes, &[0xd2])?;
        let frame = CoseSign1::from_tagged_slice(bytes).map_err(|e| refuse(&e))?;
        check_headers(&frame.protected, &frame.unprotected, Some(&PROTECTED))?;
        let frame = Self {
            payload: frame.payload.ok_or(Error::FrameShape)?,
            signature: read_signature(&frame.signature)?,
        };
        if frame.to_bytes() == bytes {
            Ok(frame)
        } else {
            Err(Error::NotExact)
        }
    }

    /// Returns the payload, of which nothing is known until [`Frame::verify`] has passed.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// Takes the payload out.
    #[must_use]
    pub fn into_payload(self) -> Vec<u8> {
        self.payload
    }

    /// Returns the signature.
    #[must_use]
    pub fn signature(&self) -> &Signature {
        &self.signature
    }

    /// Checks the signature.
    ///
    /// # Errors
    /// [`Error::BadSignature`].
    pub fn verify(&self, context: Context, key: &PublicKey, verifier: &dyn Verifier) -> Result<()> {
        let signed = to_be_signed(SignatureContext::CoseSign1, context, &self.payload);
        Ok(verifier.verify(key, &signed, &self.signature)?)
    }

    /// Writes the frame in its one encoding.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        // coset can fail only on values that this frame cannot hold.
        CoseSign1Builder::new()
            .protected(header())
            .payload(self.payload.clone())
            .signature(self.signature.as_bytes().to_vec())
            .build()
            .to_tagged_vec()
            .unwrap_or_default()
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Frame({} bytes)", self.payload.len())
    }
}

/// A decoded `COSE_Sign` whose signatures have not been checked yet.
#[derive(Clone, PartialEq, Eq)]
pub struct MultiFrame {
    payload: Vec<u8>,
    signatures: Vec<Signature>,
}

impl MultiFrame {
    /// Signs a payload with several keys, in their order, and returns the frame's bytes.
    #[must_use]
    pub fn sign(context: Context, payload: &[u8], signers: &[&dyn Signer]) -> Vec<u8> {
        let signed = to_be_signed(SignatureContext::CoseSignature, context, payload);
        let signatures = signers.iter().map(|signer| signer.sign(&signed)).collect();
        Self {
            payload: payload.to_vec(),
            signatures,
        }
        .to_bytes()
    }

    /// Decodes a frame.
    ///
    /// # Errors
    /// As [`Frame::decode`], and [`Error::TooMany`] above [`MAX_SIGNATURES`].
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        check_start(bytes, &[0xd8, 0x62])?;
        let frame = CoseSign::from_tagged_slice(bytes).map_err(|e| refuse(&e))?;
        check_headers(&frame.protected, &frame.unprotected, None)?;
        if frame.signatures.len() > MAX_SIGNATURES {
            return Err(Error::TooMany {
                limit: MAX_SIGNATURES,
            });
        }
        let mut signatures = Vec::with_capacity(frame.signatures.len());
        for signature in &frame.signatures {
            check_headers(&signature.protected, &signature.unprotected, Some(&PROTECTED))?;
            signatures.push(read_signature(&signature.signature)?);
        }
        let frame = Self {
            payload: frame.payload.ok_or(Error::FrameShape)?,
            signatures,
        };
        if frame.to_bytes() == bytes {
            Ok(frame)
        } else {
            Err(Error::NotExact)
        }
    }

    /// Returns the payload, of which nothing is known until [`MultiFrame::verify`] has passed.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// Returns those of the keys of which a valid signature stands here. Every signature must belong to one of
    /// the keys; a key counts once however often it signed.
    ///
    /// # Errors
    /// [`Error::BadSignature`] if a signature belongs to none of the keys.
    pub fn signers(
        &self,
        context: Context,
        keys: &[PublicKey],
        verifier: &dyn Verifier,
    ) -> Result<BTreeSet<PublicKey>> {
        let signed = to_be_signed(SignatureContext::CoseSignature, context, &self.payload);
        self.signatures
            .iter()
            .map(|signature| {
                keys.iter()
                    .find(|key| verifier.verify(key, &signed, signature).is_ok())
                    .copied()
                    .ok_or(Error::BadSignature)
            })
            .collect()
    }

    /// Compares the number of [`MultiFrame::signers`] with a threshold.
    ///
    /// # Errors
    /// [`Error::BadSignature`], [`Error::NotEnoughSignatures`].
    pub fn verify(
        &self,
        context: Context,
        keys: &[PublicKey],
        threshold: usize,
        verifier: &dyn Verifier,
    ) -> Result<()> {
        let valid = self.signers(context, keys, verifier)?.len();
        if valid >= threshold {
            Ok(())
        } else {
            Err(Error::NotEnoughSignatures {
                valid,
                need: threshold,
            })
        }
    }

    /// Writes the frame in its one encoding.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut builder = CoseSignBuilder::new().payload(self.payload.clone());
        for signature in &self.signatures {
            builder = builder.add_signature(
                CoseSignatureBuilder::new()
                    .protected(header())
                    .signature(signature.as_bytes().to_vec())
                    .build(),
            );
        }
        builder.build().to_tagged_vec().unwrap_or_default()
    }
}

impl fmt::Debug for MultiFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "MultiFrame({} bytes, {} signatures)",
            self.payload.len(),
            self.signatures.len()
        )
    }
}

fn header() -> Header {
    HeaderBuilder::new().algorithm(iana::Algorithm::Ed25519).build()
}

/// The bytes under a signature: the Sig_structure of RFC 9052 section 4.4.
fn to_be_signed(kind: SignatureContext, context: Context, payload: &[u8]) -> Vec<u8> {
    let ours = ProtectedHeader {
        original_data: Some(PROTECTED.to_vec()),
        header: header(),
    };
    let (body, sign) = match kind {
        SignatureContext::CoseSign1 => (ours, None),
        _ => (ProtectedHeader::default(), Some(ours)),
    };
    sig_structure_data(kind, body, sign, context.aad(), payload)
}

fn read_signature(bytes: &[u8]) -> Result<Signature> {
    Signature::from_slice(bytes).map_err(|_| Error::SignatureLength { found: bytes.len() })
}

/// Names the commonest variants before a lenient decoder sees them.
fn check_start(bytes: &[u8], tag: &[u8]) -> Result<()> {
    if bytes.len() > MAX_FRAME {
        return Err(Error::TooLarge { limit: MAX_FRAME });
    }
    let Some(rest) = bytes.strip_prefix(tag) else {
        let short = tag.starts_with(bytes);
        return Err(if short { Error::Truncated } else { Error::FrameTag });
    };
    match rest.first() {
        Some(0x84) => Ok(()),
        Some(0x9f) => Err(Error::IndefiniteLength),
        Some(0x98..=0x9b) => Err(Error::NotShortest),
        Some(_) => Err(Error::FrameShape),
        None => Err(Error::Truncated),
    }
}

fn check_headers(protected: &ProtectedHeader, unprotected: &Header, exact: Option<&[u8]>) -> Result<()> {
    if !unprotected.is_empty() {
        return Err(Error::FrameUnprotected);
    }
    let Some(exact) = exact else {
        return if protected.is_empty() {
            Ok(())
        } else {
            Err(Error::FrameProtected)
        };
    };
    let ed25519 = coset::RegisteredLabelWithPrivate::Assigned(iana::Algorithm::Ed25519);
    if protected.header.alg.as_ref() != Some(&ed25519) {
        return Err(Error::FrameAlgorithm);
    }
    if protected.original_data.as_deref() != Some(exact) {
        return Err(Error::FrameProtected);
    }
    Ok(())
}

fn refuse(error: &CoseError) -> Error {
    match error {
        CoseError::ExtraneousData => Error::TrailingBytes,
        CoseError::DuplicateMapKey => Error::DuplicateKey,
        CoseError::DecodeFailed(coset::cbor::de::Error::Io(_)) => Error::Truncated,
        CoseError::DecodeFailed(coset::cbor::de::Error::RecursionLimitExceeded) => {
            Error::TooDeep { limit: 256 }
        }
        CoseError::DecodeFailed(_) => Error::Malformed { what: "frame" },
        CoseError::UnregisteredIanaValue | CoseError::UnregisteredIanaNonPrivateValue => {
            Error::FrameAlgorithm
        }
        _ => Error::FrameShape,
    }
}
