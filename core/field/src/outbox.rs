//! The outbox as this crate uses it: the second of the two stores, and what must be known while locked.
//!
//! The queue and its rules are sync's. Here stands only the translation: errors into what a person can do, stages
//! into the states that screens show.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use landfall_seal::{Ed25519Verifier, random};
use landfall_sync::{Budget, Contact, FnRng, HubClient, Meta, Stage};
use landfall_vault::Pending;
use landfall_wire::clock::{Clock, Trusted};
use landfall_wire::ids::{Aud, Capability, DeviceId, Digest, MailboxId, PublicKey};
use landfall_wire::manifest::Manifest;

use crate::FieldError;
use crate::courier::{Asked, CancelToken, CourierReport};
use crate::error::BYTES_NEEDED;
use crate::tries::Tries;
use crate::view::RecordState;

impl From<landfall_sync::Error> for FieldError {
    fn from(cause: landfall_sync::Error) -> FieldError {
        use landfall_sync::Error as Sync;
        match cause {
            Sync::Full => FieldError::StorageFull {
                bytes_needed: BYTES_NEEDED,
            },
            Sync::Busy | Sync::LeaseHeld => FieldError::Busy,
            Sync::NewerSchema { found, .. } => FieldError::NeedsUpdate {
                min_version: format!("schema {found}"),
            },
            Sync::Damaged | Sync::NotAnOutbox => FieldError::Damaged { saved_aside: false },
            Sync::NoContact | Sync::NotOurs { .. } => FieldError::NotFound,
            Sync::WrongKind => FieldError::NotTrusted,
            Sync::Wire(cause) => match FieldError::from(cause) {
                FieldError::Internal { .. } => FieldError::NotTrusted,
                other => other,
            },
            Sync::Io {
                kind: std::io::ErrorKind::StorageFull,
                ..
            } => FieldError::StorageFull {
                bytes_needed: BYTES_NEEDED,
            },
            Sync::Io { .. } => FieldError::internal(604),
            Sync::OutExists => FieldError::invalid("path", "exists"),
            Sync::BadUrl { .. } => FieldError::internal(503),
            Sync::Store { .. } => FieldError::internal(501),
            _ => FieldError::internal(500),
        }
    }
}

/// What an enrolment leaves for the courier.
pub(crate) struct NewContact {
    pub(crate) aud: Aud,
    pub(crate) dev: DeviceId,
    pub(crate) desk_keys: Vec<PublicKey>,
    pub(crate) downlink: MailboxId,
    pub(crate) write_cap: Capability,
    pub(crate) read_cap: Capability,
    pub(crate) manifest: Manifest,
}

/// A sealed record in the outbox.
pub(crate) struct OutboxRow {
    pub(crate) digest: Digest,
    pub(crate) day: u32,
    pub(crate) size: u64,
    pub(crate) entries: u32,
    pub(crate) state: RecordState,
}

/// The open outbox.
pub(crate) struct Outbox {
    store: landfall_sync::Outbox,
    #[cfg(test)]
    pub(crate) refuses: bool,
}

fn state(stage: Stage) -> Option<RecordState> {
    Some(match stage {
        Stage::Saved => RecordState::Saved,
        Stage::Handed => RecordState::Mailbox,
        Stage::Ingested => RecordState::Received,
        Stage::Purged => RecordState::BackedUp,
        Stage::Held { .. } | Stage::Unopenable { .. } => RecordState::Held,
        Stage::Refused(_) => RecordState::Refused,
        // Another envelope with the same entries stands for it.
        Stage::Replaced => return None,
    })
}

fn rng() -> FnRng<impl FnMut(&mut [u8])> {
    FnRng(|bytes: &mut [u8]| random::fill(bytes))
}

impl Outbox {
    pub(crate) fn open(path: &Path) -> Result<Outbox, FieldError> {
        Ok(Outbox {
            store: landfall_sync::Outbox::open(path)?,
            #[cfg(test)]
            refuses: false,
        })
    }

    pub(crate) fn has_contact(&self) -> Result<bool, FieldError> {
        Ok(self.store.contact()?.is_some())
    }

    pub(crate) fn set_contact(&self, new: &NewContact) -> Result<(), FieldError> {
        Ok(self.store.set_contact(&Contact {
            endpoints: new.manifest.endpoints.clone(),
            tls_roots: new.manifest.tls_roots.clone(),
            inbox: new.manifest.inbox,
            downlink: new.downlink,
            write_cap: new.write_cap.clone(),
            read_cap: new.read_cap.clone(),
            desk_keys: new.desk_keys.clone(),
            aud: new.aud,
            device: new.dev,
            manifest_serial: new.manifest.serial,
            desk_epoch: new.manifest.desk_epoch,
        })?)
    }

    pub(crate) fn tries(&self) -> Result<Tries, FieldError> {
        let kept = self.store.tries()?;
        Ok(Tries {
            failed: kept.failed,
            boot: kept.boot,
            since_ms: kept.since_elapsed_ms,
        })
    }

