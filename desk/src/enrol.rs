//! Enrolment at the desk: invitation, reply, six words compared, confirmation. Before `confirm` nothing of a device is
//! accepted and none of its capabilities is registered, so that a photographed invitation gains nothing.

use landfall_seal::{enrol, random, words};
use landfall_wire::enrol::{Invitation, InvitationFile, InvitationSecret, Reply, Role, reply_from_text};
use landfall_wire::ids::{DeviceId, Digest, MailboxId};

use crate::home::standard_pack;
use crate::store::{DeviceRow, InvitationRow};
use crate::{Desk, Error, Result};

/// How long an invitation stands: 7 days, judged by the desk's clock.
pub const INVITATION_DAYS: i64 = 7;

/// An enrolled device, or one that waits.
#[derive(Debug, Clone)]
pub struct Device {
    /// Its id.
    pub id: DeviceId,
    /// Its role, a code.
    pub role: String,
    /// Its point, a code; may be empty.
    pub point: String,
    /// Whether it was revoked.
    pub revoked: bool,
    /// When it was confirmed, seconds since 1970-01-01 UTC.
    pub confirmed_s: i64,
    /// How many of its entries are stored.
    pub entries: usize,
}

impl Desk {
    /// Makes an invitation with charter and manifest, as the text of one file.
    ///
    /// # Errors
    /// [`Error::UnknownRole`], [`Error::UnknownPoint`], and those of the store.
    pub fn invite(&mut self, role: &str, point: &str, language: &str) -> Result<String> {
        let role = Role::from_code(role).ok_or(Error::UnknownRole)?;
        if !point.is_empty() {
            let pack = standard_pack()?;
            pack.external("points")
                .and_then(|points| points.row(point).map(|_| ()))
                .ok_or(Error::UnknownPoint)?;
        }
        let org = self.store.organisation()?;
        let (charter, manifest) = (self.charter()?, self.manifest()?);
        let invitation = Invitation {
            hub: self.store.hubs()?,
            charter: charter.digest(),
            manifest: manifest.digest(),
            serial: org.serial,
            secret: InvitationSecret::from_bytes(random::make()),
            language: language.to_owned(),
            role,
            point: point.to_owned(),
            reply_to: MailboxId::from_bytes(random::make()),
        };
        let text = invitation.to_text();
        // What cannot be read back would be found out by the person at the other end only.
        Invitation::from_text(&text)?;
        self.store.add_invitation(&InvitationRow {
            digest: invitation.digest(),
            text,
            role: role.code().to_owned(),
            point: point.to_owned(),
            language: language.to_owned(),
            made_s: self.clock.read().wall_s,
            reply: None,
        })?;
        Ok(InvitationFile {
            invitation,
            charter: org.charter,
            manifest: org.manifest,
        }
        .to_text())
    }

    /// Takes a device's reply: opens it, checks the proof of the secret, and answers the six words to compare. The
    /// secret is used up by the first good reply.
    ///
    /// # Errors
    /// [`Error::NoInvitation`], [`Error::InvitationExpired`], and those of the reply's frame.
    pub fn answer(&mut self, text: &str) -> Result<[&'static str; 6]> {
        let sealed = reply_from_text(text)?;
        let reply = enrol::open_reply(&sealed, &self.keyring.identities())?;
        let row = self
            .store
            .invitation(&reply.invitation)?
            .ok_or(Error::NoInvitation)?;
        if self.clock.read().wall_s - row.made_s > INVITATION_DAYS * 86_400 {
            return Err(Error::InvitationExpired);
        }
        let transcript = enrol::check_reply(&reply, &Invitation::from_text(&row.text)?)?;
        let payload = reply.encode();
        // The same reply once more, after a terminal was closed, shows the same words.
        if row.reply.as_ref() != Some(&payload) && !self.store.answer_invitation(&row.digest, &payload)? {
            return Err(Error::NoInvitation);
        }
        Ok(words::six_words(&transcript, &row.language)?)
    }

    /// Enrols the device whose six words these are.
    ///
    /// # Errors
    /// [`Error::WordsDiffer`]; then nothing was added.
    pub fn confirm(&mut self, typed: &str) -> Result<DeviceId> {
        for row in self.store.invitations()? {
            let Some(payload) = &row.reply else { continue };
            let reply = Reply::decode(payload)?;
            let transcript = enrol::check_reply(&reply, &Invitation::from_text(&row.text)?)?;
            if !words::matches(typed, &words::six_words(&transcript, &row.language)?) {
                continue;
            }
            let id = DeviceId::of(&reply.device_key);
            self.store.confirm(
                &row.digest,
                &DeviceRow {
                    id,
                    key: reply.device_key,
                    recipient: reply.recipient.to_vec(),
                    downlink: reply.downlink,
                    write_cap: reply.write_cap,
                    read_cap: reply.read_cap,
                    role: row.role,
                    point: row.point,
                    transcript,
                    confirmed_s: self.clock.read().wall_s,
                    revoked: false,
                    revoked_above: None,
                    control_serial: 0,
                },
            )?;
            // What it sent before it was confirmed was set aside; now it can be judged.
            for sealed in self.store.set_aside_of(&id)? {
                self.ingest_envelope(&sealed)?;
            }
            return Ok(id);
        }
        Err(Error::WordsDiffer)
    }

    /// The enrolled devices.
    ///
    /// # Errors
    /// Those of the store.
    pub fn devices(&self) -> Result<Vec<Device>> {
        self.store
            .devices()?
            .into_iter()
            .map(|row| {
                Ok(Device {
                    entries: self.store.numbers(&row.id)?.len(),
                    id: row.id,
                    role: row.role,
                    point: row.point,
                    revoked: row.revoked,
                    confirmed_s: row.confirmed_s,
                })
            })
            .collect()
    }

    /// Invitations that wait for a reply or for their words, by digest.
    ///
    /// # Errors
    /// Those of the store.
    pub fn waiting(&self) -> Result<Vec<(Digest, bool)>> {
        Ok(self
            .store
            .invitations()?
            .into_iter()
            .map(|row| (row.digest, row.reply.is_some()))
            .collect())
    }

    /// Revokes a device: its capabilities end with the next `push`, and what it recorded above the last number known
    /// now is set aside.
    ///
    /// # Errors
    /// [`Error::UnknownDevice`].
    pub fn revoke(&mut self, id: &DeviceId) -> Result<()> {
        if self.store.revoke(id)? {
            Ok(())
        } else {
            Err(Error::UnknownDevice)
        }
    }
}
