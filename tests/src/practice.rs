//! A practice organisation: one process with a real hub on loopback and a real desk, for the contract of the border,
//! for flow tests and for `cargo xtask app`. Whoever records here can reach no other desk.
//!
//! It owns one home directory and nothing outside it, keeps what it made, and goes on with it when it is started
//! again. Its secrets lie beside its data: it protects nobody, and must never hold a real record.
//!
//! One JSON object a line. At the start: `{"hub":URL,"invitation":PATH,"organisation":NAME}`. Then:
//!
//! | line | answer |
//! |---|---|
//! | `{"do":"invite","point":P}` (P optional) | `invitation`: path of a further invitation |
//! | `{"do":"enrol_answer","reply":TEXT}` | `words`: the six words as the desk reads them |
//! | `{"do":"enrol_confirm","words":[…]}` | `device`; its capabilities work from now on |
//! | `{"do":"round"}` | `pulled`, `ingested`, `known`, `quarantined`, `entries`, `backed_up`, `receipts`, `acked` |
//!
//! A line that cannot be carried out is answered with `{"error":TEXT}`; the process ends when its input does.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use landfall_desk::{Costs, Desk};
use landfall_hub::{Config, Limits, Running, StoreUrl};
use landfall_seal::{Tuning, passphrase::WorkFactor, random, words};
use landfall_sync::HubClient;
use landfall_sync::carry::{self, AdminFile, CourierFile};
use landfall_sync::rng::FnRng;
use landfall_wire::clock::{Clock, SystemClock};
use serde_json::{Value, json};

/// The organisation's name, as devices show it.
const NAME: &str = "Practice organisation";
/// Where its monitors stand, if a line names no other point.
const POINT: &str = "ouanaminthe";

/// A hub and a desk that stand.
#[derive(Debug)]
pub struct Practice {
    home: PathBuf,
    hub: Running,
    desk: Desk,
    invitations: u32,
}

impl Practice {
    /// Founds the organisation in an empty home, or goes on with the one that is there.
    ///
    /// # Errors
    /// When the home cannot be used, or the port of an earlier start is taken.
    pub fn start(home: &Path) -> anyhow::Result<Practice> {
        fs::create_dir_all(home).with_context(|| format!("making {}", home.display()))?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let practice = if home.join("courier.json").exists() {
            Self::go_on(home, clock)?
        } else {
            Self::found(home, clock)?
        };
        Ok(practice)
    }

    fn found(home: &Path, clock: Arc<dyn Clock>) -> anyhow::Result<Practice> {
        // What an earlier start left unfinished: nobody has been invited to it yet.
        for name in ["hub", "desk", "recovery"] {
            let rest = home.join(name);
            if rest.exists() {
                fs::remove_dir_all(&rest).with_context(|| format!("clearing {}", rest.display()))?;
            }
        }
        let store = hub_store(home);
        fs::create_dir_all(home.join("hub"))?;
        let (_, admin_cap) = landfall_hub::init(&store, clock.as_ref())?;
        let hub = serve(home, 0, Arc::clone(&clock))?;
        let url = hub.url();
        AdminFile {
            url: url.clone(),
            admin_cap,
        }
        .write(&home.join("admin.json"))?;

        let passphrase = words::make_passphrase("en")?;
        fs::write(home.join("passphrase"), passphrase.as_bytes())?;
        // Cheap guesses: the passphrase lies beside it.
        let costs = Costs {
            tuning: Tuning::desk_for_tests(),
            work: WorkFactor::for_tests(),
        };
        let recovery = home.join("recovery");
        let (mut desk, _) = Desk::init(&home.join("desk"), NAME, &recovery, &passphrase, &costs, clock)?;
        let (read_cap, downlink_cap) = desk.add_hub(&url)?;
        let courier = CourierFile {
            url,
            inbox: desk.inbox()?,
            read_cap,
            downlink_cap,
        };
        // Last: this file is the organisation.
        courier.write(&home.join("courier.json"))?;
        Ok(Practice {
            home: home.to_path_buf(),
            hub,
            desk,
            invitations: 0,
        })
    }

