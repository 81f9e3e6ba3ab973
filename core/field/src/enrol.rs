//! Enrolment: a phone becomes a device of one organisation.
//!
//! `enrol_begin` checks what the organisation signed, makes keys, header and vault, and answers with a sealed reply
//! and six words. Nothing can be recorded and nothing can be sent before both sides have compared the words:
//! `enrol_confirm` with [`Comparison::Same`] writes the contact row of the outbox, and only with it a device counts as
//! enrolled. [`Comparison::Different`] erases everything that was made.

use std::fs;
use std::path::Path;

use landfall_seal::{
    DeviceKeys, EpochRecipient, Header, KeyGuard, Tuning, enrol as seal_enrol, random, words,
};
use landfall_vault::{DeviceRow, Vault};
use landfall_wire::charter::Charter;
use landfall_wire::clock::Clock;
use landfall_wire::enrol::{InvitationFile, Reply, reply_to_text, transcript_hash};
use landfall_wire::ids::{Capability, EntryHash, MailboxId};
use landfall_wire::manifest::Manifest;

use crate::FieldError;
use crate::app::{APP_VERSION, open_header, open_vault, setting};
use crate::home::paths;
use crate::outbox::{NewContact, Outbox};
use crate::view::{Comparison, DeviceState, EnrolStep};

/// Fewer characters than this are no passcode, whatever the profile.
pub const MIN_PASSCODE: usize = 6;

/// What a phone without `/proc/meminfo` is taken for, MiB: more than the threshold below which Argon2 gets the smaller
/// floor, so that not knowing never weakens it.
const UNKNOWN_RAM_MIB: u32 = 4096;

/// Tells what stands in a home directory. Needs no passcode and changes nothing.
#[must_use]
pub fn device_state(home: &Path) -> DeviceState {
    let vault = paths::vault(home).exists();
    let header = Header::load_pair(home);
    let outbox = paths::outbox(home);
    let contact = if outbox.exists() {
        Outbox::open(&outbox).and_then(|outbox| outbox.has_contact())
    } else {
        Ok(false)
    };
    match (vault, header, contact) {
        (true, Ok(_), Ok(true)) => DeviceState::Enrolled,
        (true, Ok(_), Ok(false)) => DeviceState::WordsPending,
        // Without a contact nothing was ever recorded: the rest of an enrolment that was broken off.
        (_, _, Ok(false)) => DeviceState::Fresh,
        _ => DeviceState::Damaged,
    }
}

/// Begins an enrolment with parameters measured on this device (about a second of work).
///
/// An enrolment whose words nobody has compared is replaced.
///
/// # Errors
/// [`FieldError::NotTrusted`] if signatures, digests or audience do not hold; [`FieldError::Invalid`] with
/// `invitation` for text that is no invitation, `device` on an enrolled device, `passcode` for one too short.
pub fn enrol_begin(
    home: &Path,
    invitation_text: &str,
    passcode: &[u8],
    guard: &dyn KeyGuard,
    clock: &dyn Clock,
) -> Result<EnrolStep, FieldError> {
    let alias = guard.make_alias().map_err(landfall_seal::Error::from)?;
    let measured = Tuning::measure(ram_mib(), guard, &alias, clock);
    guard.delete_alias(&alias).map_err(landfall_seal::Error::from)?;
    enrol_begin_tuned(home, invitation_text, passcode, guard, clock, &measured?)
}

/// Begins an enrolment with given parameters: for tests and for shells that have measured before.
///
/// # Errors
/// As [`enrol_begin`].
pub fn enrol_begin_tuned(
    home: &Path,
    invitation_text: &str,
    passcode: &[u8],
    guard: &dyn KeyGuard,
    _clock: &dyn Clock,
    tuning: &Tuning,
) -> Result<EnrolStep, FieldError> {
    match device_state(home) {
        DeviceState::Fresh | DeviceState::WordsPending => {}
        DeviceState::Enrolled => return Err(FieldError::invalid("device", "already_enrolled")),
        DeviceState::Damaged => return Err(FieldError::Damaged { saved_aside: false }),
    }
    if std::str::from_utf8(passcode).map_or(0, |text| text.chars().count()) < MIN_PASSCODE {
        return Err(FieldError::invalid("passcode", "too_short"));
    }
    let file = InvitationFile::from_text(invitation_text).map_err(refused_invitation)?;
    let (charter, manifest) = seal_enrol::verify_file(&file)?;
    let epoch = manifest.newest_epoch().ok_or(FieldError::NotTrusted)?;
    let recipient = EpochRecipient::from_bytes(&epoch.recipient)?;

    let keys = DeviceKeys::make();
    let own = keys.recipient()?;
    let transcript = transcript_hash(&file.invitation, &keys.public_key(), own.as_bytes());
    let word_list = words::six_words(&transcript, &file.invitation.language)?;
    let downlink = MailboxId::from_bytes(random::make());
    let write_cap = Capability::from_bytes(random::make());
    let read_cap = Capability::from_bytes(random::make());
    let reply = Reply {
        device_key: keys.public_key(),
        recipient: *own.as_bytes(),
        downlink,
        write_cap: write_cap.hash(),
        read_cap: read_cap.hash(),
        proof: seal_enrol::derive_proof(&file.invitation.secret, &transcript)?,
        app_version: APP_VERSION.to_owned(),
        invitation: file.invitation.digest(),
        unknown: landfall_wire::cbor::Unknown::default(),
    };
    let sealed = seal_enrol::seal_reply(&reply, &keys.signing, &recipient)?;

    erase(home, guard)?;
    make_home(home)?;
    let (header, vrk) = Header::make(passcode, tuning, guard)?;
    let mut vault = Vault::at(&paths::vault(home)).open(vrk.db_key()?.expose())?;
    vault.set_device(&DeviceRow {
        signing_seed: keys.signing.seed(),
        sealing_seed: keys.identity.seed(),
        next: landfall_model::Chain {
            dev: keys.id(),
            seq: 0,
            prev: EntryHash::from_bytes(transcript),
        },
    })?;
    vault.set_settings(&[
        (setting::CHARTER, &file.charter),
        (setting::MANIFEST, &file.manifest),
        (setting::ROLE, file.invitation.role.code().as_bytes()),
        (setting::POINT, file.invitation.point.as_bytes()),
        (setting::DOWNLINK, downlink.as_bytes()),
        (setting::WRITE_CAP, write_cap.expose()),
        (setting::READ_CAP, read_cap.expose()),
    ])?;
    vault.close()?;
    // Last: without a header the rest is nothing, and is cleared away by the next beginning.
    header.store_pair(home)?;
    Ok(EnrolStep {
        reply_text: reply_to_text(&sealed),
        words: word_list.map(str::to_owned),
        organisation: charter.org_name,
        device_id: keys.id().to_hex(),
    })
}

