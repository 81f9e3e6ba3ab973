//! The fold: from a grow-only set of entries to events and cases.
//!
//! Owns lineages (what supersedes what) and their heads. The result depends on the set alone: not on the order in
//! which entries arrive, nor on how often. No clock decides anything: the wall clock only orders what is shown.
//! A fold keeps hashes and ids, never answers; whoever shows an answer reads it from the entry.

use std::collections::{BTreeMap, BTreeSet};

use landfall_wire::ids::{CaseId, DeviceId, EntryHash, EventId};

use crate::payload::Payload;
use crate::{CaseCode, Consent, Entry, Kind, Scope, Stored, header};

/// Anything whose payload may be folded: what was verified now, or before it was stored.
pub trait Folded {
    /// Returns the hash.
    fn entry_hash(&self) -> EntryHash;
    /// Returns the payload.
    fn entry_payload(&self) -> &Payload;
}

impl Folded for Entry {
    fn entry_hash(&self) -> EntryHash {
        self.hash()
    }
    fn entry_payload(&self) -> &Payload {
        self.payload()
    }
}

impl Folded for Stored {
    fn entry_hash(&self) -> EntryHash {
        self.hash()
    }
    fn entry_payload(&self) -> &Payload {
        self.payload()
    }
}

impl<T: Folded> Folded for &T {
    fn entry_hash(&self) -> EntryHash {
        (**self).entry_hash()
    }
    fn entry_payload(&self) -> &Payload {
        (**self).entry_payload()
    }
}

/// A record and its corrections. Two records that do not supersede each other are two lineages, side by side.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lineage {
    /// Entries that nothing supersedes. More than one is a conflict, which a person solves with an entry that
    /// supersedes them all.
    pub heads: BTreeSet<EntryHash>,
    /// Entries that are superseded.
    pub superseded: BTreeSet<EntryHash>,
}

impl Lineage {
    /// Tells whether two corrections contradict each other.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        self.heads.len() > 1
    }
}

/// One arrival event: its counts, and the cases that were met there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Event {
    /// The counts, side by side. Which one is taken is a question for whoever reports, not for the fold.
    pub counts: Vec<Lineage>,
    /// Cases with an interview at this event.
    pub cases: BTreeSet<CaseId>,
}

/// One case: everything that carries its id.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Case {
    /// Codes under which it goes: one, unless two devices disagree.
    pub codes: BTreeSet<CaseCode>,
    /// Events at which the person was met.
    pub events: BTreeSet<EventId>,
    /// Lineages by kind, consent aside.
    pub records: BTreeMap<Kind, Vec<Lineage>>,
    /// Lineages of consent.
    pub consents: Vec<Lineage>,
    /// Scopes that hold: granted by a head and refused by none.
    pub granted: BTreeSet<Scope>,
    /// Scopes that a head refuses or withdraws. Refusal wins over a grant beside it.
    pub refused: BTreeSet<Scope>,
}

impl Case {
    /// Tells whether any record of the case has two heads.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        self.consents
            .iter()
            .chain(self.records.values().flatten())
            .any(Lineage::is_conflict)
    }
}

/// Groups entries of one subject and kind into lineages. Superseding counts only inside the given set: an entry of
/// another case or kind cannot make a record disappear.
fn lineages(nodes: &BTreeMap<EntryHash, &Payload>) -> Vec<Lineage> {
    let mut neighbours: BTreeMap<EntryHash, BTreeSet<EntryHash>> = BTreeMap::new();
    let mut superseded = BTreeSet::new();
    for (hash, payload) in nodes {
        for older in payload
            .fields
            .sup
            .iter()
            .filter(|older| nodes.contains_key(*older))
        {
            superseded.insert(*older);
            neighbours.entry(*hash).or_default().insert(*older);
            neighbours.entry(*older).or_default().insert(*hash);
        }
    }
    let mut left: BTreeSet<EntryHash> = nodes.keys().copied().collect();
    let mut found = Vec::new();
    while let Some(start) = left.pop_first() {
        let mut lineage = Lineage {
            heads: BTreeSet::new(),
            superseded: BTreeSet::new(),
        };
        let mut open = vec![start];
        while let Some(hash) = open.pop() {
            if superseded.contains(&hash) {
                lineage.superseded.insert(hash);
            } else {
                lineage.heads.insert(hash);
            }
            for next in neighbours.get(&hash).into_iter().flatten() {
                if left.remove(next) {
                    open.push(*next);
                }
            }
        }
        found.push(lineage);
    }
    found
}

