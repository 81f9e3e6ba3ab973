//! Saving: from a finished form to a record that survives anything short of losing the phone.
//!
//! The two stores of docs/protocol.md, section e. One transaction in the vault makes entries, envelope, chain and
//! lists durable together and ends the draft; then the outbox takes the sealed envelope; only then the screen says
//! "Saved". What a crash leaves between the two is handed over by [`sweep`] at the next unlock. If the outbox refuses,
//! the screen says "saved, cannot be sent yet": nothing acknowledged is ever lost, and nothing is acknowledged that is
//! not durable.

use landfall_form::{Answer, Answers, Outcome as Finished, Session};
use landfall_model::{
    CaseCode, Chain, ClockReading, Consent, Entry, FormRef, Kind, Provenance, Unsigned, header, time,
};
use landfall_seal::{random, seal_envelope};
use landfall_vault::{Draft, Pending, Refusals, Save};
use landfall_wire::ids::{CaseId, EntryId};

use crate::app::{APP_VERSION, Inner, setting};
use crate::pack::{self, OBSERVATION, TALLY};
use crate::view::{Outcome, RecordState, SavedView};
use crate::{FieldError, ask, ids};

/// The points between which a crash is survived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Signed and sealed; nothing written.
    Sealed,
    /// In the vault, with the envelope pending.
    InVault,
    /// In the outbox too.
    InOutbox,
}

#[cfg(test)]
fn crash_point(inner: &Inner, step: Step) -> Result<(), FieldError> {
    if inner.crash_after == Some(step) {
        Err(FieldError::Cancelled)
    } else {
        Ok(())
    }
}

#[cfg(not(test))]
#[allow(clippy::unnecessary_wraps, reason = "the test build returns errors here")]
fn crash_point(_: &Inner, _: Step) -> Result<(), FieldError> {
    Ok(())
}

/// Finishes a draft.
pub(crate) fn finish(
    inner: &mut Inner,
    id: &EntryId,
    lang: &str,
    reading: &ClockReading,
) -> Result<SavedView, FieldError> {
    let (draft, session) = ask::load(inner, id, reading)?;
    match session.finish(pack::now(reading)) {
        Err(violations) => Err(violations
            .into_iter()
            .next()
            .map_or(FieldError::internal(403), FieldError::from)),
        Ok(Finished::Refused) => refuse(inner, &draft, reading),
        Ok(Finished::Kept(answers)) => match draft.form.id.as_str() {
            TALLY => finish_tally(inner, &draft, &session, answers, lang, reading),
            OBSERVATION => finish_interview(inner, &draft, &session, answers, lang, reading),
            _ => Err(FieldError::internal(303)),
        },
    }
}

fn finish_tally(
    inner: &mut Inner,
    draft: &Draft,
    session: &Session,
    mut answers: Answers,
    lang: &str,
    reading: &ClockReading,
) -> Result<SavedView, FieldError> {
    let event = draft.event.ok_or(FieldError::internal(304))?;
    let mut refusals = Refusals::Keep;
    let refused = inner.vault.refusals(&event)?;
    if refused > 0 && asks_for_refusals(&answers) {
        add_refusals(&mut answers, refused);
        refusals = Refusals::TakenIn(event);
    }
    remember(inner, &answers)?;
    header::set_event_id(&mut answers, &event);
    let fields = Unsigned {
        id: draft.id,
        form: Some(pack::form_ref(session.form())),
        body: answers,
        provenance: Provenance::SeenByMonitor,
        ..blank(inner, Kind::ArrivalEvent, lang, reading)
    };
    save(inner, vec![fields], Some(draft.id), refusals, None, reading)
}

/// A watch without arrivals (A07 = no) has no question about refusals.
fn asks_for_refusals(answers: &Answers) -> bool {
    pack::text(answers, "A07") != Some("no")
}

