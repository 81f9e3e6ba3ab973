//! What every engine must do, as one macro run over each of them.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use landfall_wire::hub::{AdminOutcome, AdminRequest, Carried, Presence, PutAnswer, Right};
use landfall_wire::ids::{CapHash, Digest, GroupId, MailboxId};

use super::{Grant, ItemKind, Put, Store};
use crate::Error;
use crate::limits::Limits;

/// Runs every test of this module over the engine that `$fresh` makes: an async function that returns the
/// store and whatever keeps its place alive.
macro_rules! conformance {
    ($fresh:path) => {
        $crate::store::suite::conformance!($fresh: puts_have_three_answers, again_stores_once_more,
            pages_resume_and_end, quotas_refuse_without_a_trace, rights_have_a_place,
            what_was_revoked_stays_revoked, a_closed_mailbox_can_be_emptied, the_old_goes_and_is_counted,
            slices_are_named_and_fetched, nothing_is_skipped_and_nothing_comes_twice,
            a_refusal_takes_nothing_with_it);
    };
    ($fresh:path: $($name:ident),* $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let (store, _place) = $fresh().await;
                $crate::store::suite::$name(store).await;
            }
        )*
    };
}
pub(crate) use conformance;

const DAY: u32 = 20_000;

pub(crate) fn mailbox(n: u8) -> MailboxId {
    MailboxId::from_bytes([n; 16])
}

fn hash(n: u8) -> CapHash {
    CapHash::from_bytes([n; 32])
}

pub(crate) async fn with_mailbox<S: Store>(store: &S, n: u8) -> MailboxId {
    let id = mailbox(n);
    store
        .administer(AdminRequest::Mailbox {
            mailbox: id,
            group: None,
        })
        .await
        .unwrap();
    id
}

fn a_put(mailbox: MailboxId, bytes: &[u8]) -> Put {
    Put {
        mailbox,
        digest: Digest::of(bytes),
        bytes: bytes.to_vec(),
        kind: ItemKind::Envelope,
        again: false,
        capability: hash(1),
        day: DAY,
    }
}

async fn put<S: Store>(store: &S, mailbox: MailboxId, bytes: &[u8]) -> PutAnswer {
    store.put(a_put(mailbox, bytes), Limits::default()).await.unwrap()
}

pub(crate) async fn puts_have_three_answers<S: Store>(store: S) {
    let mbx = with_mailbox(&store, 1).await;
    let other = with_mailbox(&store, 2).await;
    let digest = Digest::of(b"a");
    let asked = vec![digest, Digest::of(b"never")];
    assert_eq!(
        store.have(mbx, asked.clone()).await.unwrap(),
        [Presence::Absent; 2]
    );
    assert_eq!(put(&store, mbx, b"a").await, PutAnswer::New);
    assert_eq!(put(&store, mbx, b"a").await, PutAnswer::Held);
    assert_eq!(
        store.have(mbx, asked.clone()).await.unwrap(),
        [Presence::Held, Presence::Absent]
    );
    assert_eq!(
        store.have(other, asked.clone()).await.unwrap(),
        [Presence::Absent; 2]
    );
    assert_eq!(store.ack(mbx, asked.clone(), DAY).await.unwrap(), 1);
    assert_eq!(store.ack(mbx, asked.clone(), DAY).await.unwrap(), 0);
    assert_eq!(put(&store, mbx, b"a").await, PutAnswer::Acked);
    assert_eq!(
        store.have(mbx, asked).await.unwrap(),
        [Presence::Acked, Presence::Absent]
    );
    assert!(store.page(mbx, 0, 10).await.unwrap().items.is_empty());
    let nowhere = store.put(a_put(mailbox(9), b"a"), Limits::default()).await;
    assert_eq!(nowhere, Err(Error::NoMailbox));
    assert_eq!(store.page(mailbox(9), 0, 1).await, Err(Error::NoMailbox));
    let stats = store.stats().await.unwrap();
    assert_eq!((stats.items, stats.bytes, stats.tombstones), (0, 0, 1));
}

pub(crate) async fn again_stores_once_more<S: Store>(store: S) {
    let mbx = with_mailbox(&store, 1).await;
    put(&store, mbx, b"a").await;
    let again = || Put {
        again: true,
        ..a_put(mbx, b"a")
    };
    assert_eq!(
        store.put(again(), Limits::default()).await.unwrap(),
        PutAnswer::Held
    );
    store.ack(mbx, vec![Digest::of(b"a")], DAY).await.unwrap();
    assert_eq!(
        store.put(again(), Limits::default()).await.unwrap(),
        PutAnswer::New
    );
    assert_eq!(
        store.have(mbx, vec![Digest::of(b"a")]).await.unwrap(),
        [Presence::Held]
    );
    let page = store.page(mbx, 1, 10).await.unwrap();
    assert_eq!(
        page.items.len(),
        1,
        "a reader whose cursor passed the first one sees the second"
    );
    assert_eq!(page.items[0].seq, 2);
    assert_eq!(store.stats().await.unwrap().tombstones, 0);
}