    pub(crate) fn set_tries(&self, tries: Tries) -> Result<(), FieldError> {
        Ok(self.store.set_tries(&landfall_sync::Tries {
            failed: tries.failed,
            boot: tries.boot,
            since_elapsed_ms: tries.since_ms,
        })?)
    }

    /// Takes a sealed record; one that is known is taken again without effect, one that was purged stays purged.
    pub(crate) fn put(&self, pending: &Pending) -> Result<(), FieldError> {
        #[cfg(test)]
        if self.refuses {
            return Err(FieldError::StorageFull {
                bytes_needed: BYTES_NEEDED,
            });
        }
        self.store.put(&pending.digest, &pending.bytes, &meta(pending))?;
        Ok(())
    }

    /// Puts an envelope in the place of one with the same entries.
    pub(crate) fn replace(&self, old: &Digest, pending: &Pending) -> Result<(), FieldError> {
        self.store
            .replace(old, &pending.digest, &pending.bytes, &meta(pending))?;
        Ok(())
    }

    pub(crate) fn states(&self) -> Result<BTreeMap<Digest, RecordState>, FieldError> {
        Ok(self
            .store
            .records()?
            .into_iter()
            .filter_map(|row| Some((row.digest, state(row.stage)?)))
            .collect())
    }

    pub(crate) fn rows(&self) -> Result<Vec<OutboxRow>, FieldError> {
        Ok(self
            .store
            .records()?
            .into_iter()
            .filter_map(|row| {
                Some(OutboxRow {
                    state: state(row.stage)?,
                    digest: row.digest,
                    day: row.day,
                    size: u64::from(row.size),
                    entries: row.entries,
                })
            })
            .collect())
    }

    /// Returns the envelopes that no receipt of the desk names yet, and those that it could not open.
    pub(crate) fn without_receipt(&self) -> Result<Vec<Digest>, FieldError> {
        Ok(self
            .store
            .records()?
            .into_iter()
            .filter(|row| matches!(row.stage, Stage::Saved | Stage::Handed | Stage::Unopenable { .. }))
            .map(|row| row.digest)
            .collect())
    }

    /// Returns ranges of entry numbers that the desk asks for and that no envelope here covers.
    pub(crate) fn resends(&self) -> Result<Vec<(u64, u64)>, FieldError> {
        Ok(self.store.resends()?)
    }

    pub(crate) fn resend_done(&self, range: (u64, u64)) -> Result<(), FieldError> {
        Ok(self.store.resend_done(range)?)
    }

    #[cfg(test)]
    pub(crate) fn bytes(&self, digest: &Digest) -> Option<Vec<u8>> {
        self.store.bytes(digest).ok().flatten()
    }

    pub(crate) fn retry_refused(&self) -> Result<u32, FieldError> {
        Ok(self.store.retry_refused()?)
    }

    pub(crate) fn run(
        &self,
        budget_ms: u32,
        cancel: &CancelToken,
        asked: Asked,
        clock: &Arc<dyn Clock>,
    ) -> Result<CourierReport, FieldError> {
        let contact = self.store.contact()?.ok_or(FieldError::NotFound)?;
        let hub = HubClient::new(&contact.endpoints, &contact.tls_roots)?;
        let budget = Budget::ms(u64::from(budget_ms)).cancelled_by(cancel.switch());
        let budget = match asked {
            Asked::ByAPerson => {
                // What a hub did not accept may be accepted now: a device that sends before its desk has registered it
                // would wait for ever. Still not accepted, it is shown as before.
                self.store.retry_refused()?;
                budget.manual()
            }
            Asked::ByItself => budget,
        };
        let report =
            landfall_sync::run_once(&self.store, &hub, &Ed25519Verifier, clock, &mut rng(), &budget)?;
        self.shown(&report)
    }

    pub(crate) fn trusted_time(&self) -> Result<Option<Trusted>, FieldError> {
        Ok(self.store.trusted_time()?)
    }

    fn shown(&self, report: &landfall_sync::Report) -> Result<CourierReport, FieldError> {
        Ok(CourierReport {
            handed: report.handed,
            received: report.received,
            purged: report.purged,
            refused: report.refused.saturating_add(report.held),
            // The queue also waits for receipts; here only what still has to leave this phone counts.
            waiting: self.store.counts()?.saved,
            next_try_s: report
                .next_try_s
                .map(|seconds| u32::try_from(seconds).unwrap_or(u32::MAX)),
        })
    }

    pub(crate) fn export_bundle(&self, path: &Path) -> Result<u32, FieldError> {
        Ok(landfall_sync::bundle::export(&self.store, path)?)
    }

    pub(crate) fn import_bundle(
        &self,
        path: &Path,
        clock: &Arc<dyn Clock>,
    ) -> Result<CourierReport, FieldError> {
        let report = landfall_sync::bundle::import(&self.store, path, &Ed25519Verifier, clock, &mut rng())?;
        self.shown(&report)
    }
}

fn meta(pending: &Pending) -> Meta {
    Meta {
        day: pending.day,
        entries: pending.entries,
        seqs: Some(pending.seqs),
    }
}
