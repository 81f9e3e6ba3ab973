//! A client that says exactly what it is told to, for requests that no good client would make.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests; each file uses a part"
)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use landfall_wire::hub::{AdminRequest, Right, path};
use landfall_wire::ids::{Capability, Digest, GroupId, MailboxId};

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (n, value) = line.split_once(": ")?;
            n.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

/// Sends raw bytes and reads until the other side hangs up; `None` if nothing came.
pub(crate) fn raw(addr: SocketAddr, bytes: &[u8]) -> Option<Reply> {
    let mut stream = TcpStream::connect(addr).ok()?;
    // The hub may answer and hang up before it has read all of it.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let at = answer.windows(4).position(|w| w == b"\r\n\r\n")?;
    let head = String::from_utf8(answer[..at].to_vec()).unwrap();
    Some(Reply {
        status: head.get(9..12)?.parse().ok()?,
        body: answer[at + 4..].to_vec(),
        head,
    })
}

/// One request on a connection of its own.
pub(crate) fn ask(
    addr: SocketAddr,
    method: &str,
    path: &str,
    cap: Option<&Capability>,
    body: &[u8],
) -> Option<Reply> {
    let mut request = format!("{method} {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n");
    if let Some(cap) = cap {
        request += &format!("Authorization: Bearer {}\r\n", cap.expose_hex().as_str());
    }
    request += &format!("Content-Length: {}\r\n\r\n", body.len());
    raw(addr, &[request.as_bytes(), body].concat())
}

pub(crate) fn put(addr: SocketAddr, mailbox: &MailboxId, cap: &Capability, bytes: &[u8]) -> Option<Reply> {
    ask(
        addr,
        "PUT",
        &path::envelope(mailbox, &Digest::of(bytes), false),
        Some(cap),
        bytes,
    )
}

pub(crate) const INBOX: MailboxId = MailboxId::from_bytes([1; 16]);
pub(crate) const DOWNLINK: MailboxId = MailboxId::from_bytes([2; 16]);
pub(crate) const GROUP: GroupId = GroupId::from_bytes([1; 16]);

pub(crate) fn cap(n: u8) -> Capability {
    Capability::from_bytes([n; 32])
}

/// 1 writes and 2 reads the inbox, 3 reads the downlink, 4 writes all downlinks.
pub(crate) fn set_up(addr: SocketAddr, admin: &Capability) {
    for request in [
        AdminRequest::Mailbox {
            mailbox: INBOX,
            group: None,
        },
        AdminRequest::Mailbox {
            mailbox: DOWNLINK,
            group: Some(GROUP),
        },
        AdminRequest::register(cap(1).hash(), Right::Write, INBOX),
        AdminRequest::register(cap(2).hash(), Right::Read, INBOX),
        AdminRequest::register(cap(3).hash(), Right::Read, DOWNLINK),
        AdminRequest::register_group(cap(4).hash(), GROUP),
    ] {
        let reply = ask(addr, "POST", path::ADMIN_CAP, Some(admin), &request.encode()).unwrap();
        assert_eq!(
            (reply.status, &reply.body[..]),
            (200, &br#"{"outcome":"changed"}"#[..])
        );
    }
}