pub(crate) async fn pages_resume_and_end<S: Store>(store: S) {
    let mbx = with_mailbox(&store, 1).await;
    assert_eq!(store.page(mbx, 0, 10).await.unwrap().next, 0);
    for n in 0..25u8 {
        put(&store, mbx, &[n]).await;
    }
    let mut after = 0;
    let mut seen = Vec::new();
    loop {
        let page = store.page(mbx, after, 10).await.unwrap();
        if page.items.is_empty() {
            assert_eq!(page.next, after);
            break;
        }
        assert!(page.items.len() <= 10);
        after = page.next;
        seen.extend(page.items.into_iter().map(|item| item.carried));
    }
    let expected: Vec<Carried> = (0..25u8).map(|n| Carried::Envelope(vec![n])).collect();
    assert_eq!(seen, expected);
    let beyond = store.page(mbx, 1_000, 10).await.unwrap();
    assert_eq!(
        (beyond.next, beyond.items.len()),
        (25, 0),
        "a cursor from the future is told so"
    );
    // A page ends at its weight.
    let wide = with_mailbox(&store, 2).await;
    for n in 0..80u8 {
        let bytes = vec![n; 64 * 1024];
        put(&store, wide, &bytes).await;
    }
    assert_eq!(store.page(wide, 0, 256).await.unwrap().items.len(), 64);
}

pub(crate) async fn quotas_refuse_without_a_trace<S: Store>(store: S) {
    let mbx = with_mailbox(&store, 1).await;
    let other = with_mailbox(&store, 2).await;
    let few = Limits {
        day_items: 2,
        ..Limits::default()
    };
    for bytes in [b"a", b"b"] {
        assert_eq!(store.put(a_put(mbx, bytes), few).await, Ok(PutAnswer::New));
    }
    assert_eq!(store.put(a_put(mbx, b"c"), few).await, Err(Error::DayQuota));
    assert_eq!(
        store.put(a_put(mbx, b"a"), few).await,
        Ok(PutAnswer::Held),
        "what is there costs nothing"
    );
    let tomorrow = Put {
        day: DAY + 1,
        ..a_put(mbx, b"c")
    };
    assert_eq!(store.put(tomorrow, few).await, Ok(PutAnswer::New));
    let another = Put {
        capability: hash(2),
        ..a_put(mbx, b"d")
    };
    assert_eq!(store.put(another, few).await, Ok(PutAnswer::New));

    let narrow = Limits {
        day_bytes: 10,
        ..Limits::default()
    };
    let by = |n, bytes: &[u8]| Put {
        capability: hash(n),
        ..a_put(other, bytes)
    };
    assert_eq!(store.put(by(3, &[1; 8]), narrow).await, Ok(PutAnswer::New));
    assert_eq!(store.put(by(3, &[2; 8]), narrow).await, Err(Error::DayQuota));

    let full = Limits {
        mailbox_bytes: 12,
        ..Limits::default()
    };
    assert_eq!(store.put(by(4, &[3; 8]), full).await, Err(Error::Full));
    assert_eq!(store.put(by(4, &[3; 4]), full).await, Ok(PutAnswer::New));
    store.ack(other, vec![Digest::of(&[1; 8])], DAY).await.unwrap();
    assert_eq!(
        store.put(by(4, &[3; 8]), full).await,
        Ok(PutAnswer::New),
        "an ack gives room back"
    );
    let ceiling = Limits {
        hub_bytes: 16,
        ..Limits::default()
    };
    assert_eq!(store.put(by(5, b"x"), ceiling).await, Err(Error::Full));
    let page = store.page(mbx, 0, 10).await.unwrap();
    let seqs: Vec<u64> = page.items.iter().map(|item| item.seq).collect();
    assert_eq!(seqs, [1, 2, 3, 4], "a refused put takes no place");
}

