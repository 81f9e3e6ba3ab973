//! Age files under a passphrase (scrypt): root keys of board members, the desk's keyring backup, packets to
//! partners. Every age or rage opens them.

use std::io::{Read as _, Write as _};

use age::scrypt;
use secrecy::SecretString;
use zeroize::Zeroizing;

use crate::{Error, Result};

/// Most work that a file may ask for when it is opened, as a logarithm: about 16 seconds and 4 GiB.
const MAX_WORK: u8 = 22;
/// Largest file, in bytes.
const MAX_FILE: usize = 64 << 20;

/// How much work a guess costs: scrypt's N as a logarithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkFactor(u8);

impl WorkFactor {
    /// About one second and 256 MiB on a laptop of 2020; age's own choice.
    pub const STANDARD: Self = Self(18);

    /// Milliseconds. **Protects nothing**: tests and the demonstration only.
    #[cfg(feature = "test-tuning")]
    #[must_use]
    pub const fn for_tests() -> Self {
        Self(4)
    }
}

/// Seals bytes under a passphrase.
///
/// # Errors
/// [`Error::PasscodeText`] for an empty passphrase, [`Error::Io`].
pub fn seal_with_passphrase(plain: &[u8], passphrase: &str, work: WorkFactor) -> Result<Vec<u8>> {
    if passphrase.is_empty() {
        return Err(Error::PasscodeText);
    }
    let mut recipient = scrypt::Recipient::new(SecretString::from(passphrase.to_owned()));
    recipient.set_work_factor(work.0);
    let encryptor = age::Encryptor::with_recipients(core::iter::once(&recipient as &dyn age::Recipient))
        .map_err(|_| Error::Internal { what: "scrypt" })?;
    let mut out = Vec::new();
    let mut writer = encryptor.wrap_output(&mut out)?;
    writer.write_all(plain)?;
    writer.finish()?;
    Ok(out)
}

/// Opens bytes that were sealed under a passphrase.
///
/// # Errors
/// [`Error::TooLarge`], [`Error::NotAge`], [`Error::ExcessiveWork`], [`Error::WrongPassphrase`],
/// [`Error::Tampered`].
pub fn open_with_passphrase(bytes: &[u8], passphrase: &str) -> Result<Zeroizing<Vec<u8>>> {
    if bytes.len() > MAX_FILE {
        return Err(Error::TooLarge { limit: MAX_FILE });
    }
    crate::file::check_header_len(bytes)?;
    let decryptor = age::Decryptor::new_buffered(bytes).map_err(|_| Error::NotAge)?;
    if !decryptor.is_scrypt() {
        return Err(Error::NotAge);
    }
    let mut identity = scrypt::Identity::new(SecretString::from(passphrase.to_owned()));
    identity.set_max_work_factor(MAX_WORK);
    let mut reader = decryptor
        .decrypt(core::iter::once(&identity as &dyn age::Identity))
        .map_err(|error| match error {
            age::DecryptError::ExcessiveWork { required, .. } => Error::ExcessiveWork {
                found: required,
                limit: MAX_WORK,
            },
            age::DecryptError::InvalidMac => Error::Tampered,
            age::DecryptError::InvalidHeader => Error::NotAge,
            _ => Error::WrongPassphrase,
        })?;
    let mut plain = Zeroizing::new(Vec::with_capacity(bytes.len()));
    reader.read_to_end(&mut plain).map_err(|_| Error::Tampered)?;
    Ok(plain)
}
