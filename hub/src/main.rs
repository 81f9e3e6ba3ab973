//! `landfall-hub`: makes, serves and looks after one store. Owns the command line and its exit codes
//! (0 done, 1 refused, 2 wrong usage, 3 something is lacking, 4 damaged) and nothing else.

#![allow(clippy::print_stderr, reason = "a binary speaks to the person who started it")]

use std::io::Write as _;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand};
use landfall_hub::store::{SqliteStore, Store as _};
use landfall_hub::{Config, Error, Limits, StoreUrl};
use landfall_wire::clock::{Clock as _, SystemClock};

/// Blind store-and-forward for sealed records.
#[derive(Debug, Parser)]
#[command(
    name = "landfall-hub",
    version,
    after_help = "Example:\n  landfall-hub init --store sqlite:hub.db\n  landfall-hub serve --listen 127.0.0.1:8470 --store sqlite:hub.db"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Args)]
struct At {
    /// The store: sqlite:PATH. Default: hub.db in the data directory.
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    /// Answer as one JSON document.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes a store and prints its admin capability, once.
    #[command(after_help = "Example: landfall-hub init --store sqlite:hub.db --json > admin.json")]
    Init(At),
    /// Serves a store until it is told to stop (SIGTERM, SIGINT). Prints the bound address as one line.
    #[command(after_help = "Example: landfall-hub serve --listen 127.0.0.1:0 --store sqlite:hub.db")]
    Serve {
        #[command(flatten)]
        at: At,
        /// Where to listen; port 0 takes a free one.
        #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8470")]
        listen: SocketAddr,
        /// Requests a second that one capability may make over a longer time.
        #[arg(long, value_name = "N")]
        rate: Option<NonZeroU32>,
    },
    /// Prints counters.
    #[command(after_help = "Example: landfall-hub stats --store sqlite:hub.db --json")]
    Stats(At),
    /// Deletes what has passed its time to live.
    #[command(after_help = "Example: landfall-hub sweep --store sqlite:hub.db")]
    Sweep(At),
    /// Copies the store into a new file, also while it is served.
    #[command(after_help = "Example: landfall-hub backup hub-copy.db --store sqlite:hub.db")]
    Backup {
        /// The new file.
        file: PathBuf,
        #[command(flatten)]
        at: At,
    },
    /// Makes a store out of a backup, with a new mark by which phones and desk see that time went back.
    #[command(after_help = "Example: landfall-hub restore hub-copy.db --store sqlite:hub.db")]
    Restore {
        /// The backup.
        file: PathBuf,
        #[command(flatten)]
        at: At,
    },
}

/// The default store, as the XDG base directory specification places it.
fn default_store() -> Result<StoreUrl, Error> {
    let home = |name: &str| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let data = home("XDG_DATA_HOME")
        .filter(|path| path.is_absolute())
        .or_else(|| home("HOME").map(|home| home.join(".local/share")))
        .ok_or(Error::BadStoreUrl)?;
    Ok(StoreUrl::Sqlite(data.join("landfall-hub").join("hub.db")))
}

impl At {
    fn url(&self) -> Result<StoreUrl, Error> {
        self.store.as_deref().map_or_else(default_store, str::parse)
    }

    fn path(&self) -> Result<PathBuf, Error> {
        let StoreUrl::Sqlite(path) = self.url()?;
        Ok(path)
    }
}

fn say(line: &str) -> Result<(), Error> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")
        .and_then(|()| out.flush())
        .map_err(|error| Error::Io {
            what: "write to stdout",
            kind: error.kind(),
        })
}

fn on_store<T>(at: &At, run: impl AsyncFnOnce(SqliteStore) -> Result<T, Error>) -> Result<T, Error> {
    let store = SqliteStore::open(&at.path()?)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .map_err(|error| Error::Io {
            what: "start",
            kind: error.kind(),
        })?;
    runtime.block_on(run(store))
}

