//! A scripted device: JSON commands line by line on standard input, one answer a line on standard output. The protocol
//! stands in `landfall_tests::device`.

use std::io::{BufRead as _, Write as _};

use landfall_tests::device::Device;

fn main() -> std::io::Result<()> {
    if std::env::args().len() > 1 {
        let mut out = std::io::stdout().lock();
        writeln!(out, "Usage: landfall-device < COMMANDS")?;
        writeln!(
            out,
            "One JSON object a line in, one a line out; it takes no arguments, so that nothing secret can"
        )?;
        writeln!(
            out,
            "stand in one. Example: {{\"cmd\":\"device\",\"home\":\"/tmp/phone\"}}"
        )?;
        return Ok(());
    }
    let mut device = Device::new();
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        let answer = device.line(&line);
        writeln!(out, "{answer}")?;
        // Whoever drives this waits for the answer before the next line.
        out.flush()?;
        if device.is_done() {
            break;
        }
    }
    Ok(())
}
