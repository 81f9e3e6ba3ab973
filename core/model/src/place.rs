//! Place: the only door through which coordinates enter.
//!
//! Owns the rounding. It must never keep, return or print the exact position: what comes out is at most a public
//! place to two digits (domain 2.3), never a person's (domain 1.4, N09).

use std::fmt;

use geo::Point;

use crate::Error;

/// How much of a position may be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Coarseness {
    /// Two digits after the point, about one kilometre: a monitoring point, which is a public place.
    TwoDigits,
    /// One digit, about eleven kilometres.
    OneDigit,
    /// Whole degrees, about a hundred kilometres.
    Whole,
}

impl Coarseness {
    const fn steps_per_degree(self) -> f64 {
        match self {
            Coarseness::TwoDigits => 100.0,
            Coarseness::OneDigit => 10.0,
            Coarseness::Whole => 1.0,
        }
    }
}

/// A position after rounding, in hundredths of a degree.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CoarsePlace {
    latitude: i32,
    longitude: i32,
}

impl CoarsePlace {
    /// Latitude in hundredths of a degree, north positive.
    #[must_use]
    pub const fn latitude_hundredths(&self) -> i32 {
        self.latitude
    }

    /// Longitude in hundredths of a degree, east positive.
    #[must_use]
    pub const fn longitude_hundredths(&self) -> i32 {
        self.longitude
    }
}

impl fmt::Debug for CoarsePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CoarsePlace(..)")
    }
}

/// Rounds a position (degrees, WGS 84) so that no more of it is left than `coarseness` allows.
///
/// # Errors
/// [`Error::Place`] if the position is not on the earth.
pub fn coarsen(latitude: f64, longitude: f64, coarseness: Coarseness) -> Result<CoarsePlace, Error> {
    let exact = Point::new(longitude, latitude);
    if !(-90.0..=90.0).contains(&exact.y()) || !(-180.0..=180.0).contains(&exact.x()) {
        return Err(Error::Place);
    }
    let steps = coarseness.steps_per_degree();
    let round = |degrees: f64| {
        let hundredths = (degrees * steps).round() * (100.0 / steps);
        #[allow(
            clippy::cast_possible_truncation,
            reason = "within -18000..=18000 by the check above"
        )]
        let whole = hundredths as i32;
        whole
    };
    Ok(CoarsePlace {
        latitude: round(exact.y()),
        longitude: round(exact.x()),
    })
}

/// Tells whether `code` has the form of an ISO 3166-2 region, the finest place that a case may name
/// (domain 1.4, N09; 2.7 `dest_region`).
#[must_use]
pub fn is_region(code: &str) -> bool {
    let Some((country, part)) = code.split_once('-') else {
        return false;
    };
    country.len() == 2
        && country.bytes().all(|b| b.is_ascii_uppercase())
        && (1..=3).contains(&part.len())
        && part.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn digits_beyond_the_allowed_ones_are_gone() {
        let place = coarsen(19.549_83, -71.724_56, Coarseness::TwoDigits).unwrap();
        assert_eq!(
            (place.latitude_hundredths(), place.longitude_hundredths()),
            (1955, -7172)
        );
        let place = coarsen(19.549_83, -71.724_56, Coarseness::Whole).unwrap();
        assert_eq!(
            (place.latitude_hundredths(), place.longitude_hundredths()),
            (2000, -7200)
        );
        assert_eq!(format!("{place:?}"), "CoarsePlace(..)");
    }

    #[test]
    fn positions_off_the_earth_are_refused() {
        for (latitude, longitude) in [(91.0, 0.0), (0.0, 181.0), (f64::NAN, 0.0), (0.0, f64::INFINITY)] {
            assert_eq!(
                coarsen(latitude, longitude, Coarseness::OneDigit),
                Err(Error::Place)
            );
        }
    }

    #[test]
    fn regions_have_their_form() {
        assert!(is_region("HT-NE"));
        assert!(is_region("DO-1"));
        for wrong in ["HT", "ht-ne", "HT-", "HTI-NE", "HT-NEST", "HT-n1"] {
            assert!(!is_region(wrong), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn neighbours_cannot_be_told_apart(latitude in -89.0f64..89.0, longitude in -179.0f64..179.0) {
            let place = coarsen(latitude, longitude, Coarseness::OneDigit).unwrap();
            prop_assert_eq!(place.latitude_hundredths() % 10, 0);
            prop_assert_eq!(place.longitude_hundredths() % 10, 0);
        }
    }
}