pub(crate) async fn rights_have_a_place<S: Store>(store: S) {
    let group = GroupId::from_bytes([7; 16]);
    let inbox = with_mailbox(&store, 1).await;
    let downlink = mailbox(2);
    let grouped = AdminRequest::Mailbox {
        mailbox: downlink,
        group: Some(group),
    };
    assert_eq!(store.administer(grouped).await, Ok(AdminOutcome::Changed));
    assert_eq!(store.administer(grouped).await, Ok(AdminOutcome::Unchanged));
    let moved = AdminRequest::Mailbox {
        mailbox: downlink,
        group: None,
    };
    assert_eq!(store.administer(moved).await, Err(Error::Conflict));

    assert_eq!(store.grant(hash(1), Some(inbox)).await, Ok(None));
    let write = AdminRequest::register(hash(1), Right::Write, inbox);
    assert_eq!(store.administer(write).await, Ok(AdminOutcome::Changed));
    assert_eq!(store.administer(write).await, Ok(AdminOutcome::Unchanged));
    let wider = AdminRequest::register(hash(1), Right::Read, inbox);
    assert_eq!(store.administer(wider).await, Err(Error::Conflict));
    let nowhere = AdminRequest::register(hash(8), Right::Read, mailbox(9));
    assert_eq!(store.administer(nowhere).await, Err(Error::NoMailbox));
    let all = AdminRequest::register_group(hash(2), group);
    assert_eq!(store.administer(all).await, Ok(AdminOutcome::Changed));

    let grant = |right, here| Ok(Some(Grant { right, here }));
    assert_eq!(store.grant(hash(1), Some(inbox)).await, grant(Right::Write, true));
    assert_eq!(
        store.grant(hash(1), Some(downlink)).await,
        grant(Right::Write, false)
    );
    assert_eq!(
        store.grant(hash(2), Some(downlink)).await,
        grant(Right::Write, true)
    );
    assert_eq!(
        store.grant(hash(2), Some(inbox)).await,
        grant(Right::Write, false)
    );
    assert_eq!(
        store.grant(hash(2), Some(mailbox(9))).await,
        grant(Right::Write, false)
    );
    assert_eq!(store.grant(hash(1), None).await, grant(Right::Write, false));
}

pub(crate) async fn what_was_revoked_stays_revoked<S: Store>(store: S) {
    let mbx = with_mailbox(&store, 1).await;
    let register = AdminRequest::register(hash(1), Right::Write, mbx);
    store.administer(register).await.unwrap();
    let revoke = AdminRequest::Revoke { hash: hash(1) };
    assert_eq!(store.administer(revoke).await, Ok(AdminOutcome::Changed));
    assert_eq!(store.administer(revoke).await, Ok(AdminOutcome::Unchanged));
    assert_eq!(store.grant(hash(1), Some(mbx)).await, Ok(None));
    assert_eq!(store.administer(register).await, Err(Error::Revoked));
    // Also before it was ever registered: bundles may come in any order.
    store
        .administer(AdminRequest::Revoke { hash: hash(2) })
        .await
        .unwrap();
    let late = AdminRequest::register(hash(2), Right::Write, mbx);
    assert_eq!(store.administer(late).await, Err(Error::Revoked));
}

pub(crate) async fn a_closed_mailbox_can_be_emptied<S: Store>(store: S) {
    let mbx = with_mailbox(&store, 1).await;
    put(&store, mbx, b"a").await;
    let close = AdminRequest::Close { mailbox: mbx };
    assert_eq!(store.administer(close).await, Ok(AdminOutcome::Changed));
    assert_eq!(store.administer(close).await, Ok(AdminOutcome::Unchanged));
    assert_eq!(
        store.put(a_put(mbx, b"b"), Limits::default()).await,
        Err(Error::Closed)
    );
    assert_eq!(
        store.put(a_put(mbx, b"a"), Limits::default()).await,
        Ok(PutAnswer::Held)
    );
    assert_eq!(store.page(mbx, 0, 10).await.unwrap().items.len(), 1);
    assert_eq!(store.ack(mbx, vec![Digest::of(b"a")], DAY).await, Ok(1));
}

pub(crate) async fn the_old_goes_and_is_counted<S: Store>(store: S) {
    let mbx = with_mailbox(&store, 1).await;
    for n in 0..700u16 {
        let old = Put {
            capability: hash(2),
            ..a_put(mbx, &n.to_be_bytes())
        };
        store.put(old, Limits::default()).await.unwrap();
    }
    let new = Put {
        day: DAY + 1,
        ..a_put(mbx, b"new")
    };
    store.put(new, Limits::default()).await.unwrap();
    store
        .ack(mbx, vec![Digest::of(&0u16.to_be_bytes())], DAY)
        .await
        .unwrap();
    let early = store.sweep(DAY + 59, 60).await.unwrap();
    assert_eq!((early.expired, early.tombstones), (0, 0));
    let swept = store.sweep(DAY + 60, 60).await.unwrap();
    assert_eq!((swept.expired, swept.tombstones), (699, 1));
    let page = store.page(mbx, 0, 10).await.unwrap();
    assert_eq!((page.expired, page.items.len()), (699, 1));
    assert_eq!(page.items[0].carried, Carried::Envelope(b"new".to_vec()));
    assert_eq!(store.stats().await.unwrap().bytes, 3);
    assert_eq!(
        put(&store, mbx, &1u16.to_be_bytes()).await,
        PutAnswer::New,
        "the phone still has it"
    );
}

