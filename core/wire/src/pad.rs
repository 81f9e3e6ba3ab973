//! Sizes of finished sealed files: 4, 8, 16 or 32 KiB, above that Padmé. A watcher of the wire or a lab
//! with the outbox sees the bucket and nothing finer.

use padme_padding::Padme;

/// The fixed buckets, in bytes.
pub const BUCKETS: [usize; 4] = [4 << 10, 8 << 10, 16 << 10, 32 << 10];

/// Largest finished envelope that a hub takes, in bytes.
pub const MAX_ENVELOPE: usize = 64 << 10;

/// Returns the smallest allowed file size that holds `len` bytes.
#[must_use]
pub fn bucket(len: usize) -> usize {
    BUCKETS
        .into_iter()
        .find(|size| len <= *size)
        .unwrap_or_else(|| Padme::padded_len(len))
}

/// Tells whether a finished file has an allowed size.
#[must_use]
pub fn is_bucket(len: usize) -> bool {
    bucket(len) == len
}
