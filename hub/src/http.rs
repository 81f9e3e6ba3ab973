//! The routes: from a request to one call of the store and back. Every refusal is a problem document.
//!
//! The order is always the same: capability looked up, rate counted, right compared, and only then the body
//! read. Nothing is logged, and nothing of a request is ever repeated in an answer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{self, Body, Bytes};
use axum::extract::{ConnectInfo, FromRequestParts, RawPathParams, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post, put};
use landfall_wire::clock::Clock;
use landfall_wire::hub::{
    self as wire, AckAnswer, AdminAnswer, AdminRequest, Health, PAGE_ITEMS_LIMIT, Problem, ProblemKind, Right,
};
use landfall_wire::ids::{CapHash, Capability, Digest, MailboxId};
use serde::Serialize;

use crate::limits::{Limits, Rates};
use crate::store::{ItemKind, Put, Store};
use crate::{Error, Result};

/// How long a body may take: 128 KiB on a 2G link need about 40 s.
const BODY_PATIENCE: Duration = Duration::from_secs(90);

/// What all requests share.
pub(crate) struct App<S> {
    store: S,
    limits: Limits,
    rates: Rates,
    clock: Arc<dyn Clock>,
}

impl<S: Store> App<S> {
    pub(crate) fn new(store: S, limits: Limits, clock: Arc<dyn Clock>) -> Result<Arc<Self>> {
        Ok(Arc::new(Self {
            store,
            limits,
            rates: Rates::new(&limits)?,
            clock,
        }))
    }

    fn day(&self) -> u32 {
        self.clock.read().day()
    }

    /// Checks who asks. A wrong place and a wrong right get the same answer as a mailbox that is not there.
    async fn allow(
        &self,
        asker: &Asker,
        right: Right,
        mailbox: Option<MailboxId>,
    ) -> Result<CapHash, Refusal> {
        if let Some(from) = asker.from {
            self.rates
                .address(from, self.day())
                .map_err(|wait| Refusal::after(ProblemKind::RateLimited, wait))?;
        }
        let hash = asker.hash.ok_or(ProblemKind::Unauthorized)?;
        let grant = self
            .store
            .grant(hash, mailbox)
            .await?
            .ok_or(ProblemKind::Unauthorized)?;
        self.rates
            .capability(&hash)
            .map_err(|wait| Refusal::after(ProblemKind::RateLimited, wait))?;
        if grant.right != right || (mailbox.is_some() && !grant.here) {
            return Err(ProblemKind::Forbidden.into());
        }
        Ok(hash)
    }

    fn refuse(&self, error: &Error) -> Refusal {
        match error {
            Error::NoMailbox => ProblemKind::NotFound.into(),
            Error::Conflict => ProblemKind::Conflict.into(),
            Error::Revoked => ProblemKind::Revoked.into(),
            Error::Closed => ProblemKind::Closed.into(),
            Error::DayQuota => {
                let into_day = self.clock.read().wall_s.rem_euclid(86_400).unsigned_abs();
                Refusal::after(ProblemKind::DayQuota, 86_400_u64.saturating_sub(into_day))
            }
            other => Refusal::from(other.clone()),
        }
    }
}

/// A refusal on its way out.
#[derive(Debug)]
pub(crate) struct Refusal {
    kind: ProblemKind,
    wait_s: Option<u64>,
}

impl Refusal {
    const fn after(kind: ProblemKind, wait_s: u64) -> Self {
        Self {
            kind,
            wait_s: Some(wait_s),
        }
    }
}

impl From<ProblemKind> for Refusal {
    fn from(kind: ProblemKind) -> Self {
        Self { kind, wait_s: None }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match error {
            Error::Full => Self::after(ProblemKind::Full, 3_600),
            Error::Busy => Self::after(ProblemKind::Busy, 1),
            _ => ProblemKind::Internal.into(),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = typed(status, wire::PROBLEM_TYPE, Problem::of(self.kind).encode());
        if let Some(wait_s) = self.wait_s {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(wait_s));
        }
        response
    }
}

