//! Starting and stopping a hub in this process: the binary does it, and so do tests and the demo's helpers.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use landfall_wire::clock::Clock;
use landfall_wire::ids::{Capability, StoreEpoch};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::http::{App, router};
use crate::limits::Limits;
use crate::store::{SqliteStore, Store, StoreUrl};
use crate::{Error, Result};

/// How long requests under way may still take once the hub is told to stop.
const STOP_PATIENCE: Duration = Duration::from_secs(5);
/// Pause between two sweeps of a hub that runs for long.
const SWEEP_PAUSE: Duration = Duration::from_secs(3_600);

/// What a hub needs to run.
#[derive(Clone)]
pub struct Config {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The store, which must have been made.
    pub store: StoreUrl,
    /// Its limits.
    pub limits: Limits,
    /// Where the day comes from.
    pub clock: Arc<dyn Clock>,
}

impl core::fmt::Debug for Config {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Config")
            .field("listen", &self.listen)
            .field("store", &self.store)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// Makes a store and returns its mark and the one admin capability, which is kept nowhere.
///
/// # Errors
/// [`Error::Exists`] if there is something at the place; what the engine says.
pub fn init(store: &StoreUrl, clock: &dyn Clock) -> Result<(StoreEpoch, Capability)> {
    match store {
        StoreUrl::Sqlite(path) => SqliteStore::create(path, clock.read().day()),
    }
}

/// A hub that runs on threads of its own. Dropping it stops it as [`Running::stop`] does.
#[derive(Debug)]
pub struct Running {
    addr: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<Result<()>>>,
}

impl Running {
    /// Returns the address it is bound to.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Returns its base URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Takes no new requests, lets those under way finish for a few seconds, closes the store.
    ///
    /// # Errors
    /// What the server ended with.
    pub fn stop(mut self) -> Result<()> {
        self.end()
    }

    fn end(&mut self) -> Result<()> {
        if let Some(stop) = self.stop.take() {
            // It may have ended by itself.
            let _ = stop.send(());
        }
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(outcome)) => outcome,
            Some(Err(_)) => Err(Error::Io {
                what: "serve",
                kind: std::io::ErrorKind::Other,
            }),
            None => Ok(()),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Whoever wants to know calls `stop`.
        let _ = self.end();
    }
}

/// Starts a hub and returns when it listens. Needs no async runtime and may be called within one.
///
/// # Errors
/// [`Error::NoStore`], what the engine says, [`Error::Io`] if the address cannot be bound.
pub fn serve(config: Config) -> Result<Running> {
    let (ready, bound) = std::sync::mpsc::channel();
    let (stop, stopped) = oneshot::channel();
    let thread = std::thread::Builder::new()
        .name("hub".into())
        .spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .thread_name("hub-worker")
                .enable_all()
                .build()
                .map_err(Error::io("start"))?;
            let outcome = runtime.block_on(run(config, ready, stopped));
            runtime.shutdown_timeout(STOP_PATIENCE);
            outcome
        })
        .map_err(Error::io("start"))?;
    match bound.recv() {
        Ok(addr) => Ok(Running {
            addr,
            stop: Some(stop),
            thread: Some(thread),
        }),
        // It ended before it listened: the thread says why.
        Err(_) => match thread.join() {
            Ok(Err(error)) => Err(error),
            _ => Err(Error::Io {
                what: "start",
                kind: std::io::ErrorKind::Other,
            }),
        },
    }
}

async fn run(
    config: Config,
    ready: std::sync::mpsc::Sender<SocketAddr>,
    stopped: oneshot::Receiver<()>,
) -> Result<()> {
    let Config {
        listen,
        store,
        limits,
        clock,
    } = config;
    let StoreUrl::Sqlite(path) = store;
    let store = SqliteStore::open(&path)?;
    let listener = TcpListener::bind(listen).await.map_err(Error::io("listen"))?;
    let addr = listener.local_addr().map_err(Error::io("listen"))?;
    let sweeper = tokio::spawn(sweep_often(store.clone(), limits, Arc::clone(&clock)));
    let app = App::new(store, limits, clock)?;
    let service = router(app).into_make_service_with_connect_info::<SocketAddr>();
    let (drain, drained) = oneshot::channel::<()>();
    let mut server = std::pin::pin!(std::future::IntoFuture::into_future(
        axum::serve(listener, service).with_graceful_shutdown(async move {
            // A sender that is gone means the same as one that was used.
            let _ = drained.await;
        })
    ));
    if ready.send(addr).is_err() {
        return Ok(());
    }
    let outcome = tokio::select! {
        outcome = &mut server => outcome.map_err(Error::io("serve")),
        _ = stopped => {
            drop(drain);
            match tokio::time::timeout(STOP_PATIENCE, server).await {
                Ok(outcome) => outcome.map_err(Error::io("serve")),
                // A reader that never hangs up is cut off.
                Err(_) => Ok(()),
            }
        }
    };
    sweeper.abort();
    outcome
}

async fn sweep_often(store: impl Store, limits: Limits, clock: Arc<dyn Clock>) {
    let mut pause = tokio::time::interval(SWEEP_PAUSE);
    loop {
        pause.tick().await;
        // A sweep that fails is made up for by the next one.
        let _ = store.sweep(clock.read().day(), limits.ttl_days).await;
    }
}
