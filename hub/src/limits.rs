//! How much a capability, a mailbox and the hub may hold, and how fast one may ask. Nothing of this is on
//! disk but the day's sums: rates live in memory, and an address only as a salted hash of its prefix.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use landfall_wire::ids::{CapHash, sha256};

use crate::{Result, random};

/// The hub's limits. The defaults are those of `docs/protocol.md`, section d.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Items that one capability may put on one day: two weeks offline of a busy monitor fit.
    pub day_items: u32,
    /// Bytes that one capability may put on one day.
    pub day_bytes: u64,
    /// Bytes that one mailbox may hold.
    pub mailbox_bytes: u64,
    /// Bytes that the hub may hold.
    pub hub_bytes: u64,
    /// Days after which an unread item and a tombstone go.
    pub ttl_days: u32,
    /// Requests a second that one capability may make over a longer time; ten times as many at once.
    pub rate: NonZeroU32,
    /// Requests a second from one address prefix, whatever they carry; ten times as many at once.
    pub prefix_rate: NonZeroU32,
}

impl Default for Limits {
    fn default() -> Self {
        const fn rate(n: u32) -> NonZeroU32 {
            match NonZeroU32::new(n) {
                Some(n) => n,
                None => NonZeroU32::MIN,
            }
        }
        Self {
            day_items: 5_000,
            day_bytes: 200 << 20,
            mailbox_bytes: 4 << 30,
            hub_bytes: 64 << 30,
            ttl_days: 60,
            rate: rate(100),
            // A whole reception centre may stand behind one address.
            prefix_rate: rate(400),
        }
    }
}

/// Buckets above which those that are full again are forgotten.
const BUCKETS_KEPT: usize = 4_096;

/// Rates of the capabilities that are registered, and of address prefixes.
#[derive(Debug)]
pub(crate) struct Rates {
    capabilities: DefaultKeyedRateLimiter<CapHash>,
    prefixes: DefaultKeyedRateLimiter<[u8; 8]>,
    salt: Mutex<(u32, [u8; 16])>,
    clock: DefaultClock,
}

fn quota(rate: NonZeroU32) -> Quota {
    Quota::per_second(rate).allow_burst(rate.saturating_mul(NonZeroU32::MIN.saturating_add(9)))
}

impl Rates {
    pub(crate) fn new(limits: &Limits) -> Result<Self> {
        Ok(Self {
            capabilities: RateLimiter::keyed(quota(limits.rate)),
            prefixes: RateLimiter::keyed(quota(limits.prefix_rate)),
            salt: Mutex::new((0, random::make()?)),
            clock: DefaultClock::default(),
        })
    }

    /// Counts a request of a capability that has been looked up and found; the seconds to wait if refused.
    pub(crate) fn capability(&self, hash: &CapHash) -> Result<(), u64> {
        if self.capabilities.len() > BUCKETS_KEPT {
            self.capabilities.retain_recent();
        }
        self.capabilities
            .check_key(hash)
            .map_err(|until| until.wait_time_from(self.clock.now()).as_secs().saturating_add(1))
    }

    /// Counts a request from an address. Loopback is exempt: a proxy on the same machine speaks for many.
    pub(crate) fn address(&self, from: SocketAddr, day: u32) -> Result<(), u64> {
        let ip = from.ip().to_canonical();
        if ip.is_loopback() {
            return Ok(());
        }
        if self.prefixes.len() > BUCKETS_KEPT {
            self.prefixes.retain_recent();
        }
        let Ok(key) = self.prefix(ip, day) else {
            return Ok(());
        };
        self.prefixes
            .check_key(&key)
            .map_err(|until| until.wait_time_from(self.clock.now()).as_secs().saturating_add(1))
    }

    /// The salted hash of /24 or /48; the salt is another one each day.
    fn prefix(&self, ip: IpAddr, day: u32) -> Result<[u8; 8]> {
        let mut salt = self.salt.lock().unwrap_or_else(PoisonError::into_inner);
        if salt.0 != day {
            *salt = (day, random::make()?);
        }
        let mut input = salt.1.to_vec();
        drop(salt);
        match ip {
            IpAddr::V4(ip) => input.extend(ip.octets().into_iter().take(3)),
            IpAddr::V6(ip) => input.extend(ip.octets().into_iter().take(6)),
        }
        let [a, b, c, d, e, f, g, h, ..] = sha256(&input);
        Ok([a, b, c, d, e, f, g, h])
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn rates() -> Rates {
        let one = NonZeroU32::MIN;
        Rates::new(&Limits {
            rate: one,
            prefix_rate: one,
            ..Limits::default()
        })
        .unwrap()
    }

    #[test]
    fn a_capability_that_asks_too_fast_does_not_slow_another() {
        let rates = rates();
        let (fast, calm) = (CapHash::from_bytes([1; 32]), CapHash::from_bytes([2; 32]));
        let refused = (0..30).filter(|_| rates.capability(&fast).is_err()).count();
        assert!((15..=20).contains(&refused), "{refused}");
        assert!(rates.capability(&calm).is_ok());
        assert!(rates.capability(&fast).unwrap_err() >= 1);
    }

    #[test]
    fn addresses_share_a_bucket_by_prefix_and_loopback_has_none() {
        let rates = rates();
        let near: SocketAddr = "192.0.2.1:1".parse().unwrap();
        let same: SocketAddr = "192.0.2.200:2".parse().unwrap();
        let other: SocketAddr = "198.51.100.1:1".parse().unwrap();
        for _ in 0..30 {
            let _ = rates.address(near, 1);
        }
        assert!(rates.address(same, 1).is_err());
        assert!(rates.address(other, 1).is_ok());
        assert!((0..100).all(|_| rates.address("127.0.0.1:9".parse().unwrap(), 1).is_ok()));
        let today = rates.prefix(near.ip(), 1).unwrap();
        assert_eq!(today, rates.prefix(same.ip(), 1).unwrap());
        assert_ne!(
            today,
            rates.prefix(near.ip(), 2).unwrap(),
            "another salt on another day"
        );
    }
}