fn refused_invitation(cause: landfall_wire::Error) -> FieldError {
    match FieldError::from(cause) {
        FieldError::NotTrusted => FieldError::NotTrusted,
        _ => FieldError::invalid("invitation", "format"),
    }
}

/// Ends an enrolment: with the same words on both sides the device may record and send; with different ones
/// everything that was made is erased, whatever the passcode.
///
/// # Errors
/// [`FieldError::NotFound`] if no enrolment waits, [`FieldError::WrongPasscode`], [`FieldError::Damaged`].
pub fn enrol_confirm(
    home: &Path,
    passcode: &[u8],
    guard: &dyn KeyGuard,
    clock: &dyn Clock,
    comparison: Comparison,
) -> Result<(), FieldError> {
    if device_state(home) != DeviceState::WordsPending {
        return Err(FieldError::NotFound);
    }
    match comparison {
        Comparison::Different => erase(home, guard),
        Comparison::Same => {
            let outbox = Outbox::open(&paths::outbox(home))?;
            let (_, vrk) = open_header(home, passcode, guard, &outbox, &clock.read())?;
            let mut vault = open_vault(home, &vrk)?;
            let contact = contact(&vault)?;
            // This row is the enrolment: after it the device is enrolled, before it nothing is.
            outbox.set_contact(&contact)?;
            // The capabilities now stand where a locked courier finds them, and nowhere else.
            vault.remove_settings(&[setting::DOWNLINK, setting::WRITE_CAP, setting::READ_CAP])?;
            vault.close()?;
            Ok(())
        }
    }
}

fn contact(vault: &Vault<landfall_vault::Open>) -> Result<NewContact, FieldError> {
    let damaged = || FieldError::Damaged { saved_aside: false };
    let setting = |name: &str| -> Result<_, FieldError> { vault.setting(name)?.ok_or_else(damaged) };
    let secret = |name: &str| -> Result<Capability, FieldError> {
        let bytes = setting(name)?;
        Ok(Capability::from_bytes(
            bytes.as_slice().try_into().map_err(|_| damaged())?,
        ))
    };
    let charter = Charter::peek(&setting(setting::CHARTER)?).map_err(|_| damaged())?;
    let manifest = Manifest::peek(&setting(setting::MANIFEST)?).map_err(|_| damaged())?;
    Ok(NewContact {
        aud: charter.aud(),
        dev: vault.device()?.next.dev,
        desk_keys: charter.desk_keys,
        downlink: MailboxId::from_slice(&setting(setting::DOWNLINK)?).map_err(|_| damaged())?,
        write_cap: secret(setting::WRITE_CAP)?,
        read_cap: secret(setting::READ_CAP)?,
        manifest,
    })
}

fn make_home(home: &Path) -> Result<(), FieldError> {
    fs::create_dir_all(home).map_err(|cause| FieldError::io(&cause))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(home, fs::Permissions::from_mode(0o700))
            .map_err(|cause| FieldError::io(&cause))?;
    }
    Ok(())
}

/// Removes what an enrolment that nobody confirmed has made. Callers have made sure that there is no contact, so that
/// nothing can have been recorded.
fn erase(home: &Path, guard: &dyn KeyGuard) -> Result<(), FieldError> {
    if let Ok(headers) = Header::load_pair(home) {
        for header in headers.iter().filter(|header| !header.alias().is_empty()) {
            guard
                .delete_alias(header.alias())
                .map_err(landfall_seal::Error::from)?;
        }
    }
    let vault = ["vault.db", "vault.db-wal", "vault.db-shm"];
    let outbox = ["outbox.db", "outbox.db-wal", "outbox.db-shm"];
    for name in landfall_seal::header::FILES
        .into_iter()
        .chain(vault)
        .chain(outbox)
    {
        match fs::remove_file(crate::app::path(home, name)) {
            Ok(()) => {}
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {}
            Err(cause) => return Err(FieldError::io(&cause)),
        }
    }
    Ok(())
}

fn ram_mib() -> u32 {
    fs::read_to_string("/proc/meminfo")
        .ok()
        .and_then(|text| {
            let line = text
                .lines()
                .find_map(|line| line.strip_prefix("MemTotal:"))?
                .to_owned();
            line.split_whitespace().next()?.parse::<u64>().ok()
        })
        .and_then(|kib| u32::try_from(kib / 1024).ok())
        .unwrap_or(UNKNOWN_RAM_MIB)
}