pub(crate) async fn slices_are_named_and_fetched<S: Store>(store: S) {
    let mbx = with_mailbox(&store, 1).await;
    let bytes = vec![5; 128 * 1024];
    let slice = Put {
        kind: ItemKind::Slice,
        ..a_put(mbx, &bytes)
    };
    let digest = slice.digest;
    assert_eq!(store.put(slice, Limits::default()).await, Ok(PutAnswer::New));
    put(&store, mbx, b"a").await;
    let page = store.page(mbx, 0, 10).await.unwrap();
    assert_eq!(page.items[0].carried, Carried::Slice { size: 128 * 1024 });
    assert_eq!(page.items[1].carried, Carried::Envelope(b"a".to_vec()));
    assert_eq!(store.slice(mbx, digest).await.unwrap(), Some(bytes));
    assert_eq!(store.slice(mbx, Digest::of(b"a")).await.unwrap(), None);
    assert_eq!(store.ack(mbx, vec![digest], DAY).await, Ok(1));
    assert_eq!(store.slice(mbx, digest).await.unwrap(), None);
}

/// Protocol test F7, small: 8 writers with 200 puts each, some twice, under a reader that follows.
pub(crate) async fn nothing_is_skipped_and_nothing_comes_twice<S: Store>(store: S) {
    const WRITERS: u8 = 8;
    const PUTS: u16 = 200;
    let mbx = with_mailbox(&store, 1).await;
    let mut writers = Vec::new();
    for writer in 0..WRITERS {
        let store = store.clone();
        writers.push(tokio::spawn(async move {
            for n in 0..PUTS {
                let bytes = [&[writer][..], &n.to_be_bytes()].concat();
                let put = || Put {
                    capability: hash(writer),
                    ..a_put(mbx, &bytes)
                };
                assert_eq!(store.put(put(), Limits::default()).await, Ok(PutAnswer::New));
                if n % 16 == 0 {
                    assert_eq!(store.put(put(), Limits::default()).await, Ok(PutAnswer::Held));
                }
            }
        }));
    }
    let all = usize::from(WRITERS) * usize::from(PUTS);
    let mut seen = BTreeSet::new();
    let mut after = 0;
    let mut empty_at_the_end = false;
    while !(empty_at_the_end && seen.len() >= all) {
        let done = writers.iter().all(tokio::task::JoinHandle::is_finished);
        let page = store.page(mbx, after, 7).await.unwrap();
        for item in &page.items {
            assert_eq!(item.seq, after + 1, "no hole was ever visible");
            after = item.seq;
            assert!(seen.insert(item.digest), "twice");
        }
        if done && page.items.is_empty() {
            assert_eq!(seen.len(), all, "skipped");
            empty_at_the_end = true;
        }
    }
    for writer in writers {
        writer.await.unwrap();
    }
}

/// Writers that share a commit do not share a refusal.
pub(crate) async fn a_refusal_takes_nothing_with_it<S: Store>(store: S) {
    let mbx = with_mailbox(&store, 1).await;
    let narrow = Limits {
        day_items: 10,
        rate: NonZeroU32::MIN,
        ..Limits::default()
    };
    let mut tasks = Vec::new();
    for n in 0..100u8 {
        let store = store.clone();
        tasks.push(tokio::spawn(async move {
            let put = Put {
                capability: hash(n % 2),
                ..a_put(mbx, &[n])
            };
            (n, store.put(put, narrow).await)
        }));
    }
    let mut kept = BTreeSet::new();
    for task in tasks {
        match task.await.unwrap() {
            (n, Ok(PutAnswer::New)) => assert!(kept.insert(Digest::of(&[n]))),
            (_, Err(Error::DayQuota)) => {}
            other => panic!("{other:?}"),
        }
    }
    let page = store.page(mbx, 0, 256).await.unwrap();
    let there: BTreeSet<Digest> = page.items.iter().map(|item| item.digest).collect();
    assert_eq!((kept.len(), there), (20, kept));
}
