//! The passcode header: four equal-looking slots of which one opens (and later one may be duress), the other
//! ones random bytes. It is always made whole, never edited, and lies twice with the same content, so that
//! comparing copies shows nothing.
//!
//! Traps: all four slots are always tried, so that time tells nothing; there is no generation counter; the
//! old hardware alias is deleted last, by the caller, and that deletion is what ends the old passcode.

use core::fmt;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use landfall_wire::cbor::{self, Limits, MapReader, MapWriter, Unknown, Value};
use unicode_normalization::UnicodeNormalization as _;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::guard::{GuardScope, KeyGuard, MAX_ALIAS};
use crate::kdf::{self, NONCE};
use crate::tuning::Tuning;
use crate::{Error, Result, random};

/// Version of the format.
pub const VERSION: u64 = 1;
/// Number of slots.
pub const SLOTS: usize = 4;
/// Names of the two files in a home.
pub const FILES: [&str; 2] = ["header-1", "header-2"];

/// Nonce, type and key, tag.
const SLOT_LEN: usize = NONCE + 1 + 32 + 16;
const TYPE_OPENS: u8 = 1;
const MAX_FILE: usize = 4096;

/// The vault's root key: what the passcode protects. Wiped on drop, never printed.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Vrk([u8; 32]);

impl Vrk {
    /// Makes a random key.
    #[must_use]
    pub fn make() -> Self {
        Self(random::make())
    }

    /// Derives the key of the database.
    ///
    /// # Errors
    /// [`Error::Internal`], which HKDF's documents exclude for 32 bytes.
    pub fn db_key(&self) -> Result<DbKey> {
        Ok(DbKey::from_raw(&*self.derive(b"landfall/v1/db")?))
    }

    /// Derives a key for another purpose, named by `info`.
    ///
    /// # Errors
    /// [`Error::Internal`], which HKDF's documents exclude for 32 bytes.
    pub fn derive(&self, info: &[u8]) -> Result<Zeroizing<[u8; 32]>> {
        kdf::derive_key(&self.0, &[], &[info])
    }
}

impl fmt::Debug for Vrk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vrk(..)")
    }
}

/// SQLCipher's raw key in the one form that it takes as such: the 67 bytes `x'<64 hex>'`. 32 bare bytes would
/// be taken for a passphrase and give another, incompatible database.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct DbKey([u8; DbKey::LEN]);

impl DbKey {
    /// Length in bytes.
    pub const LEN: usize = 67;

    /// Writes 32 bytes in that form.
    #[must_use]
    pub fn from_raw(raw: &[u8; 32]) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [b'\''; Self::LEN];
        let mut at = text.iter_mut();
        if let Some(first) = at.next() {
            *first = b'x';
        }
        let digits = raw.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        at.skip(1).zip(digits).for_each(|(to, digit)| {
            *to = DIGITS.get(usize::from(digit)).copied().unwrap_or_default();
        });
        Self(text)
    }

    /// Shows the 67 bytes, for the one call that keys the database.
    #[must_use]
    pub const fn expose(&self) -> &[u8; Self::LEN] {
        &self.0
    }
}

impl fmt::Debug for DbKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DbKey(..)")
    }
}

/// A header. Nothing in it is secret without the passcode and the hardware.
#[derive(Clone, PartialEq, Eq)]
pub struct Header {
    salt: [u8; 16],
    tuning: Tuning,
    alias: String,
    slots: [[u8; SLOT_LEN]; SLOTS],
}

impl Header {
    /// Makes a header and a new root key.
    ///
    /// # Errors
    /// [`Error::PasscodeText`], [`Error::Guard`].
    pub fn make(passcode: &[u8], tuning: &Tuning, guard: &dyn KeyGuard) -> Result<(Self, Vrk)> {
        let vrk = Vrk::make();
        Ok((Self::make_for(&vrk, passcode, tuning, guard)?, vrk))
    }

    /// Makes a header anew for a root key that exists: new salt, new hardware alias, new places. It has been
    /// opened once before it is returned. Storing it, and deleting the old alias after that, is the caller's.
    ///
    /// # Errors
    /// [`Error::PasscodeText`], [`Error::Guard`].
    pub fn make_for(vrk: &Vrk, passcode: &[u8], tuning: &Tuning, guard: &dyn KeyGuard) -> Result<Self> {
        let passcode = normalize(passcode)?;
        if tuning.calls == 0 {
            return Self::make_on(vrk, &passcode, tuning, guard, String::new());
        }
        let alias = guard.make_alias()?;
        let made = Self::make_on(vrk, &passcode, tuning, guard, alias.clone());
        if made.is_err() {
            // No hardware key is left behind by a header that nobody will store; the first error is the one to tell.
            let _ = guard.delete_alias(&alias);
        }
        made
    }