fn by_hash<T: Folded>(entries: &[T]) -> BTreeMap<EntryHash, &Payload> {
    entries
        .iter()
        .map(|entry| (entry.entry_hash(), entry.entry_payload()))
        .collect()
}

fn event_of(payload: &Payload) -> Option<EventId> {
    header::event_id(&payload.fields.body).ok().flatten()
}

/// Folds entries into arrival events. An interview that names an event makes it exist, even before its count came.
#[must_use]
pub fn fold_events<T: Folded>(entries: &[T]) -> BTreeMap<EventId, Event> {
    let mut counts: BTreeMap<EventId, BTreeMap<EntryHash, &Payload>> = BTreeMap::new();
    let mut events: BTreeMap<EventId, Event> = BTreeMap::new();
    for (hash, payload) in by_hash(entries) {
        let Some(event) = event_of(payload) else { continue };
        match payload.fields.kind {
            Kind::ArrivalEvent => {
                counts.entry(event).or_default().insert(hash, payload);
            }
            Kind::Observation => {
                if let Some(case) = payload.fields.case {
                    events.entry(event).or_default().cases.insert(case);
                }
            }
            _ => {}
        }
    }
    for (event, nodes) in counts {
        events.entry(event).or_default().counts = lineages(&nodes);
    }
    events
}

/// Folds entries into cases: every entry that carries a case id belongs to that case.
#[must_use]
pub fn fold_cases<T: Folded>(entries: &[T]) -> BTreeMap<CaseId, Case> {
    let mut sorted: BTreeMap<CaseId, BTreeMap<Kind, BTreeMap<EntryHash, &Payload>>> = BTreeMap::new();
    for (hash, payload) in by_hash(entries) {
        if let Some(case) = payload.fields.case {
            sorted
                .entry(case)
                .or_default()
                .entry(payload.fields.kind)
                .or_default()
                .insert(hash, payload);
        }
    }
    sorted
        .into_iter()
        .map(|(id, kinds)| {
            let mut case = Case::default();
            for payload in kinds.values().flat_map(BTreeMap::values) {
                case.codes
                    .extend(header::case_code(&payload.fields.body).ok().flatten());
                case.events.extend(event_of(payload));
            }
            for (kind, nodes) in kinds {
                let found = lineages(&nodes);
                if kind == Kind::Consent {
                    for head in found.iter().flat_map(|lineage| &lineage.heads) {
                        let body = nodes.get(head).map(|payload| &payload.fields.body);
                        if let Some(Ok(consent)) = body.map(Consent::from_body) {
                            case.granted.extend(consent.granted);
                            case.refused.extend(consent.refused);
                        }
                    }
                    case.consents = found;
                } else {
                    case.records.insert(kind, found);
                }
            }
            let refused = case.refused.clone();
            case.granted.retain(|scope| !refused.contains(scope));
            (id, case)
        })
        .collect()
}

/// Finds codes that more than one case goes by. They stay two cases, and are shown as such (domain 1.5(9)).
#[must_use]
pub fn shared_codes(cases: &BTreeMap<CaseId, Case>) -> BTreeMap<CaseCode, BTreeSet<CaseId>> {
    let mut found: BTreeMap<CaseCode, BTreeSet<CaseId>> = BTreeMap::new();
    for (id, case) in cases {
        for code in &case.codes {
            found.entry(*code).or_default().insert(*id);
        }
    }
    found.retain(|_, ids| ids.len() > 1);
    found
}

/// Finds numbers that a device has used twice: it was cloned or restored from a copy. Both entries are kept.
#[must_use]
pub fn forks<T: Folded>(entries: &[T]) -> BTreeMap<(DeviceId, u64), BTreeSet<EntryHash>> {
    let mut found: BTreeMap<(DeviceId, u64), BTreeSet<EntryHash>> = BTreeMap::new();
    for (hash, payload) in by_hash(entries) {
        found
            .entry((payload.chain.dev, payload.chain.seq))
            .or_default()
            .insert(hash);
    }
    found.retain(|_, hashes| hashes.len() > 1);
    found
}