fn run(command: Command) -> Result<(), Error> {
    let clock = SystemClock::new();
    match command {
        Command::Init(at) => {
            let (epoch, admin) = landfall_hub::init(&at.url()?, &clock)?;
            let admin = admin.expose_hex();
            if at.json {
                say(&format!(
                    r#"{{"store_epoch":"{epoch}","admin_cap":"{}"}}"#,
                    admin.as_str()
                ))
            } else {
                eprintln!("store made; this is its admin capability, shown once:");
                say(&admin)
            }
        }
        Command::Serve { at, listen, rate } => {
            let mut limits = Limits::default();
            if let Some(rate) = rate {
                limits.rate = rate;
            }
            let stop = signals()?;
            let config = Config {
                listen,
                store: at.url()?,
                limits,
                clock: Arc::new(clock),
            };
            let running = landfall_hub::serve(config)?;
            let addr = running.addr();
            say(&if at.json {
                format!(r#"{{"addr":"{addr}"}}"#)
            } else {
                addr.to_string()
            })?;
            // Ends with a signal; an error cannot happen while the watcher lives.
            let _ = stop.recv();
            running.stop()
        }
        Command::Stats(at) => {
            let stats = on_store(&at, async |store| store.stats().await)?;
            if at.json {
                say(&serde_json::to_string(&stats).unwrap_or_default())
            } else {
                say(&format!(
                    "items {}, bytes {}, tombstones {}, expired {}, mailboxes {}, capabilities {}, revoked {}",
                    stats.items,
                    stats.bytes,
                    stats.tombstones,
                    stats.expired,
                    stats.mailboxes,
                    stats.capabilities,
                    stats.revoked
                ))
            }
        }
        Command::Sweep(at) => {
            let day = clock.read().day();
            let ttl_days = Limits::default().ttl_days;
            let swept = on_store(&at, async |store| store.sweep(day, ttl_days).await)?;
            if at.json {
                say(&serde_json::to_string(&swept).unwrap_or_default())
            } else {
                say(&format!(
                    "expired {}, tombstones {}",
                    swept.expired, swept.tombstones
                ))
            }
        }
        Command::Backup { file, at } => SqliteStore::backup(&at.path()?, &file),
        Command::Restore { file, at } => {
            let epoch = SqliteStore::restore(&file, &at.path()?)?;
            say(&if at.json {
                format!(r#"{{"store_epoch":"{epoch}"}}"#)
            } else {
                epoch.to_hex()
            })
        }
    }
}

/// Watches for SIGTERM and SIGINT from before the address is printed: whoever reads it may send one at once.
fn signals() -> Result<std::sync::mpsc::Receiver<()>, Error> {
    let (tell, told) = std::sync::mpsc::channel();
    let (ready, watching) = std::sync::mpsc::channel();
    let io = |error: std::io::Error| Error::Io {
        what: "watch for signals",
        kind: error.kind(),
    };
    let watch = move || -> std::io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            #[cfg(unix)]
            {
                use tokio::signal::unix::{SignalKind, signal};
                let mut term = signal(SignalKind::terminate())?;
                let mut int = signal(SignalKind::interrupt())?;
                let _ = ready.send(());
                tokio::select! { _ = term.recv() => {}, _ = int.recv() => {} }
            }
            #[cfg(not(unix))]
            {
                let _ = ready.send(());
                tokio::signal::ctrl_c().await?;
            }
            let _ = tell.send(());
            Ok(())
        })
    };
    std::thread::Builder::new()
        .name("signals".into())
        .spawn(watch)
        .map_err(io)?;
    watching.recv().map_err(|_| Error::Io {
        what: "watch for signals",
        kind: std::io::ErrorKind::Other,
    })?;
    Ok(told)
}

fn exit_code(error: &Error) -> u8 {
    match error {
        Error::UnknownScheme { .. } | Error::BadStoreUrl => 2,
        Error::NoStore | Error::NoRandom | Error::Io { .. } | Error::Busy | Error::Full => 3,
        Error::NotAStore | Error::NewerSchema { .. } | Error::Damaged | Error::Engine { .. } => 4,
        _ => 1,
    }
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("landfall-hub: {error}");
            ExitCode::from(exit_code(&error))
        }
    }
}