fn add_refusals(answers: &mut Answers, refused: u32) {
    let before = answers.get("A54").and_then(Answer::as_integer).unwrap_or(0);
    answers.insert(
        "A54".to_owned(),
        Answer::Integer(before.saturating_add(i64::from(refused))),
    );
}

/// Keeps what the next count begins with.
fn remember(inner: &mut Inner, answers: &Answers) -> Result<(), FieldError> {
    let mut kept = Vec::new();
    for (question, name) in [("A02", setting::LAST_CORRIDOR), ("A21", setting::LAST_BY_AGE)] {
        if let Some(code) = pack::text(answers, question) {
            kept.push((name, code.as_bytes()));
        }
    }
    Ok(inner.vault.set_settings(&kept)?)
}

fn finish_interview(
    inner: &mut Inner,
    draft: &Draft,
    session: &Session,
    mut answers: Answers,
    lang: &str,
    reading: &ClockReading,
) -> Result<SavedView, FieldError> {
    let case = CaseId::from_bytes(random::make());
    let case_code = CaseCode::from_random(random::make());
    let form = session.form();
    // The language of the conversation: asked in the full form, the language of the screen in the rapid one.
    let spoken = pack::text(&answers, "K02").unwrap_or(lang).to_owned();
    let (granted, refused) = Consent::scopes_of_interview(&answers);
    let consent = Consent {
        case_code,
        mode: Consent::mode_of_interview(&answers),
        granted,
        refused,
        text_id: format!("start_text/{}", form.version()),
        lang: spoken.clone(),
        read_aloud: pack::text(&answers, "K01") == Some("OK"),
        given_at: time::text(reading)?,
        expires_at: time::text_after_days(reading, time::CONSENT_DAYS)?,
    };
    let consent_fields = Unsigned {
        case: Some(case),
        body: consent.to_body(),
        provenance: Provenance::SaidByPerson,
        ..blank(inner, Kind::Consent, &spoken, reading)
    };
    header::set_case_code(&mut answers, &case_code);
    if let Some(event) = &draft.event {
        header::set_event_id(&mut answers, event);
    }
    let fields = Unsigned {
        id: draft.id,
        case: Some(case),
        form: Some(pack::form_ref(form)),
        body: answers,
        consent: Some(consent_fields.id),
        provenance: Provenance::SaidByPerson,
        ..blank(inner, Kind::Observation, &spoken, reading)
    };
    save(
        inner,
        vec![consent_fields, fields],
        Some(draft.id),
        Refusals::Keep,
        Some(case_code),
        reading,
    )
}

/// K03 = no (domain 3.2, end rules): nothing of the conversation is kept. One refusal is counted at the event; if its
/// count is finished, a new entry supersedes it with one more in A54 and travels like any other.
fn refuse(inner: &mut Inner, draft: &Draft, reading: &ClockReading) -> Result<SavedView, FieldError> {
    let counted = match &draft.event {
        Some(event) => inner.vault.newest_count(event)?.map(|row| (*event, row)),
        None => None,
    };
    let Some((event, row)) = counted else {
        inner.vault.refuse_draft(&draft.id, draft.event.as_ref())?;
        return Ok(nothing_kept());
    };
    let stored = inner.vault.entry(&row.hash)?;
    let old = stored.fields();
    let mut body = old.body.clone();
    if !asks_for_refusals(&body) {
        inner.vault.refuse_draft(&draft.id, draft.event.as_ref())?;
        return Ok(nothing_kept());
    }
    let open = inner.vault.refusals(&event)?;
    add_refusals(&mut body, open.saturating_add(1));
    let (form, lang): (Option<FormRef>, String) = (old.form.clone(), old.lang.clone());
    let fields = Unsigned {
        form,
        body,
        sup: vec![row.hash],
        provenance: Provenance::SeenByMonitor,
        ..blank(inner, Kind::ArrivalEvent, &lang, reading)
    };
    let saved = save(
        inner,
        vec![fields],
        Some(draft.id),
        Refusals::TakenIn(event),
        None,
        reading,
    )?;
    Ok(SavedView {
        outcome: Outcome::Refused,
        ..saved
    })
}

