//! The bad link as a process: `landfall-link --to ADDR --seed N` prints the address it is bound to, then obeys
//! one command a line: `open` or `good`, `close`, `bad`, `aim ADDR`, `stats` (answered with one line of JSON).
//! Ends with its standard input.

use std::io::{BufRead as _, Write as _};
use std::net::SocketAddr;

use anyhow::Context as _;
use clap::Parser;
use landfall_tests::link::{Link, Weather};

/// A link that loses answers, cuts connections and shows sign-in pages.
#[derive(Debug, Parser)]
#[command(after_help = "Example: landfall-link --to 127.0.0.1:8470 --seed 1")]
struct Cli {
    /// Address of the hub.
    #[arg(long, value_name = "ADDR")]
    to: SocketAddr,
    /// What happens follows from it.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Begin without network.
    #[arg(long)]
    closed: bool,
}

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    let link = Link::start(cli.to, cli.seed).context("start the link")?;
    if cli.closed {
        link.set(Weather::Closed);
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", link.addr())?;
    out.flush()?;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let mut words = line.split_whitespace();
        match (words.next(), words.next()) {
            (Some("open" | "good"), None) => link.set(Weather::Good),
            (Some("close"), None) => link.set(Weather::Closed),
            (Some("bad"), None) => link.set(Weather::Bad),
            (Some("aim"), Some(to)) => link.aim(to.parse().context("an address")?),
            (Some("stats"), None) => {
                writeln!(out, "{}", serde_json::to_string(&link.stats())?)?;
                out.flush()?;
            }
            (None, _) => {}
            _ => anyhow::bail!("not a command"),
        }
    }
    Ok(())
}