fn typed(status: StatusCode, kind: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    // A cache in between must not answer for the hub.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn json(answer: &impl Serialize) -> Response {
    match serde_json::to_vec(answer) {
        Ok(bytes) => typed(StatusCode::OK, "application/json", bytes),
        Err(_) => Refusal::from(ProblemKind::Internal).into_response(),
    }
}

/// Adds the store's mark, which stands on every answer about a mailbox.
fn marked<S: Store>(app: &App<S>, mut response: Response) -> Response {
    if let Ok(value) = HeaderValue::from_str(&app.store.epoch().to_hex()) {
        response.headers_mut().insert(wire::STORE_EPOCH_HEADER, value);
    }
    response
}

/// Who asks: the hash of the bearer capability, and the address for the rate of its prefix.
struct Asker {
    hash: Option<CapHash>,
    from: Option<SocketAddr>,
}

impl<S: Send + Sync> FromRequestParts<S> for Asker {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let from = parts
            .extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map(|info| info.0);
        Ok(Self {
            hash: bearer(&parts.headers),
            from,
        })
    }
}

fn bearer(headers: &HeaderMap) -> Option<CapHash> {
    let mut values = headers.get_all(header::AUTHORIZATION).into_iter();
    let value = values.next()?.to_str().ok()?;
    if values.next().is_some() {
        return None;
    }
    let token = value.strip_prefix("Bearer ")?;
    Capability::from_hex(token)
        .ok()
        .map(|capability| capability.hash())
}

/// The ids in a path, each in its one spelling.
struct Place {
    mailbox: Option<MailboxId>,
    digest: Option<Digest>,
    hash: Option<CapHash>,
}

impl<S: Send + Sync> FromRequestParts<S> for Place {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let params = RawPathParams::from_request_parts(parts, state)
            .await
            .map_err(|_| ProblemKind::BadRequest)?;
        let mut place = Self {
            mailbox: None,
            digest: None,
            hash: None,
        };
        for (name, text) in &params {
            match name {
                "mbx" => place.mailbox = Some(one_spelling(text, MailboxId::from_hex, MailboxId::to_hex)?),
                "digest" => place.digest = Some(one_spelling(text, Digest::from_hex, Digest::to_hex)?),
                _ => place.hash = Some(one_spelling(text, CapHash::from_hex, CapHash::to_hex)?),
            }
        }
        Ok(place)
    }
}

fn one_spelling<T>(
    text: &str,
    read: impl Fn(&str) -> landfall_wire::Result<T>,
    write: impl Fn(&T) -> String,
) -> Result<T, Refusal> {
    let id = read(text).map_err(|_| ProblemKind::BadRequest)?;
    if write(&id) == text {
        Ok(id)
    } else {
        Err(ProblemKind::BadRequest.into())
    }
}

impl Place {
    fn mailbox(&self) -> Result<MailboxId, Refusal> {
        self.mailbox.ok_or_else(|| ProblemKind::NotFound.into())
    }

    fn item(&self) -> Result<(MailboxId, Digest), Refusal> {
        Ok((self.mailbox()?, self.digest.ok_or(ProblemKind::NotFound)?))
    }
}

/// The query as pairs; every name must be known to the route and come once.
fn query(request: &Request, names: &[&str]) -> Result<Vec<(String, String)>, Refusal> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for part in request
        .uri()
        .query()
        .unwrap_or("")
        .split('&')
        .filter(|part| !part.is_empty())
    {
        let (name, value) = part.split_once('=').ok_or(ProblemKind::BadRequest)?;
        if !names.contains(&name) || pairs.iter().any(|(known, _)| known == name) {
            return Err(ProblemKind::BadRequest.into());
        }
        pairs.push((name.to_owned(), value.to_owned()));
    }
    Ok(pairs)
}