    fn go_on(home: &Path, clock: Arc<dyn Clock>) -> anyhow::Result<Practice> {
        let courier = CourierFile::read(&home.join("courier.json"))?;
        // Devices know the hub by this address.
        let port = courier
            .url
            .rsplit(':')
            .next()
            .and_then(|port| port.parse().ok())
            .context("the courier file names no port")?;
        let hub = serve(home, port, Arc::clone(&clock))
            .with_context(|| format!("the hub of this home must listen on port {port} again"))?;
        let passphrase = fs::read_to_string(home.join("passphrase")).context("reading the passphrase")?;
        let desk = Desk::open(&home.join("desk"), &passphrase, clock)?;
        Ok(Practice {
            home: home.to_path_buf(),
            hub,
            desk,
            invitations: 0,
        })
    }

    /// Makes a first invitation and returns what is printed at the start.
    ///
    /// # Errors
    /// As [`Practice::line`].
    pub fn greeting(&mut self) -> anyhow::Result<Value> {
        let mut greeting = self.invite(None)?;
        if let Some(fields) = greeting.as_object_mut() {
            fields.insert("hub".to_owned(), json!(self.hub.url()));
            fields.insert("organisation".to_owned(), json!(NAME));
        }
        Ok(greeting)
    }

    /// Carries out one line and returns the answer.
    pub fn line(&mut self, line: &str) -> Value {
        match self.carry_out(line) {
            Ok(answer) => answer,
            Err(error) => json!({ "error": format!("{error:#}") }),
        }
    }

    fn carry_out(&mut self, line: &str) -> anyhow::Result<Value> {
        let line: Value = serde_json::from_str(line).context("a line is one JSON object")?;
        let text = |name: &str| line.get(name).and_then(Value::as_str);
        match text("do") {
            Some("invite") => self.invite(text("point")),
            Some("enrol_answer") => {
                let words = self.desk.answer(text("reply").context("reply is missing")?)?;
                Ok(json!({ "words": words }))
            }
            Some("enrol_confirm") => {
                let words: Vec<&str> = line
                    .get("words")
                    .and_then(Value::as_array)
                    .context("words are missing")?
                    .iter()
                    .filter_map(Value::as_str)
                    .collect();
                let device = self.desk.confirm(&words.join(" "))?;
                self.push()?;
                Ok(json!({ "device": device.to_hex() }))
            }
            Some("round") => self.round(),
            _ => anyhow::bail!("do is invite, enrol_answer, enrol_confirm or round"),
        }
    }

    fn invite(&mut self, point: Option<&str>) -> anyhow::Result<Value> {
        let text = self.desk.invite("monitor", point.unwrap_or(POINT), "en")?;
        let path = loop {
            self.invitations += 1;
            let path = self.home.join(format!("invitation-{}.txt", self.invitations));
            if !path.exists() {
                break path;
            }
        };
        fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
        Ok(json!({ "invitation": path.display().to_string() }))
    }

    /// What a coordinator does in the evening: pull, ingest, copy to a second medium, answer, push.
    fn round(&mut self) -> anyhow::Result<Value> {
        let courier = CourierFile::read(&self.home.join("courier.json"))?;
        let client = HubClient::for_url(&courier.url)?;
        let bundle = self.fresh("pulled.landfall")?;
        let pulled = carry::pull(&client, &courier, &bundle, &mut FnRng(random::fill))?;
        let end = self.desk.ingest(
            fs::File::open(&bundle).context("opening what was pulled")?,
            |_| {},
        )?;
        fs::remove_file(&bundle)?;
        if let Some(damage) = end.damaged {
            anyhow::bail!("the bundle is damaged: {damage}");
        }
        let copied = self.desk.backup(&self.home.join("medium"))?;
        let (receipts, acked) = self.push()?;
        let ingested = end.ingested;
        Ok(json!({
            "pulled": pulled.envelopes,
            "ingested": ingested.new,
            "known": ingested.known,
            "quarantined": ingested.held + ingested.unopenable,
            "entries": ingested.entries,
            "backed_up": copied.envelopes,
            "receipts": receipts,
            "acked": acked,
        }))
    }

