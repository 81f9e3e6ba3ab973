//! The routes from outside, good and bad requests: every refusal is a problem document and changes nothing.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod common;

use std::num::NonZeroU32;
use std::sync::Arc;

use common::{DOWNLINK, INBOX, ask, cap, put, raw, set_up};
use landfall_hub::{Config, Limits, Running, StoreUrl};
use landfall_wire::clock::TestClock;
use landfall_wire::hub::{self, Presence, Problem, ProblemKind, path};
use landfall_wire::ids::{Capability, Digest, MailboxId};

struct Hub {
    running: Running,
    admin: Capability,
    clock: Arc<TestClock>,
    folder: tempfile::TempDir,
}

fn start(limits: Limits) -> Hub {
    let folder = tempfile::tempdir().unwrap();
    let store = StoreUrl::Sqlite(folder.path().join("hub.db"));
    let clock = Arc::new(TestClock::at(1_780_315_200));
    let (_, admin) = landfall_hub::init(&store, &*clock).unwrap();
    let config = Config {
        listen: "127.0.0.1:0".parse().unwrap(),
        store,
        limits,
        clock: Arc::clone(&clock) as _,
    };
    let running = landfall_hub::serve(config).unwrap();
    set_up(running.addr(), &admin);
    Hub {
        running,
        admin,
        clock,
        folder,
    }
}

#[track_caller]
fn refused(reply: Option<common::Reply>, kind: ProblemKind) {
    let reply = reply.unwrap();
    let problem = Problem::decode(reply.status, &reply.body);
    assert_eq!(
        problem.ok().and_then(|problem| problem.known()),
        Some(kind),
        "{reply:?}"
    );
    assert_eq!(reply.header("content-type"), Some("application/problem+json"));
}