async fn read_body(request: Request, limit: usize) -> Result<Bytes, Refusal> {
    let announced = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.parse::<u64>().ok());
    if announced.is_some_and(|announced| announced > limit as u64) {
        return Err(ProblemKind::TooLarge.into());
    }
    match tokio::time::timeout(BODY_PATIENCE, body::to_bytes(request.into_body(), limit)).await {
        Err(_) => Err(ProblemKind::TooSlow.into()),
        Ok(Ok(bytes)) => Ok(bytes),
        // Too long, or cut off: in the second case nobody hears the answer.
        Ok(Err(_)) => Err(ProblemKind::TooLarge.into()),
    }
}

type Shared<S> = State<Arc<App<S>>>;

async fn put_item<S: Store>(
    app: &App<S>,
    asker: &Asker,
    place: &Place,
    request: Request,
    kind: ItemKind,
) -> Result<Response, Refusal> {
    let (mailbox, digest) = place.item()?;
    let capability = app.allow(asker, Right::Write, Some(mailbox)).await?;
    let again = match query(&request, &["again"])?.as_slice() {
        [] => false,
        [(_, value)] if value == "1" => true,
        _ => return Err(ProblemKind::BadRequest.into()),
    };
    let limit = match kind {
        ItemKind::Envelope => wire::ENVELOPE_LIMIT,
        ItemKind::Slice => wire::SLICE_LIMIT,
    };
    let bytes = read_body(request, limit).await?;
    if bytes.is_empty() {
        return Err(ProblemKind::BadRequest.into());
    }
    if Digest::of(&bytes) != digest {
        return Err(ProblemKind::DigestMismatch.into());
    }
    let put = Put {
        mailbox,
        digest,
        bytes: bytes.into(),
        kind,
        again,
        capability,
        day: app.day(),
    };
    let answer = app
        .store
        .put(put, app.limits)
        .await
        .map_err(|error| app.refuse(&error))?;
    let (status, word) = answer.as_response();
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    Ok(marked(app, typed(status, wire::WORD_TYPE, word)))
}

async fn put_envelope<S: Store>(
    State(app): Shared<S>,
    asker: Asker,
    place: Place,
    request: Request,
) -> Result<Response, Refusal> {
    put_item(&app, &asker, &place, request, ItemKind::Envelope).await
}

async fn put_slice<S: Store>(
    State(app): Shared<S>,
    asker: Asker,
    place: Place,
    request: Request,
) -> Result<Response, Refusal> {
    put_item(&app, &asker, &place, request, ItemKind::Slice).await
}

async fn get_slice<S: Store>(
    State(app): Shared<S>,
    asker: Asker,
    place: Place,
    request: Request,
) -> Result<Response, Refusal> {
    let (mailbox, digest) = place.item()?;
    app.allow(&asker, Right::Read, Some(mailbox)).await?;
    query(&request, &[])?;
    let bytes = app
        .store
        .slice(mailbox, digest)
        .await
        .map_err(|error| app.refuse(&error))?;
    let bytes = bytes.ok_or(ProblemKind::NotFound)?;
    Ok(marked(&app, typed(StatusCode::OK, wire::BYTES_TYPE, bytes)))
}

async fn have<S: Store>(
    State(app): Shared<S>,
    asker: Asker,
    place: Place,
    request: Request,
) -> Result<Response, Refusal> {
    let mailbox = place.mailbox()?;
    app.allow(&asker, Right::Write, Some(mailbox)).await?;
    query(&request, &[])?;
    let digests = digests(request).await?;
    let there = app
        .store
        .have(mailbox, digests)
        .await
        .map_err(|error| app.refuse(&error))?;
    Ok(marked(
        &app,
        typed(StatusCode::OK, wire::CBOR_TYPE, wire::encode_presences(&there)),
    ))
}

async fn digests(request: Request) -> Result<Vec<Digest>, Refusal> {
    let body = read_body(request, 16 + wire::DIGESTS_LIMIT * 40).await?;
    wire::decode_digests(&body).map_err(|error| match error {
        landfall_wire::Error::TooMany { .. } => ProblemKind::TooLarge.into(),
        _ => ProblemKind::BadRequest.into(),
    })
}