fn nothing_kept() -> SavedView {
    SavedView {
        outcome: Outcome::Refused,
        record_id: String::new(),
        receipt_code: String::new(),
        case_code: None,
        state: None,
        entries: Vec::new(),
        envelope: String::new(),
    }
}

/// Fields that do not depend on what is recorded.
pub(crate) fn blank(inner: &Inner, kind: Kind, lang: &str, reading: &ClockReading) -> Unsigned {
    Unsigned {
        id: EntryId::from_random(random::make()),
        kind,
        case: None,
        form: None,
        body: Answers::new(),
        sup: Vec::new(),
        aud: inner.aud,
        clock: *reading,
        attachments: Vec::new(),
        consent: None,
        app_version: APP_VERSION.to_owned(),
        role: inner.role,
        provenance: Provenance::Computed,
        lang: lang.to_owned(),
        retention: kind.usual_retention(),
        manifest_serial: inner.manifest_serial,
    }
}

/// Signs, seals and stores one finished form.
pub(crate) fn save(
    inner: &mut Inner,
    run: Vec<Unsigned>,
    draft: Option<EntryId>,
    refusals: Refusals,
    case_code: Option<CaseCode>,
    reading: &ClockReading,
) -> Result<SavedView, FieldError> {
    let mut next: Chain = inner.vault.device()?.next;
    let mut entries = Vec::with_capacity(run.len());
    for fields in run {
        let entry = Entry::sign(fields, next, &inner.keys.signing)?;
        next = entry.next();
        entries.push(entry);
    }
    let bytes: Vec<Vec<u8>> = entries.iter().map(|entry| entry.bytes().to_vec()).collect();
    let sealed = seal_envelope(&bytes, &inner.recipient)?;
    crash_point(inner, Step::Sealed)?;
    let seqs = match (entries.first(), entries.last()) {
        (Some(first), Some(last)) => (first.chain().seq, last.chain().seq),
        _ => return Err(FieldError::internal(305)),
    };
    let pending = Pending {
        seqs,
        digest: sealed.digest,
        bytes: sealed.bytes,
        entries: u32::try_from(entries.len()).unwrap_or(u32::MAX),
        day: reading.day(),
        epoch: inner.epoch,
    };
    inner.vault.save(&Save {
        entries: &entries,
        pending: pending.clone(),
        draft,
        refusals,
    })?;
    crash_point(inner, Step::InVault)?;
    // From here on the record is durable. Whatever fails now is not allowed to look like a failed save.
    let sendable = hand_over(inner, &pending)?;
    let main = entries.last().ok_or(FieldError::internal(305))?;
    Ok(SavedView {
        outcome: if sendable {
            Outcome::Saved
        } else {
            Outcome::SavedCannotSendYet
        },
        record_id: main.fields().id.to_hex(),
        receipt_code: ids::receipt_code(&pending.digest),
        case_code: case_code.map(|code| code.to_text()),
        state: Some(if sendable {
            RecordState::Saved
        } else {
            RecordState::CannotSendYet
        }),
        entries: entries.iter().map(|entry| entry.hash().to_hex()).collect(),
        envelope: pending.digest.to_hex(),
    })
}

/// Gives an envelope to the outbox and forgets it in the vault. `false` if the outbox did not take it.
fn hand_over(inner: &mut Inner, pending: &Pending) -> Result<bool, FieldError> {
    if inner.outbox.put(pending).is_err() {
        return Ok(false);
    }
    crash_point(inner, Step::InOutbox)?;
    // Should this fail, the next sweep puts the same digest again, which changes nothing.
    drop(inner.vault.remove_pending(&pending.digest));
    Ok(true)
}

/// Hands over what a crash or a full disk left between the stores.
pub(crate) fn sweep(inner: &mut Inner) -> Result<(), FieldError> {
    for pending in inner.vault.pending()? {
        hand_over(inner, &pending)?;
    }
    Ok(())
}
