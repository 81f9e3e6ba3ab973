//! Enrolment: the invitation that a desk shows, the file that carries it with charter and manifest, the
//! device's reply, and the transcript whose six words both sides compare.
//!
//! Everything that both sides must have seen alike is in the transcript: whoever swaps a key, a charter or a
//! place changes the words.

use core::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::cbor::{self, Limits, MapReader, MapWriter, Unknown, Value};
use crate::charter::Charter;
use crate::frame::{Context, Frame};
use crate::ids::{CapHash, Digest, MailboxId, PublicKey};
use crate::manifest::{MAX_URL, Manifest, RECIPIENT_LEN};
use crate::sign::{Signer, Verifier};
use crate::{Error, Result};

/// Version of invitation, reply and transcript.
pub const VERSION: u64 = 1;
/// Label in front of an invitation's text.
pub const INVITATION_LABEL: &str = "landfall-invitation-1:";
/// Label in front of a reply's text.
pub const REPLY_LABEL: &str = "landfall-reply-1:";
/// First line of an invitation file.
pub const FILE_LABEL: &str = "LANDFALL INVITATION FILE 1";
/// Largest invitation file or reply text, in bytes.
pub const MAX_TEXT: usize = 256 << 10;
/// Longest name of a point, language or version, in bytes.
const MAX_WORD: usize = 64;
/// Most endpoints in an invitation.
const MAX_ENDPOINTS: usize = 8;

/// What a device's user may do; enforced at the desk on ingest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Records arrivals and interviews.
    Monitor,
    /// Appends to its own case only (list code `returnee`).
    SelfReporter,
    /// Works at the desk.
    Coordinator,
    /// A partner that reports.
    ReportingPartner,
    /// Checks, reads nothing of a case.
    Auditor,
}

impl Role {
    /// Returns the code of the list `role`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Monitor => "monitor",
            Self::SelfReporter => "returnee",
            Self::Coordinator => "desk_coordinator",
            Self::ReportingPartner => "reporting_partner",
            Self::Auditor => "auditor",
        }
    }

    /// Reads a code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        [
            Self::Monitor,
            Self::SelfReporter,
            Self::Coordinator,
            Self::ReportingPartner,
            Self::Auditor,
        ]
        .into_iter()
        .find(|role| role.code() == code)
    }
}

/// The one-time secret of an invitation. Wiped on drop, never printed.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct InvitationSecret([u8; 32]);

impl InvitationSecret {
    /// Wraps 32 random bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Shows the bytes, for derivations only.
    #[must_use]
    pub const fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for InvitationSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InvitationSecret(..)")
    }
}

/// What a desk shows to one device, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Hub endpoints; none where all goes by hand (key 1).
    pub hub: Vec<String>,
    /// Digest of the charter's payload (key 2).
    pub charter: Digest,
    /// Digest of the manifest's payload (key 3).
    pub manifest: Digest,
    /// Serial of the manifest (key 4).
    pub serial: u64,
    /// One-time secret (key 5).
    pub secret: InvitationSecret,
    /// Language of the six words: en, fr, es or pt (key 6).
    pub language: String,
    /// Role that the device gets (key 7).
    pub role: Role,
    /// Code of the point at which it is used; may be empty (key 8).
    pub point: String,
    /// Mailbox into which the reply goes (key 9).
    pub reply_to: MailboxId,
}

impl Invitation {
    /// Writes the one line of text that is shown, typed or put into a picture.
    #[must_use]
    pub fn to_text(&self) -> String {
        let payload = MapWriter::version(VERSION)
            .put(1, Value::array(self.hub.iter().map(Value::text)))
            .put(2, Value::bytes(self.charter))
            .put(3, Value::bytes(self.manifest))
            .put(4, Value::int(self.serial))
            .put(5, Value::bytes(self.secret.expose()))
            .put(6, Value::text(self.language.clone()))
            .put(7, Value::text(self.role.code()))
            .put(8, Value::text(self.point.clone()))
            .put(9, Value::bytes(self.reply_to))
            .encode(&Unknown::default());
        format!("{INVITATION_LABEL}{}", URL_SAFE_NO_PAD.encode(payload))
    }

