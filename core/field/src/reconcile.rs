//! What an unlock puts right: envelopes that a crash left between the stores, envelopes sealed to an epoch key that a
//! newer one has replaced, and numbers that the desk misses.
//!
//! Every step may be cut off and is simply done again at the next unlock. Nothing here makes an unlock fail but a vault
//! that cannot be read: an outbox that is full must not keep a person from her records.

use landfall_model::{ClockReading, Gone, GoneReason, Kind};
use landfall_seal::seal_envelope;
use landfall_vault::{Pending, Refusals};
use landfall_wire::ids::Digest;

use crate::FieldError;
use crate::app::Inner;
use crate::record;

/// Entries that are sent together when the desk asks for numbers again. A few fit the smallest file sizes.
const RESEND_TOGETHER: u32 = 8;
/// Envelopes that one unlock makes for the desk's question; what is left is asked for again.
const RESEND_AT_ONCE: usize = 32;

/// Puts right what can be put right.
pub(crate) fn all(inner: &mut Inner, reading: &ClockReading) -> Result<(), FieldError> {
    record::sweep(inner)?;
    tolerate(reseal(inner, reading))?;
    tolerate(resend(inner, reading))
}

fn tolerate(done: Result<(), FieldError>) -> Result<(), FieldError> {
    match done {
        Err(error @ FieldError::Damaged { .. }) => Err(error),
        _ => Ok(()),
    }
}

/// Seals anew what has no receipt and is sealed to an epoch key that is not the newest one.
fn reseal(inner: &mut Inner, reading: &ClockReading) -> Result<(), FieldError> {
    for old in inner.outbox.without_receipt()? {
        match inner.vault.epoch_of(&old)? {
            Some(epoch) if epoch < inner.epoch => reseal_one(inner, &old, reading)?,
            _ => {}
        }
    }
    Ok(())
}

fn reseal_one(inner: &mut Inner, old: &Digest, reading: &ClockReading) -> Result<(), FieldError> {
    let entries = inner.vault.envelope(old)?;
    let seqs = {
        let stored = entries
            .iter()
            .map(|(hash, _)| Ok(inner.vault.entry(hash)?.chain().seq))
            .collect::<Result<Vec<u64>, FieldError>>()?;
        match (stored.first(), stored.last()) {
            (Some(first), Some(last)) => (*first, *last),
            _ => return Ok(()),
        }
    };
    let bytes: Vec<Vec<u8>> = entries.into_iter().map(|(_, bytes)| bytes).collect();
    let pending = seal(inner, &bytes, seqs, reading)?;
    inner.outbox.replace(old, &pending)?;
    inner.vault.move_envelope(old, &pending.digest, inner.epoch)?;
    Ok(())
}

fn seal(
    inner: &Inner,
    entries: &[Vec<u8>],
    seqs: (u64, u64),
    reading: &ClockReading,
) -> Result<Pending, FieldError> {
    let sealed = seal_envelope(entries, &inner.recipient)?;
    Ok(Pending {
        digest: sealed.digest,
        bytes: sealed.bytes,
        entries: u32::try_from(entries.len()).unwrap_or(u32::MAX),
        seqs,
        day: reading.day(),
        epoch: inner.epoch,
    })
}

/// Answers the desk's question for numbers: what is here is sent once more, what is not is said to be gone.
fn resend(inner: &mut Inner, reading: &ClockReading) -> Result<(), FieldError> {
    let mut made = 0;
    for (first, last) in inner.outbox.resends()? {
        let next = inner.vault.device()?.next.seq;
        let mut from = first;
        let until = last.min(next.saturating_sub(1));
        // A number that this device has never given is nothing to answer.
        while next > 0 && from <= until {
            if made >= RESEND_AT_ONCE {
                return Ok(());
            }
            made += 1;
            let here = inner.vault.entries_between(from, until, RESEND_TOGETHER)?;
            match here.first().map(|(seq, _, _)| *seq) {
                Some(seq) if seq == from => from = send_run(inner, from, here, reading)?,
                Some(seq) => {
                    say_gone(inner, from, seq - 1, reading)?;
                    from = seq;
                }
                None => {
                    say_gone(inner, from, until, reading)?;
                    from = until.saturating_add(1);
                }
            }
        }
        inner.outbox.resend_done((first, last))?;
    }
    Ok(())
}

type Row = (u64, landfall_wire::ids::EntryHash, Vec<u8>);

/// Sends the entries that follow each other from `from` on, and returns the number after the last one.
fn send_run(inner: &mut Inner, from: u64, here: Vec<Row>, reading: &ClockReading) -> Result<u64, FieldError> {
    let mut next = from;
    let mut bytes = Vec::new();
    for (seq, _, entry) in here {
        if seq != next {
            break;
        }
        next += 1;
        bytes.push(entry);
    }
    let pending = seal(inner, &bytes, (from, next.saturating_sub(1)), reading)?;
    inner.outbox.put(&pending)?;
    Ok(next)
}

fn say_gone(
    inner: &mut Inner,
    first_seq: u64,
    last_seq: u64,
    reading: &ClockReading,
) -> Result<(), FieldError> {
    let gone = Gone {
        first_seq,
        last_seq,
        why: GoneReason::Purged,
    };
    let mut fields = record::blank(inner, Kind::Gone, "en", reading);
    fields.body = gone.to_body()?;
    record::save(inner, vec![fields], None, Refusals::Keep, None, reading)?;
    Ok(())
}
