//! A link that behaves badly on purpose: a proxy on the loopback in front of a hub, which loses answers after
//! the hub has committed, cuts connections, repeats requests, answers 429 and shows sign-in pages.
//!
//! It understands just enough HTTP/1.1 to know where a request ends. What it does to a request follows from its
//! seed, the number of the connection and the number of the request in it, so that a run can be repeated. It
//! changes no byte that it lets through.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use serde::Serialize;

/// What the link is like at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    /// No network: whoever connects is cut off at once.
    Closed,
    /// Everything passes.
    Good,
    /// About half of all requests suffer one of [`Fault`].
    Bad,
}

/// What can happen to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// Cut before the hub sees it.
    LostBefore,
    /// The hub does it, the answer is lost.
    LostAfter,
    /// The hub does it, half of the answer arrives.
    CutAnswer,
    /// The hub gets it twice; the second answer arrives.
    Twice,
    /// It takes its time.
    Slow,
    /// Answered 429 with `Retry-After`, the hub never sees it.
    TooMany,
    /// Answered with status 200 and the sign-in page of a hotel.
    Portal,
}

/// All faults, in the order in which they are counted.
pub const FAULTS: [Fault; 7] = [
    Fault::LostBefore,
    Fault::LostAfter,
    Fault::CutAnswer,
    Fault::Twice,
    Fault::Slow,
    Fault::TooMany,
    Fault::Portal,
];

/// What passed over the link.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct LinkStats {
    /// Connections accepted, those cut at once included.
    pub connections: u64,
    /// Requests read whole.
    pub requests: u64,
    /// Bytes that came from the devices.
    pub bytes_up: u64,
    /// Bytes that went to them.
    pub bytes_down: u64,
    /// Connections cut because there was no network.
    pub cut_off: u64,
    /// Requests lost before the hub saw them.
    pub lost_before: u64,
    /// Answers lost after the hub had done it.
    pub lost_after: u64,
    /// Answers of which half arrived.
    pub cut_answers: u64,
    /// Requests that the hub got twice.
    pub twice: u64,
    /// Requests that were slowed down.
    pub slow: u64,
    /// Requests answered 429.
    pub too_many: u64,
    /// Requests answered with a sign-in page.
    pub portals: u64,
}

#[derive(Debug, Default)]
struct Counters {
    connections: AtomicU64,
    requests: AtomicU64,
    bytes_up: AtomicU64,
    bytes_down: AtomicU64,
    cut_off: AtomicU64,
    faults: [AtomicU64; FAULTS.len()],
}

#[derive(Debug)]
struct Shared {
    seed: u64,
    weather: Mutex<Weather>,
    to: Mutex<SocketAddr>,
    counters: Counters,
    over: AtomicBool,
}

/// A running link. Dropping it ends it.
#[derive(Debug)]
pub struct Link {
    addr: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// Longest head of a request or an answer, bytes.
const HEAD_LIMIT: usize = 32 * 1024;
/// Longest body, bytes.
const BODY_LIMIT: u64 = 16 << 20;
/// How long the link waits for either side.
const PATIENCE: Duration = Duration::from_secs(30);

impl Link {
    /// Starts a link to a hub on a free port of the loopback; good weather.
    ///
    /// # Errors
    /// What the system says about the socket.
    pub fn start(to: SocketAddr, seed: u64) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let addr = listener.local_addr()?;
        let shared = Arc::new(Shared {
            seed,
            weather: Mutex::new(Weather::Good),
            to: Mutex::new(to),
            counters: Counters::default(),
            over: AtomicBool::new(false),
        });
        let served = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("link".into())
            .spawn(move || accept(&listener, &served))?;
        Ok(Self {
            addr,
            shared,
            thread: Some(thread),
        })
    }

    /// Returns the address to connect to.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Returns its base URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Changes the weather, for requests that begin from now on.
    pub fn set(&self, weather: Weather) {
        *self.shared.weather.lock().unwrap_or_else(PoisonError::into_inner) = weather;
    }

    /// Leads to another address from now on: the hub was started again.
    pub fn aim(&self, to: SocketAddr) {
        *self.shared.to.lock().unwrap_or_else(PoisonError::into_inner) = to;
    }

