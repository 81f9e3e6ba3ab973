//! Randomness is handed in: this crate has no source of its own.

/// A source of random bytes.
pub trait Rng {
    /// Fills the buffer.
    fn fill(&mut self, buffer: &mut [u8]);
}

/// A closure as a source.
pub struct FnRng<F>(pub F);

impl<F> core::fmt::Debug for FnRng<F> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("FnRng(..)")
    }
}

impl<F: FnMut(&mut [u8])> Rng for FnRng<F> {
    fn fill(&mut self, buffer: &mut [u8]) {
        (self.0)(buffer);
    }
}

/// A number below `bound`, or 0 if that is 0. The slight bias of the remainder does not matter for a pause.
pub(crate) fn below(rng: &mut dyn Rng, bound: u64) -> u64 {
    let mut bytes = [0; 8];
    rng.fill(&mut bytes);
    u64::from_le_bytes(bytes).checked_rem(bound).unwrap_or(0)
}