/// Returns the entries in the order in which they are shown: by wall clock across devices, by number within one.
/// Never used to decide anything.
#[must_use]
pub fn order_shown<T: Folded>(entries: &[T]) -> Vec<EntryHash> {
    let mut devices: BTreeMap<DeviceId, Vec<(u64, i64, EntryHash)>> = BTreeMap::new();
    for (hash, payload) in by_hash(entries) {
        let row = (payload.chain.seq, payload.fields.clock.wall_s, hash);
        devices.entry(payload.chain.dev).or_default().push(row);
    }
    let mut shown = Vec::new();
    for (device, mut rows) in devices {
        rows.sort_unstable();
        // A clock that was set back must not turn a device's own order round.
        let mut latest = i64::MIN;
        for (seq, wall_s, hash) in rows {
            latest = latest.max(wall_s);
            shown.push((latest, device, seq, hash));
        }
    }
    shown.sort_unstable();
    shown.into_iter().map(|(_, _, _, hash)| hash).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;
    use crate::Unsigned;
    use crate::testing::{TestKey, at, chain, consent, event, interview, start, tally};
    use proptest::prelude::*;

    #[test]
    fn counts_stand_side_by_side_unless_one_supersedes() {
        let amina = chain(&TestKey(1), vec![tally(1, 7)]);
        let joseph = chain(&TestKey(2), vec![tally(2, 7)]);
        let both = [amina[0].clone(), joseph[0].clone()];
        let folded = fold_events(&both);
        assert_eq!(folded[&event(7)].counts.len(), 2);

        let mut correction = tally(3, 7);
        correction.sup = vec![amina[0].hash()];
        let correction = Entry::sign(correction, amina[0].next(), &TestKey(1)).unwrap();
        let all = [both[0].clone(), both[1].clone(), correction.clone()];
        let counts = &fold_events(&all)[&event(7)].counts;
        assert_eq!(counts.len(), 2);
        let corrected = counts
            .iter()
            .find(|lineage| !lineage.superseded.is_empty())
            .unwrap();
        assert_eq!(corrected.heads, [correction.hash()].into());
        assert!(!corrected.is_conflict());
    }

    #[test]
    fn two_corrections_of_one_count_are_a_conflict_that_a_third_solves() {
        let first = Entry::sign(tally(1, 7), start(&TestKey(1)), &TestKey(1)).unwrap();
        let correct = |n: u64, key: u8, sup: Vec<EntryHash>| {
            let mut fields = tally(n, 7);
            fields.sup = sup;
            Entry::sign(fields, start(&TestKey(key)), &TestKey(key)).unwrap()
        };
        let a = correct(2, 2, vec![first.hash()]);
        let b = correct(3, 3, vec![first.hash()]);
        let set = vec![first.clone(), a.clone(), b.clone()];
        assert!(fold_events(&set)[&event(7)].counts[0].is_conflict());
        let solved = correct(4, 4, vec![a.hash(), b.hash()]);
        let set = vec![first, a, b, solved];
        let counts = &fold_events(&set)[&event(7)].counts;
        assert_eq!((counts.len(), counts[0].is_conflict()), (1, false));
    }

    #[test]
    fn an_entry_of_another_event_or_case_supersedes_nothing_here() {
        let first = Entry::sign(tally(1, 7), start(&TestKey(1)), &TestKey(1)).unwrap();
        let mut foreign = tally(2, 8);
        foreign.sup = vec![first.hash()];
        let foreign = Entry::sign(foreign, start(&TestKey(2)), &TestKey(2)).unwrap();
        let folded = fold_events(&[first.clone(), foreign]);
        assert_eq!(folded[&event(7)].counts[0].heads, [first.hash()].into());
    }

    #[test]
    fn a_case_is_what_carries_its_id_and_refusal_wins() {
        let run = vec![
            consent(1, 4, &[Scope::Record, Scope::Contact], &[]),
            interview(2, 4, 7),
            consent(3, 4, &[], &[Scope::Contact]),
            interview(4, 5, 7),
        ];
        let entries = chain(&TestKey(1), run);
        let cases = fold_cases(&entries);
        assert_eq!(cases.len(), 2);
        let case = &cases[&landfall_wire::ids::CaseId::from_bytes([4; 16])];
        assert_eq!(case.granted, [Scope::Record].into());
        assert_eq!(case.refused, [Scope::Contact].into());
        assert_eq!(case.consents.len(), 2);
        assert_eq!(case.events, [event(7)].into());
        assert_eq!(case.codes.len(), 1);
        assert_eq!(fold_events(&entries)[&event(7)].cases.len(), 2);
        assert!(fold_events(&entries)[&event(7)].counts.is_empty());
    }

    #[test]
    fn shared_codes_and_forks_are_shown() {
        let mut twin = interview(2, 5, 7);
        header::set_case_code(&mut twin.body, &CaseCode::from_random([4; 5]));
        let entries = chain(&TestKey(1), vec![interview(1, 4, 7), twin]);
        assert_eq!(shared_codes(&fold_cases(&entries)).len(), 1);
        assert!(forks(&entries).is_empty());
        let cloned = Entry::sign(tally(9, 7), entries[0].next(), &TestKey(1)).unwrap();
        let forked = [entries[0].clone(), entries[1].clone(), cloned];
        assert_eq!(forks(&forked).values().next().unwrap().len(), 2);
    }

    #[test]
    fn a_clock_set_back_does_not_turn_a_devices_order_round() {
        let mut late = tally(1, 7);
        late.clock = at(1_763_822_400);
        let mut set_back = tally(2, 8);
        set_back.clock = at(1_000_000_000);
        let entries = chain(&TestKey(1), vec![late, set_back]);
        assert_eq!(order_shown(&entries), [entries[0].hash(), entries[1].hash()]);
    }

    /// Builds a set with random superseding over three devices and two events and cases.
    fn world(plan: &[(u8, u8, u8, Vec<usize>)]) -> Vec<Entry> {
        let mut heads: BTreeMap<u8, crate::Chain> = BTreeMap::new();
        let mut entries: Vec<Entry> = Vec::new();
        for (n, (device, what, subject, older)) in plan.iter().enumerate() {
            let n = u64::try_from(n).unwrap();
            let key = TestKey(device % 3 + 1);
            let subject = subject % 2 + 1;
            let mut fields: Unsigned = match what % 3 {
                0 => tally(n, subject),
                1 => interview(n, subject, subject),
                _ => consent(n, subject, &[Scope::Record], &[Scope::Contact]),
            };
            let mut sup: Vec<EntryHash> = older
                .iter()
                .filter_map(|place| entries.get(*place).map(Entry::hash))
                .collect();
            sup.sort_unstable();
            sup.dedup();
            fields.sup = sup;
            let chain = heads.get(&key.0).copied().unwrap_or_else(|| start(&key));
            let entry = Entry::sign(fields, chain, &key).unwrap();
            heads.insert(key.0, entry.next());
            entries.push(entry);
        }
        entries
    }

    proptest! {
        #[test]
        fn the_fold_knows_neither_order_nor_repetition(
            plan in proptest::collection::vec(
                (any::<u8>(), any::<u8>(), any::<u8>(), proptest::collection::vec(0usize..12, 0..3)), 0..12),
            seed in any::<u64>(),
            twice in any::<u8>(),
        ) {
            let entries = world(&plan);
            let mut shuffled: Vec<Entry> = entries.clone();
            // A shuffle that the seed repeats.
            let mut state = seed | 1;
            for place in (1..shuffled.len()).rev() {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let other = usize::try_from(state >> 33).unwrap() % (place + 1);
                shuffled.swap(place, other);
            }
            if let Some(entry) = shuffled.get(usize::from(twice)).cloned() {
                shuffled.push(entry);
            }
            prop_assert_eq!(fold_events(&entries), fold_events(&shuffled));
            prop_assert_eq!(fold_cases(&entries), fold_cases(&shuffled));
            prop_assert_eq!(order_shown(&entries), order_shown(&shuffled));
            // Nothing is lost: every count is a head or superseded, exactly once.
            let counted: usize = fold_events(&entries).values()
                .flat_map(|event| &event.counts)
                .map(|lineage| lineage.heads.len() + lineage.superseded.len())
                .sum();
            let tallies = entries.iter().filter(|entry| entry.fields().kind == Kind::ArrivalEvent).count();
            prop_assert_eq!(counted, tallies);
            // Every lineage keeps a head: nothing can be superseded into nothing.
            for event in fold_events(&entries).values() {
                prop_assert!(event.counts.iter().all(|lineage| !lineage.heads.is_empty()));
            }
        }
    }
}