    /// Reads the text; white space around it is ignored.
    ///
    /// # Errors
    /// [`Error::Label`], [`Error::TextEncoding`], [`Error::TooLarge`], those of [`cbor::decode`] and
    /// [`MapReader`], [`Error::OutOfRange`], and [`Error::NotExact`] for a text that says the same in
    /// another way: the text itself enters the transcript.
    pub fn from_text(text: &str) -> Result<Self> {
        let text = text.trim();
        let payload = unlabel(text, INVITATION_LABEL, &URL_SAFE_NO_PAD)?;
        let mut map = MapReader::decode(&payload, &Limits::MESSAGE)?;
        map.version(VERSION)?;
        let hub = map
            .array(1, MAX_ENDPOINTS)?
            .into_iter()
            .map(|value| match value {
                Value::Text(url) if url.len() <= MAX_URL => Ok(url),
                _ => Err(Error::WrongType { key: 1 }),
            })
            .collect::<Result<_>>()?;
        let invitation = Self {
            hub,
            charter: Digest::from_bytes(map.fixed(2)?),
            manifest: Digest::from_bytes(map.fixed(3)?),
            serial: map.u64(4)?,
            secret: InvitationSecret::from_bytes(map.fixed(5)?),
            language: word(map.text(6)?, 6)?,
            role: Role::from_code(&map.text(7)?).ok_or(Error::OutOfRange { key: 7 })?,
            point: word(map.text(8)?, 8)?,
            reply_to: MailboxId::from_bytes(map.fixed(9)?),
        };
        if !matches!(invitation.language.as_str(), "en" | "fr" | "es" | "pt") {
            return Err(Error::OutOfRange { key: 6 });
        }
        if invitation.to_text() == text {
            Ok(invitation)
        } else {
            Err(Error::NotExact)
        }
    }

    /// Returns the digest of the text, by which a desk finds its invitation again.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(self.to_text().as_bytes())
    }
}

/// An invitation with charter and manifest, as one text file for a card, a message or a cable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvitationFile {
    /// The invitation.
    pub invitation: Invitation,
    /// The charter's frame.
    pub charter: Vec<u8>,
    /// The manifest's frame.
    pub manifest: Vec<u8>,
}

impl InvitationFile {
    /// Writes the file.
    #[must_use]
    pub fn to_text(&self) -> String {
        format!(
            "{FILE_LABEL}\n{}\ncharter: {}\nmanifest: {}\n",
            self.invitation.to_text(),
            STANDARD.encode(&self.charter),
            STANDARD.encode(&self.manifest)
        )
    }

    /// Reads a file and compares both digests with the invitation. Signatures are landfall-seal's to check.
    ///
    /// # Errors
    /// Those of [`Invitation::from_text`], [`Charter::peek`] and [`Manifest::peek`],
    /// [`Error::DigestMismatch`], [`Error::TrailingBytes`].
    pub fn from_text(text: &str) -> Result<Self> {
        if text.len() > MAX_TEXT {
            return Err(Error::TooLarge { limit: MAX_TEXT });
        }
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        if lines.next() != Some(FILE_LABEL) {
            return Err(Error::Label { what: FILE_LABEL });
        }
        let invitation = Invitation::from_text(lines.next().ok_or(Error::Truncated)?)?;
        let charter = unlabel(lines.next().ok_or(Error::Truncated)?, "charter: ", &STANDARD)?;
        let manifest = unlabel(lines.next().ok_or(Error::Truncated)?, "manifest: ", &STANDARD)?;
        if lines.next().is_some() {
            return Err(Error::TrailingBytes);
        }
        let file = Self {
            invitation,
            charter,
            manifest,
        };
        file.check()?;
        Ok(file)
    }

    /// Compares both digests, and the manifest's audience with the charter's.
    ///
    /// # Errors
    /// [`Error::DigestMismatch`], [`Error::WrongAudience`], those of the two readers.
    pub fn check(&self) -> Result<(Charter, Manifest)> {
        let charter = Charter::peek(&self.charter)?;
        if Digest::of(crate::frame::MultiFrame::decode(&self.charter)?.payload()) != self.invitation.charter {
            return Err(Error::DigestMismatch { what: "charter" });
        }
        let manifest = Manifest::peek(&self.manifest)?;
        if Digest::of(Frame::decode(&self.manifest)?.payload()) != self.invitation.manifest {
            return Err(Error::DigestMismatch { what: "manifest" });
        }
        if manifest.aud != charter.aud() {
            return Err(Error::WrongAudience);
        }
        Ok((charter, manifest))
    }
}

/// A device's answer to an invitation. It travels signed by the device's own key and sealed to the desk.
#[derive(Clone, PartialEq, Eq)]
pub struct Reply {
    /// Ed25519 key of the device (key 1).
    pub device_key: PublicKey,
    /// X-Wing key of the device, to which downlinks are sealed (key 2).
    pub recipient: [u8; RECIPIENT_LEN],
    /// Downlink mailbox that the device made (key 3).
    pub downlink: MailboxId,
    /// Hash of the capability with which it writes to the desk's inbox (key 4).
    pub write_cap: CapHash,
    /// Hash of the capability with which it reads its downlink (key 5).
    pub read_cap: CapHash,
    /// Proof that it knows the invitation's secret (key 6).
    pub proof: [u8; 32],
    /// Version of the app (key 7).
    pub app_version: String,
    /// Digest of the invitation's text (key 8).
    pub invitation: Digest,
    /// Keys of later versions.
    pub unknown: Unknown,
}

