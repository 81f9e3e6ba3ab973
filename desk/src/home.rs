//! A desk's home: header, database, keyring. Makes a new organisation and opens an existing desk.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use landfall_form::Pack;
use landfall_model::Stored;
use landfall_seal::{
    EpochIdentity, Header, NoGuard, SigningKey, Tuning, Vrk, WorkFactor, charter, manifest, random, words,
};
use landfall_vault::store::{checkpoint, open_sqlcipher};
use landfall_wire::charter::Charter;
use landfall_wire::clock::{Clock, day_of};
use landfall_wire::ids::{Aud, Capability, DeskEpoch, Digest, MailboxId, OrgId};
use landfall_wire::manifest::{Endpoint, EndpointKind, EpochKey, Manifest};
use landfall_wire::sign::Signer as _;
use zeroize::Zeroizing;

use crate::keyring::{Epoch, Keyring};
use crate::store::{MIGRATIONS, Organisation, Store};
use crate::{Error, Result, files};

/// Name of the database in a desk's home.
pub(crate) const DATABASE: &str = "desk.db";
/// How long an epoch key is sealed to: 30 days.
pub const EPOCH_DAYS: u32 = 30;
/// How long charter and manifest accept changes: 400 and 120 days.
const CHARTER_DAYS: u32 = 400;
const MANIFEST_DAYS: u32 = 120;
/// Language of the root keys' passphrases.
const LANGUAGE: &str = "en";

/// How costly guesses of passphrases are made.
#[derive(Debug, Clone, Copy)]
pub struct Costs {
    /// The desk's header.
    pub tuning: Tuning,
    /// The files of the root keys.
    pub work: WorkFactor,
}

impl Default for Costs {
    fn default() -> Self {
        Self {
            tuning: Tuning::desk(),
            work: WorkFactor::STANDARD,
        }
    }
}

/// One root key's file and the passphrase under which it is sealed, shown once.
pub struct RootKey {
    /// The file.
    pub path: PathBuf,
    /// Six words.
    pub passphrase: Zeroizing<String>,
}

impl fmt::Debug for RootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RootKey(..)")
    }
}

/// An open desk.
pub struct Desk {
    pub(crate) home: PathBuf,
    pub(crate) vrk: Vrk,
    pub(crate) store: Store,
    pub(crate) keyring: Keyring,
    pub(crate) clock: Arc<dyn Clock>,
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Desk(..)")
    }
}

impl Desk {
    /// Founds an organisation: root keys into `recovery`, charter, manifest, first epoch key, database.
    ///
    /// # Errors
    /// [`Error::DeskExists`], [`Error::KeysExist`], and those of the store and of the file system.
    pub fn init(
        home: &Path,
        organisation: &str,
        recovery: &Path,
        passphrase: &str,
        costs: &Costs,
        clock: Arc<dyn Clock>,
    ) -> Result<(Self, Vec<RootKey>)> {
        if home.join(DATABASE).exists() || home.join(landfall_seal::header::FILES[0]).exists() {
            return Err(Error::DeskExists);
        }
        let root_path = |n: usize| recovery.join(format!("root-{n}.age"));
        if (1..=3).any(|n| root_path(n).exists()) {
            return Err(Error::KeysExist);
        }
        files::make_folder(home)?;
        files::make_folder(&home.join("att"))?;
        files::make_folder(recovery)?;
        let today = day_of(clock.read().wall_s);

        let roots = [SigningKey::make(), SigningKey::make(), SigningKey::make()];
        let signing = SigningKey::make();
        let charter = Charter {
            org: OrgId::from_bytes(random::make()),
            org_name: organisation.to_owned(),
            root_keys: [
                roots[0].public_key(),
                roots[1].public_key(),
                roots[2].public_key(),
            ],
            threshold: 2,
            desk_keys: vec![signing.public_key()],
            serial: 1,
            expires_day: today + CHARTER_DAYS,
            first: None,
            unknown: Default::default(),
        };
        let frame = charter::sign(&charter, &[&roots[0], &roots[1], &roots[2]]);
        charter::verify(&frame)?;
        let epoch = EpochIdentity::make();
        let manifest = Manifest {
            serial: 1,
            aud: charter.aud(),
            epochs: vec![EpochKey {
                number: 1,
                from_day: today,
                until_day: today + EPOCH_DAYS,
                recipient: *epoch.recipient()?.as_bytes(),
                unknown: Default::default(),
            }],
            endpoints: Vec::new(),
            tls_roots: Vec::new(),
            packs: vec![(
                "standard".to_owned(),
                Digest::from_bytes(standard_pack()?.digest()),
            )],
            min_version: "0.1.0".to_owned(),
            expires_day: today + MANIFEST_DAYS,
            inbox: MailboxId::from_bytes(random::make()),
            desk_epoch: DeskEpoch::from_bytes(random::make()),
            unknown: Default::default(),
        };

        let (header, vrk) = Header::make(passphrase.as_bytes(), &costs.tuning, &NoGuard)?;
        let connection = open_sqlcipher(&home.join(DATABASE), vrk.db_key()?.expose(), &MIGRATIONS)?;
        let store = Store::new(connection);
        store.put_organisation(&Organisation {
            name: organisation.to_owned(),
            charter: frame,
            aud: charter.aud(),
            manifest: manifest::sign(&manifest, &signing),
            serial: 1,
            inbox: manifest.inbox,
            desk_epoch: manifest.desk_epoch,
        })?;
        let keyring = Keyring {
            signing,
            epochs: vec![Epoch {
                number: 1,
                identity: epoch,
            }],
        };
        keyring.store(home, &vrk)?;
        let mut keys = Vec::new();
        for (n, root) in roots.iter().enumerate() {
            let passphrase = words::make_passphrase(LANGUAGE)?;
            let path = root_path(n + 1);
            files::write_whole(&path, &root.to_root_file(&passphrase, costs.work)?)?;
            keys.push(RootKey { path, passphrase });
        }
        // Last: a home without a header is no desk, whatever else was written.
        header.store_pair(home)?;
        Ok((
            Self {
                home: home.to_path_buf(),
                vrk,
                store,
                keyring,
                clock,
            },
            keys,
        ))
    }

