//! The log check: every stored entry once more, as if it had just come in.

use landfall_model::Entry;
use landfall_seal::Ed25519Verifier;
use landfall_wire::ids::EntryHash;

use crate::{Desk, Result};

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Entries that passed, in the order of their devices' chains.
    pub entries: Vec<EntryHash>,
    /// The first row that does not, counted from 1; the check ends there.
    pub bad_row: Option<u64>,
}

impl Desk {
    /// Checks frame, signature, hash and chain of every stored entry.
    ///
    /// # Errors
    /// Those of the store.
    pub fn verify(&self) -> Result<Verified> {
        let mut entries = Vec::new();
        let mut row_number = 0;
        for device in self.store.devices()? {
            let rows = self.store.entries_of(&device.id)?;
            for row in &rows {
                row_number += 1;
                let good = Entry::read(&row.frame, &device.key, &Ed25519Verifier).is_ok_and(|entry| {
                    let chain = entry.chain();
                    let before = |seq: u64| rows.iter().filter(move |other| other.seq == seq);
                    let follows = match chain.seq.checked_sub(1) {
                        None => *chain.prev.as_bytes() == device.transcript,
                        Some(seq) => {
                            before(seq).next().is_none() || before(seq).any(|other| other.hash == chain.prev)
                        }
                    };
                    let columns = chain.seq == row.seq
                        && chain.prev == row.prev
                        && entry.fields().manifest_serial == row.manifest
                        && entry.fields().kind.code() == row.kind;
                    entry.hash() == row.hash && columns && follows
                });
                if !good {
                    return Ok(Verified {
                        entries,
                        bad_row: Some(row_number),
                    });
                }
                entries.push(row.hash);
            }
        }
        Ok(Verified {
            entries,
            bad_row: None,
        })
    }
}
