//! The keyring: the desk's signing key and the epoch keys that open envelopes. A small file of its own, sealed to a key
//! derived from the vault's root key, so that an epoch key can be destroyed without touching the database.

use std::fmt;
use std::path::Path;

use landfall_seal::{EpochIdentity, SigningKey, Vrk, open_file, seal_file};
use landfall_wire::cbor::{Limits, MapReader, MapWriter, Unknown, Value};
use zeroize::Zeroizing;

use crate::{Error, Result, files};

/// Name of the file in a desk's home.
pub(crate) const FILE: &str = "keyring.age";
/// Version of the content.
const VERSION: u64 = 1;
/// Most epoch keys: thirty days each, so this is more than ten years.
const MAX_EPOCHS: usize = 128;

/// One epoch's private key.
pub(crate) struct Epoch {
    pub(crate) number: u32,
    pub(crate) identity: EpochIdentity,
}

/// All private keys of the desk.
pub(crate) struct Keyring {
    pub(crate) signing: SigningKey,
    pub(crate) epochs: Vec<Epoch>,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keyring({} epochs)", self.epochs.len())
    }
}

impl Keyring {
    /// The key under which the file is sealed.
    fn lock(vrk: &Vrk) -> Result<EpochIdentity> {
        Ok(EpochIdentity::from_seed(&*vrk.derive(b"landfall/v1/keyring")?))
    }

    /// Writes the file beside the database, whole.
    pub(crate) fn store(&self, home: &Path, vrk: &Vrk) -> Result<()> {
        let epochs = self.epochs.iter().map(|epoch| {
            Value::map([
                (0, Value::int(epoch.number)),
                (1, Value::bytes(epoch.identity.seed().as_slice())),
            ])
        });
        let plain = Zeroizing::new(
            MapWriter::version(VERSION)
                .put(1, Value::bytes(self.signing.seed().as_slice()))
                .put(2, Value::array(epochs))
                .encode(&Unknown::default()),
        );
        let sealed = seal_file(&plain, &[Self::lock(vrk)?.recipient()?])?;
        files::write_whole(&home.join(FILE), &sealed)
    }

    /// Reads the file.
    pub(crate) fn load(home: &Path, vrk: &Vrk) -> Result<Self> {
        let sealed = std::fs::read(home.join(FILE)).map_err(Error::io("reading the keyring"))?;
        let plain = open_file(&sealed, &[&Self::lock(vrk)?]).map_err(|_| Error::Keyring)?;
        Self::decode(&plain).map_err(|_| Error::Keyring)
    }

    fn decode(plain: &[u8]) -> Result<Self> {
        let mut map = MapReader::decode(plain, &Limits::MESSAGE)?;
        map.version(VERSION)?;
        let signing = Zeroizing::new(map.fixed::<32>(1)?);
        let mut epochs = Vec::new();
        for value in map.array(2, MAX_EPOCHS)? {
            let mut epoch = MapReader::new(value)?;
            let number = epoch.u32(0)?;
            let seed = Zeroizing::new(epoch.fixed::<32>(1)?);
            epochs.push(Epoch {
                number,
                identity: EpochIdentity::from_seed(&seed),
            });
        }
        Ok(Self {
            signing: SigningKey::from_seed(&signing),
            epochs,
        })
    }

    /// Identities in the order in which they are tried: the newest first.
    pub(crate) fn identities(&self) -> Vec<&EpochIdentity> {
        self.epochs.iter().rev().map(|epoch| &epoch.identity).collect()
    }
}
