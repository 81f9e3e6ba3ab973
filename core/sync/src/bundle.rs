//! The second transport: a `.landfall` file carried by hand. It needs no passcode, no network and no key.
//!
//! A file is not a delivery: exporting changes nothing in the outbox.

use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::{Path, PathBuf};

use landfall_wire::bundle::{BundleReader, BundleWriter, Item, Kind};
use landfall_wire::clock::Clock;
use landfall_wire::ids::Digest;
use landfall_wire::sign::Verifier;

use crate::courier::{Report, report, sort};
use crate::lease::{self, Holder};
use crate::machine::{self, Event, State};
use crate::outbox::{Contact, Outbox};
use crate::rng::Rng;
use crate::{Error, Result};

/// Messages that are taken in one transaction when a bundle is imported.
const TAKEN_AT_ONCE: usize = 64;

/// Writes every envelope that the desk has not said to have into a new file; says how many.
///
/// # Errors
/// [`Error::OutExists`], [`Error::Io`], what the outbox says. No half-written file is left under the name.
pub fn export(outbox: &Outbox, path: &Path) -> Result<u32> {
    if path.exists() {
        return Err(Error::OutExists);
    }
    let part = beside(path, ".part");
    let mut writer = BundleWriter::new(create(&part)?, Kind::Uplink)?;
    let mut envelopes = 0;
    for digest in outbox.unreceived()? {
        // One that was received since the list was made has no bytes any more.
        if let Some(bytes) = outbox.bytes(&digest)? {
            writer.write(&Item::Envelope(bytes))?;
            envelopes += 1;
        }
    }
    put_in_place(writer.finish()?, &part, path)?;
    Ok(envelopes)
}

/// Takes the messages for this device out of a bundle of the desk, as if they had come from the hub.
///
/// # Errors
/// [`Error::NoContact`], [`Error::WrongKind`], [`Error::Wire`] with the place of the first bad item (what came
/// before it is applied), [`Error::LeaseHeld`] while a run is under way.
pub fn import(
    outbox: &Outbox,
    path: &Path,
    verifier: &dyn Verifier,
    clock: &dyn Clock,
    rng: &mut dyn Rng,
) -> Result<Report> {
    let contact = outbox.contact()?.ok_or(Error::NoContact)?;
    let file = File::open(path).map_err(Error::io("open the bundle"))?;
    let mut reader = BundleReader::new(BufReader::new(file))?;
    if reader.kind() != Kind::Downlink {
        return Err(Error::WrongKind);
    }
    let holder = lease::mark(rng);
    let clean = outbox.begin(&holder, &clock.read())?;
    let mut state = State::default();
    let outcome = take_all(
        outbox,
        &contact,
        &mut reader,
        verifier,
        clock,
        rng,
        &holder,
        &mut state,
    );
    outbox.end(&holder, clean)?;
    outcome?;
    report(outbox, &state, clock)
}

#[allow(clippy::too_many_arguments, reason = "the import's parts, handed on once")]
fn take_all(
    outbox: &Outbox,
    contact: &Contact,
    reader: &mut BundleReader<BufReader<File>>,
    verifier: &dyn Verifier,
    clock: &dyn Clock,
    rng: &mut dyn Rng,
    holder: &Holder,
    state: &mut State,
) -> Result<()> {
    *state = outbox.load()?;
    let mut outcome = Ok(());
    let mut more = true;
    while more {
        let mut messages = Vec::new();
        while messages.len() < TAKEN_AT_ONCE && more {
            match reader.next_item() {
                Ok(Some(Item::Downlink { mailbox, bytes })) if mailbox == contact.downlink => {
                    messages.push((Digest::of(&bytes), bytes));
                }
                Ok(Some(_)) => {}
                Ok(None) => more = false,
                Err(error) => {
                    outcome = Err(Error::Wire(error));
                    more = false;
                }
            }
        }
        let downlink = sort(contact, verifier, messages.into_iter());
        let now = clock.read();
        // The machine may name an action: nothing is sent here, the next run will ask it again.
        let (next, step) = machine::step(std::mem::take(state), Event::Downlink(downlink), &now, rng);
        *state = next;
        outbox.apply(&step.changes, holder, &now)?;
    }
    outcome
}

pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

pub(crate) fn create(path: &Path) -> Result<BufWriter<File>> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    Ok(BufWriter::new(
        options.open(path).map_err(Error::io("make the file"))?,
    ))
}

/// Makes what was written durable and gives it its name.
pub(crate) fn put_in_place(out: BufWriter<File>, part: &Path, path: &Path) -> Result<()> {
    let file = out
        .into_inner()
        .map_err(|error| Error::io("write the file")(error.into_error()))?;
    file.sync_all().map_err(Error::io("write the file"))?;
    drop(file);
    std::fs::rename(part, path).map_err(Error::io("name the file"))?;
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    // A name that the folder has not stored could be lost with the power.
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(Error::io("store the name"))
}
