//! HKDF, HMAC and ChaCha20-Poly1305 over ring, in the few shapes that this crate needs.

use ring::{aead, hkdf, hmac};
use zeroize::Zeroizing;

use crate::{Error, Result};

/// Length of a nonce in bytes.
pub(crate) const NONCE: usize = 12;

struct Bytes32;

impl hkdf::KeyType for Bytes32 {
    fn len(&self) -> usize {
        32
    }
}

/// Returns HKDF-SHA256 of the key material.
pub(crate) fn derive_key(ikm: &[u8], salt: &[u8], info: &[&[u8]]) -> Result<Zeroizing<[u8; 32]>> {
    let mut key = Zeroizing::new([0; 32]);
    hkdf::Salt::new(hkdf::HKDF_SHA256, salt)
        .extract(ikm)
        .expand(info, Bytes32)
        .and_then(|okm| okm.fill(key.as_mut()))
        .map_err(|_| Error::Internal { what: "HKDF" })?;
    Ok(key)
}

/// Returns HMAC-SHA256.
pub(crate) fn derive_mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
    for part in parts {
        context.update(part);
    }
    let mut out = [0; 32];
    out.iter_mut()
        .zip(context.sign().as_ref())
        .for_each(|(to, from)| *to = *from);
    out
}

fn cipher(key: &[u8; 32]) -> Result<aead::LessSafeKey> {
    aead::UnboundKey::new(&aead::CHACHA20_POLY1305, key)
        .map(aead::LessSafeKey::new)
        .map_err(|_| Error::Internal {
            what: "ChaCha20-Poly1305",
        })
}

/// Encrypts under a key that is used once; returns ciphertext and tag.
pub(crate) fn seal(key: &[u8; 32], nonce: [u8; NONCE], aad: &[u8], plain: &[u8]) -> Result<Vec<u8>> {
    let mut bytes = plain.to_vec();
    cipher(key)?
        .seal_in_place_append_tag(
            aead::Nonce::assume_unique_for_key(nonce),
            aead::Aad::from(aad),
            &mut bytes,
        )
        .map_err(|_| Error::Internal {
            what: "ChaCha20-Poly1305",
        })?;
    Ok(bytes)
}

/// Decrypts; `None` if it does not verify.
pub(crate) fn open(
    key: &[u8; 32],
    nonce: [u8; NONCE],
    aad: &[u8],
    sealed: &[u8],
) -> Result<Option<Zeroizing<Vec<u8>>>> {
    let mut bytes = Zeroizing::new(sealed.to_vec());
    let opened = cipher(key)?.open_in_place(
        aead::Nonce::assume_unique_for_key(nonce),
        aead::Aad::from(aad),
        &mut bytes,
    );
    let Ok(plain) = opened else { return Ok(None) };
    let len = plain.len();
    bytes.truncate(len);
    Ok(Some(bytes))
}
