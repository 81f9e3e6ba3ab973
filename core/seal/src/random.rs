//! The only source of randomness on devices and desk. Crates below that draw their own (age, hpke) ask the
//! same system call.

/// Fills the buffer from the system's generator.
///
/// # Panics
/// If the system has no randomness: nothing here may go on without, and no caller could do better.
#[allow(clippy::disallowed_methods, reason = "the one source of randomness")]
#[allow(
    clippy::expect_used,
    reason = "a device without randomness must not make a key"
)]
pub fn fill(buffer: &mut [u8]) {
    getrandom::fill(buffer).expect("the system gives randomness");
}

/// Makes an array of random bytes.
#[must_use]
pub fn make<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    fill(&mut bytes);
    bytes
}

/// Makes a random number below `bound` without bias; 0 for a bound of 0 or 1.
#[must_use]
pub fn make_below(bound: u32) -> u32 {
    if bound < 2 {
        return 0;
    }
    // Numbers from the incomplete last round would favour the low remainders.
    let limit = u32::MAX - u32::MAX % bound;
    loop {
        let number = u32::from_le_bytes(make());
        if number < limit {
            return number % bound;
        }
    }
}
