//! The body of a `gone` entry: which numbers of the chain can no longer be sent, and why. It closes a gap honestly,
//! where silence would look like a lost or withheld record.

use landfall_form::{Answer, Answers};

use crate::Error;
use crate::kind::codes;

codes! {
    /// Why entries can no longer be sent.
    GoneReason {
        /// Their time on this device was over, or the device keeps nothing readable.
        Purged = "purged",
        /// The device was damaged.
        Damaged = "damaged",
    }
}

/// Entries that a device once numbered and can no longer send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gone {
    /// First number.
    pub first_seq: u64,
    /// Last number, the first one included.
    pub last_seq: u64,
    /// Why.
    pub why: GoneReason,
}

fn number(body: &Answers, field: &'static str) -> Result<u64, Error> {
    match body.get(field) {
        Some(Answer::Integer(number)) => u64::try_from(*number).map_err(|_| Error::Body(field)),
        _ => Err(Error::Body(field)),
    }
}

impl Gone {
    /// Returns the body that is signed.
    ///
    /// # Errors
    /// [`Error::Body`] for a number that no chain reaches.
    pub fn to_body(&self) -> Result<Answers, Error> {
        let integer = |value: u64, field| {
            i64::try_from(value)
                .map(Answer::Integer)
                .map_err(|_| Error::Body(field))
        };
        Ok(Answers::new()
            .with("first_seq", integer(self.first_seq, "first_seq")?)
            .with("last_seq", integer(self.last_seq, "last_seq")?)
            .with("why", Answer::code(self.why.code())))
    }

    /// Reads the body of a `gone` entry.
    ///
    /// # Errors
    /// [`Error::Body`] names the field that is missing or wrong.
    pub fn from_body(body: &Answers) -> Result<Gone, Error> {
        let gone = Gone {
            first_seq: number(body, "first_seq")?,
            last_seq: number(body, "last_seq")?,
            why: body
                .get("why")
                .and_then(Answer::as_str)
                .and_then(GoneReason::from_code)
                .ok_or(Error::Body("why"))?,
        };
        if gone.first_seq <= gone.last_seq {
            Ok(gone)
        } else {
            Err(Error::Body("last_seq"))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn the_body_reads_back_and_a_backward_range_is_refused() {
        let gone = Gone {
            first_seq: 3,
            last_seq: 7,
            why: GoneReason::Purged,
        };
        assert_eq!(Gone::from_body(&gone.to_body().unwrap()), Ok(gone));
        let backward = Gone { first_seq: 8, ..gone }.to_body().unwrap();
        assert_eq!(Gone::from_body(&backward), Err(Error::Body("last_seq")));
        assert_eq!(Gone::from_body(&Answers::new()), Err(Error::Body("first_seq")));
    }
}