    /// Opens a desk.
    ///
    /// # Errors
    /// [`Error::NoDesk`], [`Error::WrongPassphrase`], [`Error::Keyring`], and those of the store.
    pub fn open(home: &Path, passphrase: &str, clock: Arc<dyn Clock>) -> Result<Self> {
        let opened = Header::open_pair(home, passphrase.as_bytes(), &NoGuard);
        let (_, vrk) = opened.map_err(|error| match error {
            landfall_seal::Error::NoHeader => Error::NoDesk,
            landfall_seal::Error::WrongPasscode => Error::WrongPassphrase,
            other => other.into(),
        })?;
        let connection = open_sqlcipher(&home.join(DATABASE), vrk.db_key()?.expose(), &MIGRATIONS)?;
        let keyring = Keyring::load(home, &vrk)?;
        Ok(Self {
            home: home.to_path_buf(),
            vrk,
            store: Store::new(connection),
            keyring,
            clock,
        })
    }

    /// Writes everything into the database file and closes it.
    ///
    /// # Errors
    /// Those of the store.
    pub fn close(self) -> Result<()> {
        Ok(checkpoint(self.store.connection())?)
    }

    /// The organisation's name.
    ///
    /// # Errors
    /// Those of the store.
    pub fn organisation(&self) -> Result<String> {
        Ok(self.store.organisation()?.name)
    }

    /// The audience of every entry for this desk.
    ///
    /// # Errors
    /// Those of the store.
    pub fn audience(&self) -> Result<Aud> {
        Ok(self.store.organisation()?.aud)
    }

    /// The desk's inbox at the hub.
    ///
    /// # Errors
    /// Those of the store.
    pub fn inbox(&self) -> Result<MailboxId> {
        Ok(self.store.organisation()?.inbox)
    }

    /// Adds a hub: the manifest gets its address and a higher serial, and a courier file's capabilities are made.
    /// Answers the two capabilities, to read the inbox and to write the downlinks; only their hashes stay here.
    ///
    /// # Errors
    /// [`Error::BadUrl`], and those of the store.
    pub fn add_hub(&mut self, url: &str) -> Result<(Capability, Capability)> {
        let kind = endpoint_kind(url).ok_or(Error::BadUrl)?;
        let org = self.store.organisation()?;
        let mut manifest = self.manifest()?;
        manifest.serial = org.serial + 1;
        manifest.endpoints.retain(|endpoint| endpoint.url != url);
        manifest.endpoints.push(Endpoint {
            kind,
            url: url.to_owned(),
        });
        let frame = manifest::sign(&manifest, &self.keyring.signing);
        let read = Capability::from_bytes(random::make());
        let downlink = Capability::from_bytes(random::make());
        self.store
            .add_hub(url, (&read.hash(), &downlink.hash()), &frame, manifest.serial)?;
        Ok((read, downlink))
    }

    /// The hubs.
    ///
    /// # Errors
    /// Those of the store.
    pub fn hubs(&self) -> Result<Vec<String>> {
        self.store.hubs()
    }

    pub(crate) fn charter(&self) -> Result<Charter> {
        Ok(charter::verify(&self.store.organisation()?.charter)?)
    }

    pub(crate) fn manifest(&self) -> Result<Manifest> {
        Ok(manifest::verify(
            &self.store.organisation()?.manifest,
            &self.charter()?,
        )?)
    }

    /// All stored entries. What the desk verified when it stored it is read back through the frame.
    ///
    /// # Errors
    /// [`Error::Row`], and those of the store.
    pub fn entries(&self) -> Result<Vec<Stored>> {
        let frames = self.store.frames()?;
        frames
            .iter()
            .map(|frame| Stored::read(frame).map_err(|_| Error::Row { what: "entry" }))
            .collect()
    }

    /// Entries whose phones keep them because no backup holds them yet.
    ///
    /// # Errors
    /// Those of the store.
    pub fn without_backup(&self) -> Result<u64> {
        self.store.without_backup()
    }
}

/// The standard instruments that this program was built with.
///
/// # Errors
/// [`Error::Row`], which a test of the build excludes.
pub fn standard_pack() -> Result<Pack> {
    Pack::decode(include_bytes!("../../forms/standard.pack")).map_err(|_| Error::Row { what: "form pack" })
}

fn endpoint_kind(url: &str) -> Option<EndpointKind> {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"))?;
    let host = rest.split(['/', ':']).next().filter(|host| !host.is_empty())?;
    if host.ends_with(".onion") {
        return Some(EndpointKind::Onion);
    }
    let loopback = matches!(host, "127.0.0.1" | "localhost");
    (url.starts_with("https://") || loopback).then_some(EndpointKind::Direct)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_the_loopback_and_onions() {
        assert_eq!(endpoint_kind("https://hub.example"), Some(EndpointKind::Direct));
        assert_eq!(endpoint_kind("http://127.0.0.1:8470"), Some(EndpointKind::Direct));
        assert_eq!(endpoint_kind("http://abc.onion/x"), Some(EndpointKind::Onion));
        for url in [
            "http://hub.example",
            "ftp://hub.example",
            "hub.example",
            "https://",
            "",
        ] {
            assert_eq!(endpoint_kind(url), None, "{url}");
        }
    }
}