    fn make_on(
        vrk: &Vrk,
        passcode: &[u8],
        tuning: &Tuning,
        guard: &dyn KeyGuard,
        alias: String,
    ) -> Result<Self> {
        if alias.len() > MAX_ALIAS {
            return Err(Error::HeaderParameter { what: "alias" });
        }
        let mut slots = [[0; SLOT_LEN]; SLOTS];
        slots.iter_mut().for_each(|slot| random::fill(slot));
        let mut header = Self {
            salt: random::make(),
            tuning: *tuning,
            alias,
            slots,
        };
        let place = random::make_below(4);
        let keys = header.slot_keys(passcode, guard)?;
        for ((i, key), slot) in (0u8..).zip(&keys).zip(&mut slots) {
            if u32::from(i) == place {
                let mut plain = Zeroizing::new([0; 33]);
                if let Some((kind, rest)) = plain.split_first_mut() {
                    *kind = TYPE_OPENS;
                    rest.copy_from_slice(&vrk.0);
                }
                let nonce = random::make::<NONCE>();
                let sealed = kdf::seal(key, nonce, &header.aad(i), plain.as_ref())?;
                nonce
                    .iter()
                    .chain(&sealed)
                    .zip(slot)
                    .for_each(|(from, to)| *to = *from);
            }
        }
        header.slots = slots;
        let reread = Self::decode(&header.encode())?;
        if reread.open_normalized(passcode, guard)? == *vrk {
            Ok(header)
        } else {
            Err(Error::Internal { what: "header" })
        }
    }

    /// Tries a passcode: one Argon2id and n hardware calls, then all four slots.
    ///
    /// # Errors
    /// [`Error::WrongPasscode`], [`Error::PasscodeText`], [`Error::Guard`].
    pub fn open(&self, passcode: &[u8], guard: &dyn KeyGuard) -> Result<Vrk> {
        self.open_normalized(&normalize(passcode)?, guard)
    }

    fn open_normalized(&self, passcode: &[u8], guard: &dyn KeyGuard) -> Result<Vrk> {
        let keys = self.slot_keys(passcode, guard)?;
        let mut found = None;
        for ((i, key), slot) in (0u8..).zip(&keys).zip(&self.slots) {
            let (nonce, sealed) = slot.split_at(NONCE);
            let mut fixed = [0; NONCE];
            fixed.copy_from_slice(nonce);
            if let Some(plain) = kdf::open(key, fixed, &self.aad(i), sealed)?
                && let Some((&TYPE_OPENS, vrk)) = plain.split_first()
                && let Ok(vrk) = <[u8; 32]>::try_from(vrk)
            {
                found = Some(Vrk(vrk));
            }
        }
        found.ok_or(Error::WrongPasscode)
    }

    fn slot_keys(&self, passcode: &[u8], guard: &dyn KeyGuard) -> Result<Vec<Zeroizing<[u8; 32]>>> {
        let s = self.tuning.stretch(passcode, &self.salt)?;
        let shared = match guard.scope() {
            GuardScope::PerDevice => Some(self.tuning.chain(&s, guard, &self.alias, 0)?),
            GuardScope::PerSlot => None,
        };
        (0u8..4)
            .map(|slot| {
                let h = match &shared {
                    Some(h) => h.clone(),
                    None => self.tuning.chain(&s, guard, &self.alias, slot)?,
                };
                Tuning::slot_key(&s, &h, &self.salt, slot)
            })
            .collect()
    }

    /// Binds all parameters and the place to the slot.
    fn aad(&self, slot: u8) -> Vec<u8> {
        cbor::encode(&Value::array([
            Value::int(VERSION),
            Value::bytes(self.salt),
            Value::int(self.tuning.memory_kib),
            Value::int(self.tuning.passes),
            Value::int(self.tuning.lanes),
            Value::int(self.tuning.calls),
            Value::text(self.alias.clone()),
            Value::int(slot),
        ]))
    }

    /// Returns the alias of its hardware keys; empty without hardware.
    #[must_use]
    pub fn alias(&self) -> &str {
        &self.alias
    }

    /// Returns its parameters.
    #[must_use]
    pub fn tuning(&self) -> Tuning {
        self.tuning
    }