#[test]
fn an_envelope_goes_in_and_comes_out() {
    let hub = start(Limits::default());
    let addr = hub.running.addr();
    let digest = Digest::of(b"sealed");
    let reply = put(addr, &INBOX, &cap(1), b"sealed").unwrap();
    assert_eq!((reply.status, &reply.body[..]), (201, &b"new"[..]));
    let epoch = reply.header("landfall-store-epoch").unwrap().to_owned();
    assert_eq!(epoch.len(), 32);
    let reply = put(addr, &INBOX, &cap(1), b"sealed").unwrap();
    assert_eq!((reply.status, &reply.body[..]), (200, &b"held"[..]));

    let page = ask(addr, "GET", &path::page(&INBOX, 0, 10), Some(&cap(2)), b"").unwrap();
    assert_eq!(
        (
            page.status,
            page.header("landfall-next"),
            page.header("landfall-expired")
        ),
        (200, Some("1"), Some("0"))
    );
    assert_eq!(page.header("landfall-store-epoch"), Some(epoch.as_str()));
    assert_eq!(hub::decode_page_items(&page.body, 0).unwrap().len(), 1);

    let list = hub::encode_digests(&[digest, Digest::of(b"other")]);
    let reply = ask(addr, "POST", &path::ack(&INBOX), Some(&cap(2)), &list).unwrap();
    assert_eq!((reply.status, &reply.body[..]), (200, &br#"{"deleted":1}"#[..]));
    let reply = ask(addr, "POST", &path::have(&INBOX), Some(&cap(1)), &list).unwrap();
    assert_eq!(
        hub::decode_presences(&reply.body, 2).unwrap(),
        [Presence::Acked, Presence::Absent]
    );
    assert_eq!(put(addr, &INBOX, &cap(1), b"sealed").unwrap().body, b"acked");
    let again = ask(
        addr,
        "PUT",
        &path::envelope(&INBOX, &digest, true),
        Some(&cap(1)),
        b"sealed",
    )
    .unwrap();
    assert_eq!(again.status, 201);
    // A group's capability reaches the downlink, and only that.
    assert_eq!(put(addr, &DOWNLINK, &cap(4), b"control").unwrap().status, 201);
    refused(put(addr, &INBOX, &cap(4), b"control"), ProblemKind::Forbidden);
    let health = ask(addr, "GET", path::HEALTH, None, b"").unwrap();
    assert_eq!(
        health.body,
        format!(r#"{{"v":1,"service":"landfall-hub","store_epoch":"{epoch}"}}"#).as_bytes()
    );
}

#[test]
fn a_slice_is_fetched_by_digest() {
    let hub = start(Limits::default());
    let addr = hub.running.addr();
    let bytes = vec![7; hub::SLICE_LIMIT];
    let at = path::slice(&INBOX, &Digest::of(&bytes));
    assert_eq!(ask(addr, "PUT", &at, Some(&cap(1)), &bytes).unwrap().status, 201);
    assert_eq!(ask(addr, "GET", &at, Some(&cap(2)), b"").unwrap().body, bytes);
    refused(ask(addr, "GET", &at, Some(&cap(1)), b""), ProblemKind::Forbidden);
    refused(
        ask(
            addr,
            "GET",
            &path::slice(&INBOX, &Digest::of(b"x")),
            Some(&cap(2)),
            b"",
        ),
        ProblemKind::NotFound,
    );
    let large = vec![7; hub::SLICE_LIMIT + 1];
    refused(
        ask(
            addr,
            "PUT",
            &path::slice(&INBOX, &Digest::of(&large)),
            Some(&cap(1)),
            &large,
        ),
        ProblemKind::TooLarge,
    );
}

#[test]
fn every_bad_request_is_refused_by_name_and_changes_nothing() {
    use ProblemKind::{
        BadRequest, DigestMismatch, Forbidden, MethodNotAllowed, NotFound, TooLarge, Unauthorized,
    };
    let hub = start(Limits::default());
    let addr = hub.running.addr();
    let digest = Digest::of(b"a");
    let good = path::envelope(&INBOX, &digest, false);
    let write = cap(1);

    refused(ask(addr, "PUT", &good, None, b"a"), Unauthorized);
    refused(ask(addr, "PUT", &good, Some(&cap(99)), b"a"), Unauthorized);
    refused(ask(addr, "PUT", &good, Some(&cap(2)), b"a"), Forbidden);
    refused(ask(addr, "PUT", &good, Some(&hub.admin), b"a"), Forbidden);
    let nowhere = MailboxId::from_bytes([9; 16]);
    refused(
        ask(
            addr,
            "PUT",
            &path::envelope(&nowhere, &digest, false),
            Some(&write),
            b"a",
        ),
        Forbidden,
    );
    refused(
        ask(addr, "GET", &path::page(&INBOX, 0, 1), Some(&write), b""),
        Forbidden,
    );
    refused(
        ask(
            addr,
            "POST",
            &path::ack(&INBOX),
            Some(&write),
            &hub::encode_digests(&[]),
        ),
        Forbidden,
    );
    refused(
        ask(
            addr,
            "POST",
            &path::have(&INBOX),
            Some(&cap(2)),
            &hub::encode_digests(&[]),
        ),
        Forbidden,
    );
    refused(ask(addr, "POST", path::ADMIN_CAP, Some(&write), b"{}"), Forbidden);

    refused(ask(addr, "PUT", &good, Some(&write), b"b"), DigestMismatch);
    refused(ask(addr, "PUT", &good, Some(&write), b""), BadRequest);
    let large = vec![0; hub::ENVELOPE_LIMIT + 1];
    refused(
        ask(
            addr,
            "PUT",
            &path::envelope(&INBOX, &Digest::of(&large), false),
            Some(&write),
            &large,
        ),
        TooLarge,
    );
    refused(
        ask(
            addr,
            "PUT",
            &good
                .to_uppercase()
                .replace("/V1/M/", "/v1/m/")
                .replace("/E/", "/e/"),
            Some(&write),
            b"a",
        ),
        BadRequest,
    );
    refused(
        ask(addr, "PUT", &format!("{good}0"), Some(&write), b"a"),
        BadRequest,
    );
    refused(
        ask(addr, "PUT", "/v1/m/%ff/e/%00", Some(&write), b"a"),
        BadRequest,
    );
    for query in ["?again=2", "?again", "?again=1&again=1", "?force=1"] {
        refused(
            ask(addr, "PUT", &format!("{good}{query}"), Some(&write), b"a"),
            BadRequest,
        );
    }
    for query in [
        "?after=-1",
        "?after=x",
        "?limit=0",
        "?after=1&after=2",
        "?after=18446744073709551616",
    ] {
        refused(
            ask(addr, "GET", &format!("/v1/m/{INBOX}{query}"), Some(&cap(2)), b""),
            BadRequest,
        );
    }
    let far = ask(addr, "GET", &path::page(&INBOX, u64::MAX, 1), Some(&cap(2)), b"").unwrap();
    assert_eq!((far.status, far.header("landfall-next")), (200, Some("0")));

    for body in [
        &b""[..],
        b"\x80\x00",
        b"\x9f\xff",
        b"\x81\x41\x00",
        b"\xff",
        b"\xbb\xff\xff\xff\xff\xff\xff\xff\xff",
        &[0x81; 5_000],
    ] {
        refused(
            ask(addr, "POST", &path::have(&INBOX), Some(&write), body),
            BadRequest,
        );
        refused(
            ask(addr, "POST", &path::ack(&INBOX), Some(&cap(2)), body),
            BadRequest,
        );
    }
    let many = hub::encode_digests(&vec![digest; hub::DIGESTS_LIMIT + 1]);
    refused(
        ask(addr, "POST", &path::have(&INBOX), Some(&write), &many),
        TooLarge,
    );

    for body in [
        &b"{}"[..],
        b"",
        b"[",
        br#"{"op":"register","hash":"00","right":"read"}"#,
        &[b'['; 4_000],
    ] {
        refused(
            ask(addr, "POST", path::ADMIN_CAP, Some(&hub.admin), body),
            BadRequest,
        );
    }
    refused(
        ask(addr, "DELETE", "/v1/admin/cap/00", Some(&hub.admin), b""),
        BadRequest,
    );
    let own = path::cap(&hub.admin.hash());
    refused(
        ask(addr, "DELETE", &own, Some(&hub.admin), b""),
        ProblemKind::Conflict,
    );

    refused(ask(addr, "GET", "/", None, b""), NotFound);
    refused(ask(addr, "GET", "/metrics", None, b""), NotFound);
    refused(ask(addr, "GET", &good, Some(&cap(2)), b""), MethodNotAllowed);
    refused(ask(addr, "DELETE", &good, Some(&cap(2)), b""), MethodNotAllowed);

    // Two capabilities in one request, another scheme, a capability in the wrong place.
    let request = |headers: &str| {
        format!("PUT {good} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 1\r\n{headers}\r\na")
    };
    let hex = write.expose_hex();
    let bearer = format!("Authorization: Bearer {}\r\n", hex.as_str());
    refused(
        raw(addr, request(&format!("{bearer}{bearer}")).as_bytes()),
        Unauthorized,
    );
    refused(
        raw(
            addr,
            request(&format!("Authorization: Basic {}\r\n", hex.as_str())).as_bytes(),
        ),
        Unauthorized,
    );
    refused(
        raw(addr, request(&format!("Cookie: {}\r\n", hex.as_str())).as_bytes()),
        Unauthorized,
    );
    // What is not HTTP gets no answer from us and does no harm.
    for bytes in [&b"\x16\x03\x01\x02\x00"[..], b"GET\r\n\r\n", &[0; 70_000]] {
        let reply = raw(addr, bytes);
        assert!(reply.is_none_or(|reply| reply.status == 400 || reply.status == 431));
    }

    let page = ask(addr, "GET", &path::page(&INBOX, 0, 10), Some(&cap(2)), b"").unwrap();
    assert_eq!((page.status, page.body.len()), (200, 0), "nothing changed");
    assert_eq!(ask(addr, "PUT", &good, Some(&write), b"a").unwrap().status, 201);
}

#[test]
fn a_revoked_capability_stops_at_once_and_for_ever() {
    let hub = start(Limits::default());
    let addr = hub.running.addr();
    assert_eq!(put(addr, &INBOX, &cap(1), b"a").unwrap().status, 201);
    let hash = cap(1).hash();
    assert_eq!(
        ask(addr, "DELETE", &path::cap(&hash), Some(&hub.admin), b"")
            .unwrap()
            .status,
        200
    );
    refused(put(addr, &INBOX, &cap(1), b"b"), ProblemKind::Unauthorized);
    let again = hub::AdminRequest::register(hash, hub::Right::Write, INBOX).encode();
    refused(
        ask(addr, "POST", path::ADMIN_CAP, Some(&hub.admin), &again),
        ProblemKind::Revoked,
    );
    let page = ask(addr, "GET", &path::page(&INBOX, 0, 10), Some(&cap(2)), b"").unwrap();
    assert_eq!(
        hub::decode_page_items(&page.body, 0).unwrap().len(),
        1,
        "what was sent before stays"
    );
}

#[test]
fn quotas_and_rates_say_when_to_come_back() {
    let limits = Limits {
        day_items: 2,
        ..Limits::default()
    };
    let hub = start(limits);
    let addr = hub.running.addr();
    for bytes in [b"a", b"b"] {
        assert_eq!(put(addr, &INBOX, &cap(1), bytes).unwrap().status, 201);
    }
    let reply = put(addr, &INBOX, &cap(1), b"c").unwrap();
    assert_eq!(
        reply.header("retry-after"),
        Some("43200"),
        "noon: half a day is left"
    );
    refused(Some(reply), ProblemKind::DayQuota);
    hub.clock.advance_s(43_200);
    assert_eq!(put(addr, &INBOX, &cap(1), b"c").unwrap().status, 201);

    let slow = start(Limits {
        rate: NonZeroU32::MIN,
        ..Limits::default()
    });
    let addr = slow.running.addr();
    let replies: Vec<_> = (0..30u8)
        .map(|n| put(addr, &INBOX, &cap(1), &[n]).unwrap())
        .collect();
    let limited = replies.iter().find(|reply| reply.status == 429).unwrap();
    assert!(limited.header("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
    assert_eq!(
        put(addr, &DOWNLINK, &cap(4), b"x").unwrap().status,
        201,
        "others are not slowed"
    );
    let full = start(Limits {
        mailbox_bytes: 3,
        ..Limits::default()
    });
    refused(
        put(full.running.addr(), &INBOX, &cap(1), b"four"),
        ProblemKind::Full,
    );
}

/// Protocol test T6, for what the hub alone can leak: neither a capability nor an address is on its disk.
#[test]
fn what_lies_on_the_disk_names_nobody() {
    let hub = start(Limits::default());
    put(hub.running.addr(), &INBOX, &cap(1), b"sealed").unwrap();
    let folder = hub.folder;
    hub.running.stop().unwrap();
    let mut files = 0;
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        let has = |word: &[u8]| bytes.windows(word.len()).any(|window| window == word);
        for secret in [&cap(1), &cap(2), &hub.admin] {
            assert!(!has(secret.expose()) && !has(secret.expose_hex().as_bytes()));
        }
        assert!(!has(b"127.0.0.1") && !has(&[127, 0, 0, 1]));
        files += 1;
    }
    assert_eq!(files, 1, "a hub that was stopped leaves one file");
}