    /// Counts.
    #[must_use]
    pub fn stats(&self) -> LinkStats {
        let counters = &self.shared.counters;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let [
            lost_before,
            lost_after,
            cut_answers,
            twice,
            slow,
            too_many,
            portals,
        ] = counters.faults.each_ref().map(read);
        LinkStats {
            connections: read(&counters.connections),
            requests: read(&counters.requests),
            bytes_up: read(&counters.bytes_up),
            bytes_down: read(&counters.bytes_down),
            cut_off: read(&counters.cut_off),
            lost_before,
            lost_after,
            cut_answers,
            twice,
            slow,
            too_many,
            portals,
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        // The listener waits for somebody: be the one.
        let _ = TcpStream::connect(self.addr);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for (number, client) in (0u64..).zip(listener.incoming()) {
        if shared.over.load(Ordering::Relaxed) {
            return;
        }
        let Ok(client) = client else { continue };
        shared.counters.connections.fetch_add(1, Ordering::Relaxed);
        let shared = Arc::clone(shared);
        // A connection whose thread cannot be started is cut off, which is what links do.
        let _ = std::thread::Builder::new().name("link".into()).spawn(move || {
            let _ = carry(&client, number, &shared);
            let _ = client.shutdown(Shutdown::Both);
        });
    }
}

/// A message as it came: head with its blank line, and body.
struct Message {
    head: Vec<u8>,
    body: Vec<u8>,
}

impl Message {
    fn len(&self) -> u64 {
        (self.head.len() + self.body.len()) as u64
    }

    fn write(&self, mut to: impl Write) -> std::io::Result<()> {
        to.write_all(&self.head)?;
        to.write_all(&self.body)?;
        to.flush()
    }

    /// Reads one; `None` if the other side hung up between two.
    fn read(from: &mut impl BufRead) -> std::io::Result<Option<Self>> {
        let mut head = Vec::new();
        loop {
            let before = head.len();
            let room = HEAD_LIMIT.saturating_sub(before) as u64;
            if from.take(room).read_until(b'\n', &mut head)? == 0 {
                return if before == 0 {
                    Ok(None)
                } else {
                    Err(std::io::ErrorKind::UnexpectedEof.into())
                };
            }
            if head.ends_with(b"\r\n\r\n") {
                break;
            }
        }
        let length = length_of(&head).filter(|length| *length <= BODY_LIMIT);
        let length = length.ok_or(std::io::ErrorKind::InvalidData)?;
        let mut body = Vec::new();
        from.take(length).read_to_end(&mut body)?;
        if body.len() as u64 == length {
            Ok(Some(Self { head, body }))
        } else {
            Err(std::io::ErrorKind::UnexpectedEof.into())
        }
    }
}

/// The announced length of the body; 0 if none is announced, `None` if it cannot be told.
fn length_of(head: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(head).ok()?;
    let mut length = 0;
    for line in text.lines().skip(1) {
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok()?;
        }
        if name.eq_ignore_ascii_case("transfer-encoding") {
            return None;
        }
    }
    Some(length)
}

/// One step of `SplitMix64`: enough for choosing, and the same everywhere.
fn mix(mut value: u64) -> u64 {
    value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// What happens to a request in bad weather.
#[must_use]
pub fn fault_of(seed: u64, connection: u64, request: u64) -> Option<Fault> {
    let draw = mix(mix(mix(seed) ^ connection) ^ request);
    // Of 16: seven faults, the lost answer twice, and seven times nothing.
    let at = usize::try_from(draw % 16).unwrap_or(0);
    match at {
        7 => Some(Fault::LostAfter),
        _ => FAULTS.get(at).copied(),
    }
}

fn carry(client: &TcpStream, number: u64, shared: &Shared) -> std::io::Result<()> {
    client.set_read_timeout(Some(PATIENCE))?;
    client.set_nodelay(true)?;
    let mut from = BufReader::new(client);
    let weather = || *shared.weather.lock().unwrap_or_else(PoisonError::into_inner);
    let counters = &shared.counters;
    let add = |counter: &AtomicU64, n: u64| counter.fetch_add(n, Ordering::Relaxed);
    if weather() == Weather::Closed {
        add(&counters.cut_off, 1);
        return Ok(());
    }
    for request in 0u64.. {
        let Some(message) = Message::read(&mut from)? else {
            return Ok(());
        };
        add(&counters.requests, 1);
        add(&counters.bytes_up, message.len());
        let fault = match weather() {
            Weather::Closed => {
                add(&counters.cut_off, 1);
                return Ok(());
            }
            Weather::Good => None,
            Weather::Bad => fault_of(shared.seed, number, request),
        };
        if let Some(counter) = fault
            .and_then(|fault| FAULTS.iter().position(|f| *f == fault))
            .and_then(|at| counters.faults.get(at))
        {
            add(counter, 1);
        }
        let forward = || -> std::io::Result<Message> {
            let to = *shared.to.lock().unwrap_or_else(PoisonError::into_inner);
            let hub = TcpStream::connect_timeout(&to, PATIENCE)?;
            hub.set_read_timeout(Some(PATIENCE))?;
            hub.set_nodelay(true)?;
            message.write(&hub)?;
            Message::read(&mut BufReader::new(&hub))?.ok_or_else(|| std::io::ErrorKind::UnexpectedEof.into())
        };
        let answer = match fault {
            Some(Fault::LostBefore) => return Ok(()),
            Some(Fault::LostAfter) => {
                forward()?;
                return Ok(());
            }
            Some(Fault::CutAnswer) => {
                let answer = forward()?;
                let all = [answer.head, answer.body].concat();
                let half = all.get(..all.len() / 2).unwrap_or_default();
                add(&counters.bytes_down, half.len() as u64);
                (&*client).write_all(half)?;
                return Ok(());
            }
            Some(Fault::Twice) => {
                forward()?;
                forward()?
            }
            Some(Fault::Slow) => {
                std::thread::sleep(Duration::from_millis(5 + mix(shared.seed ^ request) % 40));
                forward()?
            }
            Some(Fault::TooMany) => canned(
                "429 Too Many Requests",
                "application/problem+json",
                "Retry-After: 1\r\n",
                r#"{"type":"urn:landfall:problem:rate-limited","title":"Too many requests","status":429,"retry":"later"}"#,
            ),
            Some(Fault::Portal) => canned(
                "200 OK",
                "text/html",
                "",
                "<!doctype html><title>Welcome</title><p>Please sign in to use the airport's network.",
            ),
            None => forward()?,
        };
        add(&counters.bytes_down, answer.len());
        answer.write(client)?;
    }
    Ok(())
}

fn canned(status: &str, kind: &str, more: &str, body: &str) -> Message {
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n{more}\r\n",
        body.len()
    );
    Message {
        head: head.into_bytes(),
        body: body.as_bytes().to_vec(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        clippy::string_slice,
        reason = "tests"
    )]
    use super::*;

    /// Answers every request with `ok` and counts them.
    fn echo() -> (SocketAddr, Arc<AtomicU64>) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let addr = listener.local_addr().unwrap();
        let seen = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&seen);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let client = client.unwrap();
                let mut from = BufReader::new(&client);
                while let Ok(Some(_)) = Message::read(&mut from) {
                    counter.fetch_add(1, Ordering::Relaxed);
                    canned("200 OK", "text/plain", "", "ok").write(&client).unwrap();
                }
            }
        });
        (addr, seen)
    }

    fn ask(link: &Link) -> Option<String> {
        let client = TcpStream::connect(link.addr()).ok()?;
        (&client)
            .write_all(b"PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc")
            .ok()?;
        let answer = Message::read(&mut BufReader::new(&client)).ok()??;
        let head = String::from_utf8(answer.head).unwrap();
        Some(format!(
            "{} {}",
            head.get(9..12).unwrap_or_default(),
            String::from_utf8(answer.body).unwrap()
        ))
    }

    #[test]
    fn good_passes_closed_cuts_and_bad_does_what_the_seed_says() {
        let (hub, seen) = echo();
        let link = Link::start(hub, 7).unwrap();
        assert_eq!(ask(&link).as_deref(), Some("200 ok"));
        link.set(Weather::Closed);
        assert_eq!(ask(&link), None);
        assert_eq!(seen.load(Ordering::Relaxed), 1);
        link.set(Weather::Bad);
        let mut expected_at_hub = 1;
        for connection in 2..66 {
            let answer = ask(&link);
            let (arrives, text) = match fault_of(7, connection, 0) {
                None | Some(Fault::Slow) => (1, Some("200 ok")),
                Some(Fault::Twice) => (2, Some("200 ok")),
                Some(Fault::LostBefore) => (0, None),
                Some(Fault::LostAfter | Fault::CutAnswer) => (1, None),
                Some(Fault::TooMany) => (0, Some("429")),
                Some(Fault::Portal) => (0, Some("200 <!doctype")),
            };
            expected_at_hub += arrives;
            assert_eq!(
                seen.load(Ordering::Relaxed),
                expected_at_hub,
                "connection {connection}"
            );
            match text {
                Some(text) => assert!(answer.unwrap().starts_with(text), "connection {connection}"),
                None => assert_eq!(answer, None, "connection {connection}"),
            }
        }
        let stats = link.stats();
        assert_eq!((stats.connections, stats.requests, stats.cut_off), (66, 65, 1));
        assert!(
            [
                stats.lost_before,
                stats.lost_after,
                stats.cut_answers,
                stats.twice,
                stats.slow
            ]
            .into_iter()
            .chain([stats.too_many, stats.portals])
            .all(|count| count > 0)
        );
        let (other, seen_there) = echo();
        link.aim(other);
        link.set(Weather::Good);
        assert_eq!(ask(&link).as_deref(), Some("200 ok"));
        assert_eq!(seen_there.load(Ordering::Relaxed), 1);
    }
}