async fn page<S: Store>(
    State(app): Shared<S>,
    asker: Asker,
    place: Place,
    request: Request,
) -> Result<Response, Refusal> {
    let mailbox = place.mailbox()?;
    app.allow(&asker, Right::Read, Some(mailbox)).await?;
    let (mut after, mut limit) = (0, PAGE_ITEMS_LIMIT);
    for (name, value) in query(&request, &["after", "limit"])? {
        match name.as_str() {
            "after" => after = value.parse().map_err(|_| ProblemKind::BadRequest)?,
            _ => limit = value.parse().map_err(|_| ProblemKind::BadRequest)?,
        }
    }
    if limit == 0 {
        return Err(ProblemKind::BadRequest.into());
    }
    let read = app
        .store
        .page(mailbox, after, limit)
        .await
        .map_err(|error| app.refuse(&error))?;
    let mut response = typed(
        StatusCode::OK,
        wire::CBOR_TYPE,
        wire::encode_page_items(&read.items),
    );
    let headers = response.headers_mut();
    headers.insert(wire::NEXT_HEADER, HeaderValue::from(read.next));
    headers.insert(wire::EXPIRED_HEADER, HeaderValue::from(read.expired));
    Ok(marked(&app, response))
}

async fn ack<S: Store>(
    State(app): Shared<S>,
    asker: Asker,
    place: Place,
    request: Request,
) -> Result<Response, Refusal> {
    let mailbox = place.mailbox()?;
    app.allow(&asker, Right::Read, Some(mailbox)).await?;
    query(&request, &[])?;
    let digests = digests(request).await?;
    let deleted = app
        .store
        .ack(mailbox, digests, app.day())
        .await
        .map_err(|error| app.refuse(&error))?;
    Ok(marked(&app, json(&AckAnswer { deleted })))
}

async fn admin<S: Store>(State(app): Shared<S>, asker: Asker, request: Request) -> Result<Response, Refusal> {
    app.allow(&asker, Right::Admin, None).await?;
    query(&request, &[])?;
    let body = read_body(request, wire::ADMIN_LIMIT).await?;
    let request = AdminRequest::decode(&body).map_err(|_| ProblemKind::BadRequest)?;
    administer(&app, request).await
}

async fn revoke<S: Store>(
    State(app): Shared<S>,
    asker: Asker,
    place: Place,
    request: Request,
) -> Result<Response, Refusal> {
    app.allow(&asker, Right::Admin, None).await?;
    query(&request, &[])?;
    let hash = place.hash.ok_or(ProblemKind::NotFound)?;
    administer(&app, AdminRequest::Revoke { hash }).await
}

async fn administer<S: Store>(app: &App<S>, request: AdminRequest) -> Result<Response, Refusal> {
    let outcome = app
        .store
        .administer(request)
        .await
        .map_err(|error| app.refuse(&error))?;
    Ok(json(&AdminAnswer { outcome }))
}

async fn health<S: Store>(State(app): Shared<S>) -> Response {
    json(&Health {
        v: 1,
        service: "landfall-hub".to_owned(),
        store_epoch: app.store.epoch(),
    })
}

/// All routes over one store.
pub(crate) fn router<S: Store>(app: Arc<App<S>>) -> Router {
    Router::new()
        .route("/v1/m/{mbx}/e/{digest}", put(put_envelope::<S>))
        .route("/v1/m/{mbx}/s/{digest}", put(put_slice::<S>).get(get_slice::<S>))
        .route("/v1/m/{mbx}/have", post(have::<S>))
        .route("/v1/m/{mbx}/ack", post(ack::<S>))
        .route("/v1/m/{mbx}", get(page::<S>))
        .route("/v1/admin/cap", post(admin::<S>))
        .route("/v1/admin/cap/{hash}", delete(revoke::<S>))
        .route("/v1/health", get(health::<S>))
        .fallback(|| async { Refusal::from(ProblemKind::NotFound) })
        .method_not_allowed_fallback(|| async { Refusal::from(ProblemKind::MethodNotAllowed) })
        .with_state(app)
}
