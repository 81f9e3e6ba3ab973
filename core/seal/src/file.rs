//! Sealed files: age version 1 to X-Wing recipients, of a size that is one of the buckets to the byte.
//!
//! age adds a random grease stanza that cannot be switched off, so the length of its header is known only
//! when header and nonce have been written; the pad is chosen then. A pad chosen before would leave the size
//! of the file as telling as an unpadded one.

use std::cell::RefCell;
use std::io::{self, Read as _, Write};
use std::rc::Rc;

use landfall_wire::ids::Digest;
use landfall_wire::{envelope, pad};
use zeroize::Zeroizing;

use crate::epoch::{EpochIdentity, EpochRecipient, Ring};
use crate::{Error, Result};

/// Longest age header that is looked at: four X-Wing stanzas have less than half of it.
const MAX_HEADER: usize = 16 << 10;
/// Plain bytes in one chunk of age's payload.
const CHUNK: usize = 64 << 10;
/// Bytes that each chunk grows.
const CHUNK_TAG: usize = 16;
/// Largest sealed file, in bytes.
const MAX_FILE: usize = envelope::MAX_CONTENT + (1 << 20);

/// A finished envelope.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedEnvelope {
    /// The age file; its length is a bucket.
    pub bytes: Vec<u8>,
    /// Its digest, by which everybody names it.
    pub digest: Digest,
}

impl core::fmt::Debug for SealedEnvelope {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "SealedEnvelope({:?}, {} bytes)", self.digest, self.bytes.len())
    }
}

/// Seals the entries of one finished form to the desk's epoch key.
///
/// # Errors
/// [`Error::Wire`] without entries or with too many, [`Error::TooLarge`] if the finished file would pass
/// [`pad::MAX_ENVELOPE`].
pub fn seal_envelope(entries: &[Vec<u8>], recipient: &EpochRecipient) -> Result<SealedEnvelope> {
    let bare = Zeroizing::new(envelope::encode(entries, 0)?).len();
    let build = |pad: usize| Ok(envelope::encode(entries, pad)?);
    let bytes = seal_padded(core::slice::from_ref(recipient), bare, build, pad::MAX_ENVELOPE)?;
    Ok(SealedEnvelope {
        digest: Digest::of(&bytes),
        bytes,
    })
}

/// Opens an envelope with whichever of the identities fits; the likeliest stands first.
///
/// # Errors
/// [`Error::NotAge`], [`Error::Truncated`], [`Error::HeaderTooLong`], [`Error::TooManyRecipients`],
/// [`Error::UnknownRecipient`], [`Error::Tampered`], [`Error::TooLarge`], [`Error::Wire`].
pub fn open_envelope(bytes: &[u8], identities: &[&EpochIdentity]) -> Result<Vec<Vec<u8>>> {
    if bytes.len() > pad::MAX_ENVELOPE {
        return Err(Error::TooLarge {
            limit: pad::MAX_ENVELOPE,
        });
    }
    Ok(envelope::decode(&open_age(bytes, identities)?)?)
}

/// Seals other content (a reply, a downlink) to one or more keys.
///
/// # Errors
/// [`Error::TooLarge`] above [`envelope::MAX_CONTENT`], [`Error::NoRecipient`].
pub fn seal_file(content: &[u8], recipients: &[EpochRecipient]) -> Result<Vec<u8>> {
    if content.len() >= envelope::MAX_CONTENT {
        return Err(Error::TooLarge {
            limit: envelope::MAX_CONTENT,
        });
    }
    let bare = Zeroizing::new(envelope::encode_content(content, 0)).len();
    seal_padded(
        recipients,
        bare,
        |pad| Ok(envelope::encode_content(content, pad)),
        MAX_FILE,
    )
}

/// Opens what [`seal_file`] sealed.
///
/// # Errors
/// As [`open_envelope`].
pub fn open_file(bytes: &[u8], identities: &[&EpochIdentity]) -> Result<Zeroizing<Vec<u8>>> {
    if bytes.len() > MAX_FILE {
        return Err(Error::TooLarge { limit: MAX_FILE });
    }
    Ok(Zeroizing::new(envelope::decode_content(&open_age(
        bytes, identities,
    )?)?))
}

