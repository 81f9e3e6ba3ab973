//! Who holds the right to send. A holder's mark names its process, so that one that was killed does not keep
//! its successor waiting: where the system tells which processes live, a dead holder is seen at once, and
//! elsewhere its lease runs out.

use crate::rng::Rng;

/// Process id (4 bytes), its start (4 bytes, 0 if unknown), random (8 bytes).
pub(crate) type Holder = [u8; 16];

/// Makes the mark of a run of this process.
pub(crate) fn mark(rng: &mut dyn Rng) -> Holder {
    let id = std::process::id();
    let mut mark = [0; 16];
    rng.fill(&mut mark);
    let (process, start) = (id.to_be_bytes(), start_of(id).unwrap_or(0).to_be_bytes());
    mark.iter_mut()
        .zip(process.into_iter().chain(start))
        .for_each(|(to, from)| *to = from);
    mark
}

/// Whether the process of a mark may still be there.
pub(crate) fn may_be_alive(mark: &Holder) -> bool {
    let [a, b, c, d, e, f, g, h, ..] = *mark;
    let (id, start) = (u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h]));
    if start == 0 || start_of(std::process::id()).is_none() {
        return true;
    }
    start_of(id) == Some(start)
}

/// When a process began, in ticks since the device started; `None` if there is no such process, or if this
/// system does not say.
fn start_of(id: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name in brackets may hold blanks: field 22 is the 20th after it.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace();
    if matches!(fields.next()?, "Z" | "X") {
        // Dead, and its parent has not looked yet.
        return None;
    }
    let ticks: u64 = fields.nth(18)?.parse().ok()?;
    Some(u32::try_from(ticks & 0xffff_ffff).unwrap_or(0).max(1))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::rng::FnRng;

    #[test]
    #[cfg(target_os = "linux")]
    fn a_process_that_is_gone_holds_nothing() {
        let own = mark(&mut FnRng(|bytes: &mut [u8]| bytes.fill(7)));
        assert!(may_be_alive(&own));
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let (id, start) = (child.id(), start_of(child.id()).unwrap());
        let mut other = own;
        other
            .iter_mut()
            .zip(id.to_be_bytes().into_iter().chain(start.to_be_bytes()))
            .for_each(|(a, b)| *a = b);
        assert!(may_be_alive(&other));
        child.kill().unwrap();
        while start_of(id).is_some() {
            std::thread::yield_now();
        }
        assert!(!may_be_alive(&other), "killed, not yet waited for");
        child.wait().unwrap();
        assert!(!may_be_alive(&other), "killed");
        let mut reused = own;
        reused.iter_mut().skip(4).take(4).for_each(|byte| *byte ^= 0x55);
        assert!(!may_be_alive(&reused), "another process with the same number");
    }
}
