//! The hub over HTTP: reqwest on rustls with ring, trusting the public web's roots or only those given.
//!
//! The functions block; a private runtime of one thread serves them. No redirect is followed and no proxy of
//! the environment is used. What does not read word for word like a hub is reported as "not a hub", so that a
//! sign-in page can never pass for an answer.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use landfall_wire::hub::{
    self as wire, AckAnswer, AdminAnswer, AdminOutcome, AdminRequest, Page, Presence, Problem, PutAnswer,
    Retry, path,
};
use landfall_wire::ids::{Capability, Digest, MailboxId, StoreEpoch};
use landfall_wire::manifest::{Endpoint, EndpointKind};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Method, Url};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use tokio::runtime::Runtime;

use crate::transport::{Answer, Failure, HubAdmin, Transport};
use crate::{Error, Result};

/// How long a connection may take to come about.
const CONNECT_PATIENCE: Duration = Duration::from_secs(20);
/// How long a request may take in all: a full page on a 2G link is cut into pieces by its timeout, and the
/// next run goes on behind what was read.
const REQUEST_PATIENCE: Duration = Duration::from_secs(120);

/// A hub behind one or several addresses.
pub struct HubClient {
    client: Client,
    runtime: Runtime,
    bases: Vec<Url>,
    current: AtomicUsize,
}

impl core::fmt::Debug for HubClient {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("HubClient")
            .field("endpoints", &self.bases.len())
            .finish_non_exhaustive()
    }
}