impl Reply {
    /// Writes the payload.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        MapWriter::version(VERSION)
            .put(1, Value::bytes(self.device_key))
            .put(2, Value::bytes(self.recipient))
            .put(3, Value::bytes(self.downlink))
            .put(4, Value::bytes(self.write_cap))
            .put(5, Value::bytes(self.read_cap))
            .put(6, Value::bytes(self.proof))
            .put(7, Value::text(self.app_version.clone()))
            .put(8, Value::bytes(self.invitation))
            .encode(&self.unknown)
    }

    /// Reads a payload.
    ///
    /// # Errors
    /// Those of [`cbor::decode`] and [`MapReader`].
    pub fn decode(payload: &[u8]) -> Result<Self> {
        let mut map = MapReader::decode(payload, &Limits::MESSAGE)?;
        map.version(VERSION)?;
        Ok(Self {
            device_key: PublicKey::from_bytes(map.fixed(1)?),
            recipient: map.fixed(2)?,
            downlink: MailboxId::from_bytes(map.fixed(3)?),
            write_cap: CapHash::from_bytes(map.fixed(4)?),
            read_cap: CapHash::from_bytes(map.fixed(5)?),
            proof: map.fixed(6)?,
            app_version: word(map.text(7)?, 7)?,
            invitation: Digest::from_bytes(map.fixed(8)?),
            unknown: map.finish(),
        })
    }

    /// Signs it with the device's key and returns the frame's bytes, which are then sealed to the desk.
    #[must_use]
    pub fn sign(&self, device: &dyn Signer) -> Vec<u8> {
        Frame::sign(Context::Enrol, &self.encode(), device)
    }

    /// Opens a frame, which must be signed by the very key that it names. That the verifier refuses weak
    /// keys matters here most: with one of them a device's signature would prove nothing for ever.
    ///
    /// # Errors
    /// Those of [`Frame::decode`] and [`Reply::decode`], [`Error::BadSignature`].
    pub fn open(bytes: &[u8], verifier: &dyn Verifier) -> Result<Self> {
        let frame = Frame::decode(bytes)?;
        let reply = Self::decode(frame.payload())?;
        frame.verify(Context::Enrol, &reply.device_key, verifier)?;
        Ok(reply)
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reply({:?})", crate::ids::DeviceId::of(&self.device_key))
    }
}

/// Writes a sealed reply as one line of text.
#[must_use]
pub fn reply_to_text(sealed: &[u8]) -> String {
    format!("{REPLY_LABEL}{}", STANDARD.encode(sealed))
}

/// Reads the text of a sealed reply; white space around it is ignored.
///
/// # Errors
/// [`Error::TooLarge`], [`Error::Label`], [`Error::TextEncoding`].
pub fn reply_from_text(text: &str) -> Result<Vec<u8>> {
    unlabel(text.trim(), REPLY_LABEL, &STANDARD)
}

/// Returns the hash of all that both sides must have seen alike. It gives the six words, and it is `prev` of
/// the device's first entry.
#[must_use]
pub fn transcript_hash(
    invitation: &Invitation,
    device_key: &PublicKey,
    recipient: &[u8; RECIPIENT_LEN],
) -> [u8; 32] {
    crate::ids::sha256(&cbor::encode(&Value::array([
        Value::text("landfall/transcript/v1"),
        Value::text(invitation.to_text()),
        Value::bytes(invitation.charter),
        Value::bytes(invitation.manifest),
        Value::bytes(device_key),
        Value::bytes(recipient),
        Value::text(invitation.role.code()),
        Value::text(invitation.point.clone()),
    ])))
}

fn word(text: String, key: i64) -> Result<String> {
    if text.len() <= MAX_WORD {
        Ok(text)
    } else {
        Err(Error::OutOfRange { key })
    }
}

fn unlabel(text: &str, label: &'static str, encoding: &base64::engine::GeneralPurpose) -> Result<Vec<u8>> {
    if text.len() > MAX_TEXT {
        return Err(Error::TooLarge { limit: MAX_TEXT });
    }
    let rest = text.strip_prefix(label).ok_or(Error::Label { what: label })?;
    encoding
        .decode(rest)
        .map_err(|_| Error::TextEncoding { what: label })
}
