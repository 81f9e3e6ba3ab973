//! Why a record is set aside. The codes travel in receipts and are for ever; a phone shows them as numbers to read out.

/// Why an envelope is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Opened, but its plain form is not one of an envelope (code 1).
    Plain,
    /// A frame is not in its one encoding (code 2).
    Frame,
    /// The device is not enrolled here, or not confirmed yet (code 3).
    UnknownDevice,
    /// The signature does not fit: changed on the way, or not from our phones (code 4).
    Signature,
    /// Signed for another organisation (code 5).
    Audience,
    /// A payload that no phone of ours writes (code 6).
    Payload,
    /// It does not follow the entry before it (code 7).
    Chain,
    /// Its manifest is newer than any that this desk has signed, or older than the entry before it knew (code 8).
    Manifest,
    /// The device was revoked and this is newer than what was known then (code 9).
    Revoked,
    /// Entries of more than one device in one envelope (code 10).
    MixedDevices,
    /// The role of this device may not record this (code 11).
    Role,
    /// Sealed to a key that this desk does not have, or has destroyed (code 20).
    NoKey,
    /// Damaged: it cannot be opened (code 21).
    Unreadable,
}

impl Reason {
    const ALL: [Self; 13] = [
        Self::Plain,
        Self::Frame,
        Self::UnknownDevice,
        Self::Signature,
        Self::Audience,
        Self::Payload,
        Self::Chain,
        Self::Manifest,
        Self::Revoked,
        Self::MixedDevices,
        Self::Role,
        Self::NoKey,
        Self::Unreadable,
    ];

    /// The code in a receipt.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Plain => 1,
            Self::Frame => 2,
            Self::UnknownDevice => 3,
            Self::Signature => 4,
            Self::Audience => 5,
            Self::Payload => 6,
            Self::Chain => 7,
            Self::Manifest => 8,
            Self::Revoked => 9,
            Self::MixedDevices => 10,
            Self::Role => 11,
            Self::NoKey => 20,
            Self::Unreadable => 21,
        }
    }

    /// Reads a code.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }

    /// The word of the command line's JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Frame => "frame",
            Self::UnknownDevice => "unknown_device",
            Self::Signature => "signature",
            Self::Audience => "audience",
            Self::Payload => "payload",
            Self::Chain => "chain",
            Self::Manifest => "manifest",
            Self::Revoked => "revoked",
            Self::MixedDevices => "mixed_devices",
            Self::Role => "role",
            Self::NoKey => "no_key",
            Self::Unreadable => "unreadable",
        }
    }

    /// What it means, in words for the coordinator.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Plain | Self::Payload => "Not what our phones write.",
            Self::Frame => "Written in another form than ours: somebody may have touched it.",
            Self::UnknownDevice => "From a phone that is not on our list, or not confirmed yet.",
            Self::Signature => "Signature does not fit. Changed on the way, or not from our phones.",
            Self::Audience => "Signed for another organisation.",
            Self::Chain => "Does not follow the record before it.",
            Self::Manifest => {
                "The phone knew a list of ours that we did not sign, or went back to an older one."
            }
            Self::Revoked => "From a phone that was stopped before.",
            Self::MixedDevices => "Records of more than one phone in one envelope.",
            Self::Role => "This phone may not record this.",
            Self::NoKey => "Sealed to a key that this desk does not have. The phone is told.",
            Self::Unreadable => "Damaged: it cannot be opened. The phone is told.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_read_back() {
        for reason in Reason::ALL {
            assert_eq!(Reason::from_code(reason.code()), Some(reason));
        }
        assert_eq!(Reason::from_code(0), None);
    }
}