/// An output whose length can be asked while age holds it.
#[derive(Clone, Default)]
struct Sink(Rc<RefCell<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Bytes of an age payload that holds `plain` bytes.
const fn payload_len(plain: usize) -> usize {
    let chunks = if plain == 0 { 1 } else { plain.div_ceil(CHUNK) };
    plain + chunks * CHUNK_TAG
}

/// Plain bytes of which the payload has exactly `payload` bytes; `None` where there are none.
fn plain_len(payload: usize) -> Option<usize> {
    let chunks = payload.div_ceil(CHUNK + CHUNK_TAG).max(1);
    let plain = payload.checked_sub(chunks * CHUNK_TAG)?;
    (payload_len(plain) == payload).then_some(plain)
}

/// Finds the smallest bucket that a file with this head and plain form can fill to the byte; returns the pad.
fn choose_pad(head: usize, bare: usize, limit: usize) -> Result<usize> {
    let mut size = pad::bucket(head + payload_len(bare));
    while size <= limit {
        let pad = size
            .checked_sub(head)
            .and_then(plain_len)
            .and_then(|plain| envelope::pad_for(bare, plain));
        match pad {
            Some(pad) => return Ok(pad),
            None => size = pad::bucket(size + 1),
        }
    }
    Err(Error::TooLarge { limit })
}

fn seal_padded(
    recipients: &[EpochRecipient],
    bare: usize,
    build: impl Fn(usize) -> Result<Vec<u8>>,
    limit: usize,
) -> Result<Vec<u8>> {
    if recipients.is_empty() {
        return Err(Error::NoRecipient);
    }
    let encryptor = age::Encryptor::with_recipients(recipients.iter().map(|r| r as &dyn age::Recipient))
        .map_err(|_| Error::MalformedKey { what: "recipient" })?;
    let sink = Sink::default();
    let mut writer = encryptor.wrap_output(sink.clone())?;
    // Header and nonce stand in the sink now.
    let head = sink.0.borrow().len();
    let pad = choose_pad(head, bare, limit)?;
    let plain = Zeroizing::new(build(pad)?);
    writer.write_all(&plain)?;
    writer.finish()?;
    let bytes = sink.0.take();
    if pad::is_bucket(bytes.len()) {
        Ok(bytes)
    } else {
        Err(Error::Internal { what: "bucket" })
    }
}

/// Refuses a header that no writer of ours makes before it is parsed: age parses it anew at every line.
pub(crate) fn check_header_len(bytes: &[u8]) -> Result<()> {
    let head = bytes.get(..MAX_HEADER).unwrap_or(bytes);
    if !head.starts_with(b"age-encryption.org/v1\n") {
        return Err(Error::NotAge);
    }
    if head.windows(5).any(|window| window == b"\n--- ") {
        Ok(())
    } else if bytes.len() > MAX_HEADER {
        Err(Error::HeaderTooLong { limit: MAX_HEADER })
    } else {
        Err(Error::Truncated)
    }
}

fn open_age(bytes: &[u8], identities: &[&EpochIdentity]) -> Result<Zeroizing<Vec<u8>>> {
    check_header_len(bytes)?;
    let decryptor = age::Decryptor::new_buffered(bytes).map_err(|error| match error {
        age::DecryptError::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => Error::Truncated,
        _ => Error::NotAge,
    })?;
    if decryptor.is_scrypt() {
        return Err(Error::UnknownRecipient);
    }
    let ring = Ring::new(identities);
    let mut reader = decryptor
        .decrypt(core::iter::once(&ring as &dyn age::Identity))
        .map_err(|error| match error {
            age::DecryptError::NoMatchingKeys => Error::UnknownRecipient,
            age::DecryptError::InvalidMac => Error::Tampered,
            _ => ring.refusal().unwrap_or(Error::NotAge),
        })?;
    let mut plain = Zeroizing::new(Vec::with_capacity(bytes.len()));
    reader
        .read_to_end(&mut plain)
        .map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => Error::Truncated,
            _ => Error::Tampered,
        })?;
    Ok(plain)
}