/// Checks an address: https, or http where nobody is in between.
fn base(text: &str) -> Result<Url> {
    let refuse = |why| Error::BadUrl { why };
    let mut url = Url::parse(text).map_err(|_| refuse("not a URL"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refuse("it names a user"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refuse("it has a query"));
    }
    let host = url.host_str().ok_or(refuse("no host"))?;
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let loopback = bare == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    if host.ends_with(".onion") {
        // Without SOCKS the name would be asked of the system's resolver, in clear.
        return Err(refuse(
            "an onion address needs a SOCKS proxy, which this build has not",
        ));
    }
    match url.scheme() {
        "https" => {}
        "http" if loopback => {}
        "http" => return Err(refuse("http is for the own machine only")),
        _ => return Err(refuse("neither https nor http")),
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

fn tls(roots: &[Vec<u8>]) -> Result<ClientConfig> {
    let mut store = RootCertStore::empty();
    if roots.is_empty() {
        store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    for root in roots {
        store
            .add(CertificateDer::from(root.clone()))
            .map_err(|_| Error::BadUrl {
                why: "a TLS root is not a certificate",
            })?;
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|_| Error::BadUrl { why: "no TLS" })?
        .with_root_certificates(store)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

impl HubClient {
    /// Makes a client for the ways to one hub, tried in this order. Roots are DER; none means the public web's.
    ///
    /// # Errors
    /// [`Error::BadUrl`] if no address can be used, [`Error::Io`].
    pub fn new(endpoints: &[Endpoint], tls_roots: &[Vec<u8>]) -> Result<Self> {
        let mut bases = Vec::new();
        let mut refused = Error::BadUrl { why: "there is none" };
        for endpoint in endpoints {
            match base(&endpoint.url) {
                Ok(url) => bases.push(url),
                Err(error) => refused = error,
            }
        }
        if bases.is_empty() {
            return Err(refused);
        }
        let client = Client::builder()
            .tls_backend_preconfigured(tls(tls_roots)?)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_PATIENCE)
            .timeout(REQUEST_PATIENCE)
            .build()
            .map_err(|_| Error::BadUrl { why: "no client" })?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(Error::io("start the network"))?;
        Ok(Self {
            client,
            runtime,
            bases,
            current: AtomicUsize::new(0),
        })
    }

    /// Makes a client for one address.
    ///
    /// # Errors
    /// As [`HubClient::new`].
    pub fn for_url(url: &str) -> Result<Self> {
        Self::new(
            &[Endpoint {
                kind: EndpointKind::Direct,
                url: url.to_owned(),
            }],
            &[],
        )
    }

    fn ask(&self, request: &Request<'_>) -> Result<Reply, Failure> {
        let mut tried = 0;
        loop {
            let at = self.current.load(Ordering::Relaxed);
            let outcome = match self.bases.get(at % self.bases.len().max(1)) {
                Some(base) => self.runtime.block_on(self.ask_one(base, request)),
                None => Err(Failure::Unreachable),
            };
            tried += 1;
            if let Err(Failure::Unreachable | Failure::Broken | Failure::NotAHub { .. }) = outcome {
                // The next request goes another way; this one as well, if it cannot have arrived.
                self.current.store(at.wrapping_add(1), Ordering::Relaxed);
            }
            if outcome != Err(Failure::Unreachable) || tried >= self.bases.len() {
                return outcome;
            }
        }
    }

    async fn ask_one(&self, base: &Url, request: &Request<'_>) -> Result<Reply, Failure> {
        let address = format!("{}{}", base.as_str().trim_end_matches('/'), request.path);
        let mut bearer =
            HeaderValue::from_str(&format!("Bearer {}", request.capability.expose_hex().as_str()))
                .map_err(|_| Failure::Unreachable)?;
        bearer.set_sensitive(true);
        let mut builder = self
            .client
            .request(request.method.clone(), address)
            .header(AUTHORIZATION, bearer);
        if let Some((kind, body)) = &request.body {
            builder = builder.header(CONTENT_TYPE, *kind).body(body.clone());
        }
        let mut response = builder.send().await.map_err(|error| {
            // A connection that did not come about; anything later may have reached the hub.
            if error.is_connect() || error.is_builder() {
                Failure::Unreachable
            } else {
                Failure::Broken
            }
        })?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let limit = if (200..300).contains(&status) {
            request.limit
        } else {
            wire::ADMIN_LIMIT
        };
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|_| Failure::Broken)? {
            if body.len().saturating_add(chunk.len()) > limit {
                return Err(Failure::NotAHub { status });
            }
            body.extend_from_slice(&chunk);
        }
        if (200..300).contains(&status) {
            return Ok(Reply {
                status,
                headers,
                body,
            });
        }
        Err(refusal(status, &headers, &body))
    }
}

fn refusal(status: u16, headers: &HeaderMap, body: &[u8]) -> Failure {
    let wait_s = headers
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.parse().ok());
    match Problem::decode(status, body) {
        Ok(problem) => Failure::Refused {
            status,
            kind: problem.known(),
            retry: problem.retry,
            wait_s,
        },
        // A proxy in front of the hub may slow us down or fail in its own words.
        Err(_) if status == 429 => Failure::Refused {
            status,
            kind: None,
            retry: Retry::Later,
            wait_s,
        },
        Err(_) if (500..600).contains(&status) => Failure::Refused {
            status,
            kind: None,
            retry: Retry::Retry,
            wait_s,
        },
        Err(_) => Failure::NotAHub { status },
    }
}

struct Request<'a> {
    method: Method,
    path: String,
    capability: &'a Capability,
    body: Option<(&'static str, Vec<u8>)>,
    limit: usize,
}

#[derive(Debug, PartialEq, Eq)]
struct Reply {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Reply {
    const fn not_a_hub(&self) -> Failure {
        Failure::NotAHub { status: self.status }
    }

    fn header<T: core::str::FromStr>(&self, name: &str) -> Result<T, Failure> {
        let value = self
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok()?.parse().ok());
        value.ok_or(self.not_a_hub())
    }

    fn answer<T>(&self, value: landfall_wire::Result<T>) -> Result<Answer<T>, Failure> {
        let store_epoch: StoreEpoch = self.header(wire::STORE_EPOCH_HEADER)?;
        match value {
            Ok(value) => Ok(Answer { value, store_epoch }),
            Err(_) => Err(self.not_a_hub()),
        }
    }

    fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, Failure> {
        match serde_json::from_slice(&self.body) {
            Ok(value) if self.status == 200 => Ok(value),
            _ => Err(self.not_a_hub()),
        }
    }
}

impl Transport for HubClient {
    fn put(
        &self,
        mailbox: &MailboxId,
        capability: &Capability,
        bytes: &[u8],
        again: bool,
    ) -> Result<Answer<PutAnswer>, Failure> {
        let reply = self.ask(&Request {
            method: Method::PUT,
            path: path::envelope(mailbox, &Digest::of(bytes), again),
            capability,
            body: Some((wire::BYTES_TYPE, bytes.to_vec())),
            limit: 64,
        })?;
        reply.answer(PutAnswer::from_response(reply.status, &reply.body))
    }

    fn have(
        &self,
        mailbox: &MailboxId,
        capability: &Capability,
        digests: &[Digest],
    ) -> Result<Answer<Vec<Presence>>, Failure> {
        let reply = self.ask(&Request {
            method: Method::POST,
            path: path::have(mailbox),
            capability,
            body: Some((wire::CBOR_TYPE, wire::encode_digests(digests))),
            limit: 1_024,
        })?;
        reply.answer(wire::decode_presences(&reply.body, digests.len()))
    }

    fn page(
        &self,
        mailbox: &MailboxId,
        capability: &Capability,
        after: u64,
        limit: u32,
    ) -> Result<Page, Failure> {
        let reply = self.ask(&Request {
            method: Method::GET,
            path: path::page(mailbox, after, limit),
            capability,
            body: None,
            limit: wire::PAGE_BODY_LIMIT,
        })?;
        let Answer {
            value: items,
            store_epoch,
        } = reply.answer(wire::decode_page_items(&reply.body, after))?;
        if reply.status != 200 {
            return Err(reply.not_a_hub());
        }
        Ok(Page {
            store_epoch,
            next: reply.header(wire::NEXT_HEADER)?,
            expired: reply.header(wire::EXPIRED_HEADER)?,
            items,
        })
    }

    fn ack(
        &self,
        mailbox: &MailboxId,
        capability: &Capability,
        digests: &[Digest],
    ) -> Result<Answer<u32>, Failure> {
        let reply = self.ask(&Request {
            method: Method::POST,
            path: path::ack(mailbox),
            capability,
            body: Some((wire::CBOR_TYPE, wire::encode_digests(digests))),
            limit: 1_024,
        })?;
        let AckAnswer { deleted } = reply.json()?;
        reply.answer(Ok(deleted))
    }

    fn put_slice(
        &self,
        mailbox: &MailboxId,
        capability: &Capability,
        bytes: &[u8],
    ) -> Result<Answer<PutAnswer>, Failure> {
        let reply = self.ask(&Request {
            method: Method::PUT,
            path: path::slice(mailbox, &Digest::of(bytes)),
            capability,
            body: Some((wire::BYTES_TYPE, bytes.to_vec())),
            limit: 64,
        })?;
        reply.answer(PutAnswer::from_response(reply.status, &reply.body))
    }

    fn slice(
        &self,
        mailbox: &MailboxId,
        capability: &Capability,
        digest: &Digest,
    ) -> Result<Answer<Vec<u8>>, Failure> {
        let reply = self.ask(&Request {
            method: Method::GET,
            path: path::slice(mailbox, digest),
            capability,
            body: None,
            limit: wire::SLICE_LIMIT,
        })?;
        if reply.status != 200 || Digest::of(&reply.body) != *digest {
            return Err(reply.not_a_hub());
        }
        reply.answer(Ok(reply.body.clone()))
    }
}

impl HubAdmin for HubClient {
    fn administer(&self, capability: &Capability, request: &AdminRequest) -> Result<AdminOutcome, Failure> {
        let reply = self.ask(&Request {
            method: Method::POST,
            path: path::ADMIN_CAP.to_owned(),
            capability,
            body: Some(("application/json", request.encode())),
            limit: 1_024,
        })?;
        let AdminAnswer { outcome } = reply.json()?;
        Ok(outcome)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn only_safe_addresses_are_used() {
        for good in [
            "https://hub.example.org",
            "https://hub.example.org/landfall/",
            "http://127.0.0.1:8470",
            "http://[::1]:1/",
            "http://localhost:1",
        ] {
            assert!(base(good).is_ok(), "{good}");
        }
        for bad in [
            "http://hub.example.org",
            "http://127.0.0.1.example.org",
            "https://user@hub.example.org",
            "https://hub.example.org/?a=1",
            "ftp://127.0.0.1",
            "http://abcdef.onion",
            "hub.example.org",
            "",
        ] {
            assert!(matches!(base(bad), Err(Error::BadUrl { .. })), "{bad}");
        }
        assert_eq!(
            base("https://h.example/x/").unwrap().as_str(),
            "https://h.example/x"
        );
        assert!(HubClient::new(&[], &[]).is_err());
        let root = vec![vec![1, 2, 3]];
        let endpoint = Endpoint {
            kind: EndpointKind::Direct,
            url: "https://h.example".into(),
        };
        assert!(
            HubClient::new(&[endpoint], &root).is_err(),
            "a root that is no certificate"
        );
    }
}
