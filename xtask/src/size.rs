//! `cargo xtask size`: how large the library for phones is, stripped, and which parts of it are how large.
//! Parts are sums over symbols of the unstripped library; what has no symbol is "other".

use std::collections::BTreeMap;
use std::process::Command;

use anyhow::Context as _;

use crate::layer;

/// Builds the library in release, strips a copy, and prints the sizes.
///
/// # Errors
/// When the build, `strip` or `nm` fail.
pub fn run() -> anyhow::Result<bool> {
    layer::prepare()?;
    layer::run(layer::cargo().args(["build", "--release", "--package", "landfall-ffi"]))?;
    let library = layer::target_dir().join("release/liblandfall_ffi.so");
    let folder = tempfile::tempdir()?;
    let stripped = folder.path().join("stripped.so");
    layer::run(
        Command::new("strip")
            .arg("--strip-all")
            .arg("-o")
            .arg(&stripped)
            .arg(&library),
    )?;
    let total = std::fs::metadata(&stripped)?.len();
    let output = Command::new("nm")
        .args(["-S", "-C", "--defined-only"])
        .arg(&library)
        .output()
        .context("nm")?;
    let mut parts: BTreeMap<String, u64> = BTreeMap::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let mut fields = line.splitn(4, ' ');
        let (Some(_), Some(size), Some(_), Some(name)) =
            (fields.next(), fields.next(), fields.next(), fields.next())
        else {
            continue;
        };
        if let Ok(size) = u64::from_str_radix(size, 16) {
            *parts.entry(part(name)).or_default() += size;
        }
    }
    let named: u64 = parts.values().sum();
    let mut rows: Vec<(String, u64)> = parts.into_iter().collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.1));
    for (name, size) in rows.iter().take(15) {
        println!("{name:<24} {:>8} KiB", size / 1024);
    }
    println!("{:<24} {:>8} KiB", "other", total.saturating_sub(named) / 1024);
    println!(
        "{:<24} {:>8} KiB ({total} bytes)",
        "stripped library",
        total / 1024
    );
    Ok(true)
}

/// The crate of a Rust symbol, or the C library that it belongs to.
fn part(symbol: &str) -> String {
    let symbol = symbol
        .trim_start_matches(['<', '&', '('])
        .trim_start_matches("dyn ");
    match symbol.split_once("::") {
        Some((name, _)) if !name.contains([' ', '(', '.']) => name.to_owned(),
        _ if symbol.to_ascii_lowercase().contains("sqlite") || symbol.starts_with("fts5") => {
            "sqlite".to_owned()
        }
        _ => "openssl and other C".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::part;

    #[test]
    fn symbols_belong_to_crates() {
        assert_eq!(part("landfall_seal::header::Header::open"), "landfall_seal");
        assert_eq!(part("<hpke::kem::XWing as hpke::Kem>::decap"), "hpke");
        assert_eq!(part("sqlite3_step"), "sqlite");
        assert_eq!(part("EVP_DigestInit"), "openssl and other C");
    }
}