    /// Writes the file's content.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        MapWriter::version(VERSION)
            .put(1, Value::bytes(self.salt))
            .put(2, Value::int(self.tuning.memory_kib))
            .put(3, Value::int(self.tuning.passes))
            .put(4, Value::int(self.tuning.lanes))
            .put(5, Value::int(self.tuning.calls))
            .put(6, Value::text(self.alias.clone()))
            .put(7, Value::array(self.slots.iter().map(Value::bytes)))
            .encode(&Unknown::default())
    }

    /// Reads a file's content.
    ///
    /// # Errors
    /// [`Error::Wire`], [`Error::HeaderParameter`].
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let limits = Limits {
            bytes: MAX_FILE,
            depth: 3,
            items: 64,
        };
        let mut map = MapReader::decode(bytes, &limits)?;
        map.version(VERSION)?;
        let salt = map.fixed(1)?;
        let tuning = Tuning::from_header(map.u32(2)?, map.u32(3)?, map.u32(4)?, map.u32(5)?)?;
        let alias = map.text(6)?;
        if alias.len() > MAX_ALIAS {
            return Err(Error::HeaderParameter { what: "alias" });
        }
        let slots: Option<Vec<[u8; SLOT_LEN]>> = map
            .array(7, SLOTS)?
            .iter()
            .map(Value::as_array_of::<SLOT_LEN>)
            .collect();
        let slots = slots
            .and_then(|slots| <[[u8; SLOT_LEN]; SLOTS]>::try_from(slots).ok())
            .ok_or(Error::HeaderParameter { what: "slots" })?;
        Ok(Self {
            salt,
            tuning,
            alias,
            slots,
        })
    }

    /// Stores it twice in a folder: write, sync, rename, sync the folder, for the first file and then for the
    /// second. A crash at any step leaves one readable file.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn store_pair(&self, folder: &Path) -> Result<()> {
        let bytes = self.encode();
        for name in FILES {
            store(folder, name, &bytes)?;
        }
        Ok(())
    }

    /// Reads the pair: the headers that can be read, the first file's first, one of them if both are alike.
    /// Two different ones are what a crash in the middle of [`Header::store_pair`] leaves.
    ///
    /// # Errors
    /// [`Error::NoHeader`] if neither can be read; the first file's error if one is there but damaged.
    pub fn load_pair(folder: &Path) -> Result<Vec<Self>> {
        let mut headers = Vec::new();
        let mut refused = None;
        for name in FILES {
            match fs::read(folder.join(name)) {
                Ok(bytes) => match Self::decode(&bytes) {
                    Ok(header) if headers.contains(&header) => {}
                    Ok(header) => headers.push(header),
                    Err(error) => refused = refused.or(Some(error)),
                },
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => refused = refused.or(Some(error.into())),
            }
        }
        if headers.is_empty() {
            Err(refused.unwrap_or(Error::NoHeader))
        } else {
            Ok(headers)
        }
    }

    /// Tries a passcode on the pair in a folder and returns the header that it opens with its key.
    ///
    /// # Errors
    /// Those of [`Header::load_pair`] and [`Header::open`].
    pub fn open_pair(folder: &Path, passcode: &[u8], guard: &dyn KeyGuard) -> Result<(Self, Vrk)> {
        let mut refused = Error::NoHeader;
        for header in Self::load_pair(folder)? {
            match header.open(passcode, guard) {
                Ok(vrk) => return Ok((header, vrk)),
                Err(error) => refused = error,
            }
        }
        Err(refused)
    }
}

impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Header({:?})", self.tuning)
    }
}

fn store(folder: &Path, name: &str, bytes: &[u8]) -> Result<()> {
    let next = folder.join(format!("{name}.next"));
    let mut file = fs::File::create(&next)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    fs::rename(&next, folder.join(name))?;
    #[cfg(unix)]
    fs::File::open(folder)?.sync_all()?;
    Ok(())
}

/// One passcode typed on two keyboards is one passcode: compatibility forms are folded (NFKC).
fn normalize(passcode: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    let text = core::str::from_utf8(passcode).map_err(|_| Error::PasscodeText)?;
    // Reserved in full at once, so that no shorter copy is left behind by growing.
    let mut out = Zeroizing::new(String::with_capacity(text.len().saturating_mul(12)));
    out.extend(text.nfkc());
    if out.is_empty() {
        return Err(Error::PasscodeText);
    }
    Ok(Zeroizing::new(out.as_bytes().to_vec()))
}