    /// Sends what the desk has to say: capabilities, receipts, acks.
    fn push(&mut self) -> anyhow::Result<(u64, u64)> {
        let courier = CourierFile::read(&self.home.join("courier.json"))?;
        let admin = AdminFile::read(&self.home.join("admin.json"))?;
        let client = HubClient::for_url(&courier.url)?;
        let bundle = self.fresh("outgoing.landfall")?;
        let out = fs::File::create_new(&bundle).context("writing the answers")?;
        let (said, _) = self.desk.outgoing(out, false)?;
        let pushed = carry::push(&client, &courier, Some(&admin), &bundle, &mut FnRng(random::fill))?;
        fs::remove_file(&bundle)?;
        Ok((said.receipts, pushed.acked))
    }

    /// A path in the home on which nothing lies, not even the rest of a round that was broken off.
    fn fresh(&self, name: &str) -> anyhow::Result<PathBuf> {
        let path = self.home.join(name);
        if path.exists() {
            fs::remove_file(&path)?;
        }
        Ok(path)
    }
}

fn hub_store(home: &Path) -> StoreUrl {
    StoreUrl::Sqlite(home.join("hub/hub.db"))
}

fn serve(home: &Path, port: u16, clock: Arc<dyn Clock>) -> anyhow::Result<Running> {
    Ok(landfall_hub::serve(Config {
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
        store: hub_store(home),
        limits: Limits::default(),
        clock,
    })?)
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        reason = "tests"
    )]
    use super::*;
    use crate::device::Device;

    fn say(device: &mut Device, line: Value) -> Value {
        let answer: Value = serde_json::from_str(&device.line(&line.to_string())).unwrap();
        assert_eq!(answer["ok"], true, "{answer}");
        answer
    }

    #[test]
    fn a_record_comes_through_and_the_organisation_outlives_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("practice");
        let mut practice = Practice::start(&home).unwrap();
        let greeting = practice.greeting().unwrap();
        let invitation = fs::read_to_string(greeting["invitation"].as_str().unwrap()).unwrap();

        let mut device = Device::new();
        let phone = folder.path().join("phone");
        say(
            &mut device,
            json!({"cmd":"device","home":phone.to_str(),"guard_seed":"07".repeat(32),"tuning":"tests"}),
        );
        let step = say(
            &mut device,
            json!({"cmd":"enrol_begin","invitation":invitation,"passcode":"40271893"}),
        );
        let answer = practice.line(&json!({"do":"enrol_answer","reply":step["reply"]}).to_string());
        assert_eq!(answer["words"], step["words"]);
        let wrong = practice.line(&json!({"do":"enrol_confirm","words":["no"]}).to_string());
        assert!(wrong["error"].is_string());
        let confirmed = practice.line(&json!({"do":"enrol_confirm","words":step["words"]}).to_string());
        assert_eq!(confirmed["device"], step["device_id"]);
        say(&mut device, json!({"cmd":"enrol_confirm","passcode":"40271893"}));
        say(&mut device, json!({"cmd":"unlock","passcode":"40271893"}));
        let tally = json!({"A02":"DOM-HTI","A05":"bus","A08":"deportation","A09":"official","A10":"no","A11":"full",
            "A12":["police_arr"],"A20":"counted","A21":"no","A77":"none","N_m_adult":12});
        let saved = say(&mut device, json!({"cmd":"tally","answers":tally}));
        assert_eq!(saved["outcome"], "saved");

        drop(practice);
        let mut practice = Practice::start(&home).unwrap();
        assert_eq!(practice.greeting().unwrap()["hub"], greeting["hub"]);
        let sent = say(&mut device, json!({"cmd":"courier"}));
        assert_eq!(
            (&sent["handed"], &sent["refused"]),
            (&json!(1), &json!(0)),
            "{sent}"
        );
        let round = practice.line(r#"{"do":"round"}"#);
        for (name, figure) in [
            ("ingested", 1),
            ("quarantined", 0),
            ("entries", 1),
            ("backed_up", 1),
            ("receipts", 1),
        ] {
            assert_eq!(round[name], figure, "{name} of {round}");
        }
        say(&mut device, json!({"cmd":"courier"}));
        assert_eq!(say(&mut device, json!({"cmd":"counts"}))["received"], 1);
        assert!(practice.line("no json")["error"].is_string());
        assert!(practice.line(r#"{"do":"dance"}"#)["error"].is_string());
    }
}
