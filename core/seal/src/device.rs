//! The keys of one device, made at its enrolment and never restored from a backup.

use core::fmt;

use landfall_wire::ids::{DeviceId, PublicKey};
use landfall_wire::sign::Signer as _;

use crate::{EpochIdentity, EpochRecipient, Result, SigningKey};

/// The signing key and the X-Wing key of a device. The seeds live as rows inside its vault.
pub struct DeviceKeys {
    /// Signs entries and the enrolment reply.
    pub signing: SigningKey,
    /// Opens downlinks.
    pub identity: EpochIdentity,
}

impl DeviceKeys {
    /// Makes random keys.
    #[must_use]
    pub fn make() -> Self {
        Self {
            signing: SigningKey::make(),
            identity: EpochIdentity::make(),
        }
    }

    /// Makes the keys of two seeds.
    #[must_use]
    pub fn from_seeds(signing: &[u8; 32], identity: &[u8; 32]) -> Self {
        Self {
            signing: SigningKey::from_seed(signing),
            identity: EpochIdentity::from_seed(identity),
        }
    }

    /// Returns the id of the device.
    #[must_use]
    pub fn id(&self) -> DeviceId {
        DeviceId::of(&self.public_key())
    }

    /// Returns the public signing key.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        self.signing.public_key()
    }

    /// Returns the public X-Wing key.
    ///
    /// # Errors
    /// Those of [`EpochIdentity::recipient`].
    pub fn recipient(&self) -> Result<EpochRecipient> {
        self.identity.recipient()
    }
}

impl fmt::Debug for DeviceKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeviceKeys({:?})", self.id())
    }
}
