//! Which way dependencies may point (ARCHITECTURE.md): reads `cargo metadata`, knows the allowed edges,
//! and fails on any other. Dev-dependencies are free; tests/ may use anything.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use serde_json::Value;

use crate::layer;

/// Crate of the tree -> crates of the tree that it may name.
const EDGES: &[(&str, &[&str])] = &[
    ("landfall-wire", &[]),
    ("landfall-form", &[]),
    ("landfall-seal", &["landfall-wire"]),
    ("landfall-sync", &["landfall-wire"]),
    ("landfall-model", &["landfall-form", "landfall-wire"]),
    (
        "landfall-vault",
        &["landfall-form", "landfall-model", "landfall-wire"],
    ),
    ("landfall-stats", &["landfall-form", "landfall-model"]),
    ("landfall-xlsform", &["landfall-form"]),
    (
        "landfall-field",
        &[
            "landfall-form",
            "landfall-model",
            "landfall-seal",
            "landfall-vault",
            "landfall-sync",
            "landfall-wire",
        ],
    ),
    ("landfall-ffi", &["landfall-field"]),
    ("landfall-bindgen", &[]),
    ("landfall-hub", &["landfall-wire"]),
    (
        "landfall-desk",
        &[
            "landfall-form",
            "landfall-model",
            "landfall-seal",
            "landfall-vault",
            "landfall-sync",
            "landfall-stats",
            "landfall-wire",
            "landfall-xlsform",
        ],
    ),
    ("xtask", &[]),
];

/// Libraries that only some crates may name, and why.
const HOLDERS: &[(&str, &[&str], &str)] = &[
    (
        "uniffi",
        &["landfall-ffi", "landfall-bindgen"],
        "every foreign type lives in bindings/ffi",
    ),
    (
        "rusqlite",
        &["landfall-vault", "landfall-sync", "landfall-hub"],
        "no SQL outside the stores",
    ),
    ("ring", &["landfall-seal"], "keys live in seal"),
    ("age", &["landfall-seal"], "keys live in seal"),
    ("hpke", &["landfall-seal"], "keys live in seal"),
    ("ed25519-dalek", &["landfall-seal"], "keys live in seal"),
    ("argon2", &["landfall-seal"], "keys live in seal"),
    ("chacha20poly1305", &["landfall-seal"], "keys live in seal"),
    (
        "reqwest",
        &["landfall-sync"],
        "only the courier speaks to the network",
    ),
    (
        "geo",
        &["landfall-form", "landfall-model"],
        "coordinates enter through place::coarsen",
    ),
    (
        "getrandom",
        &["landfall-seal", "landfall-hub"],
        "one source of randomness per deployable",
    ),
];

/// What the hub must never link, however far away: it is blind by construction.
const HUB_NEVER: &[&str] = &[
    "landfall-seal",
    "landfall-form",
    "landfall-model",
    "landfall-vault",
    "landfall-field",
    "age",
    "hpke",
    "ed25519-dalek",
    "argon2",
    "chacha20poly1305",
];

/// Reads the metadata of the workspace and prints every edge that is not allowed.
///
/// # Errors
/// When `cargo metadata` cannot be read.
pub fn run() -> anyhow::Result<bool> {
    let output = layer::cargo()
        .args(["metadata", "--format-version", "1", "--locked"])
        .output()
        .context("cargo metadata")?;
    anyhow::ensure!(
        output.status.success(),
        "cargo metadata: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let wrong = check(&metadata);
    for line in &wrong {
        eprintln!("{line}");
    }
    if wrong.is_empty() {
        println!("dependencies point the allowed way");
    }
    Ok(wrong.is_empty())
}

/// Every edge that is not allowed, as a sentence. Takes the JSON of `cargo metadata`.
fn check(metadata: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    let allowed: BTreeMap<&str, &[&str]> = EDGES.iter().copied().collect();
    for package in list(metadata, "packages").filter(|p| is_member(metadata, p)) {
        let name = text(package, "name");
        if name == "landfall-tests" {
            continue;
        }
        let Some(may) = allowed.get(name) else {
            wrong.push(format!("{name}: not in the table of xtask/src/check_deps.rs"));
            continue;
        };
        for dependency in list(package, "dependencies").filter(|d| text(d, "kind") != "dev") {
            let to = text(dependency, "name");
            if to.starts_with("landfall-") && !may.contains(&to) {
                wrong.push(format!("{name} -> {to}: this edge is not allowed"));
            }
            for (library, holders, why) in HOLDERS {
                if to == *library && !holders.contains(&name) {
                    wrong.push(format!("{name} -> {to}: only {} may ({why})", holders.join(", ")));
                }
            }
        }
    }
    for reached in reach(metadata, "landfall-hub") {
        if HUB_NEVER.contains(&reached.as_str()) {
            wrong.push(format!(
                "landfall-hub reaches {reached}: the hub holds no keys and no content"
            ));
        }
    }
    wrong
}

/// Names of all packages that a package links, itself left out.
fn reach(metadata: &Value, from: &str) -> BTreeSet<String> {
    let names: BTreeMap<&str, &str> = list(metadata, "packages")
        .map(|p| (text(p, "id"), text(p, "name")))
        .collect();
    let nodes: BTreeMap<&str, &Value> = metadata
        .get("resolve")
        .map(|r| list(r, "nodes").map(|n| (text(n, "id"), n)).collect())
        .unwrap_or_default();
    let mut seen = BTreeSet::new();
    let mut open: Vec<&str> = names
        .iter()
        .filter(|(_, n)| **n == from)
        .map(|(id, _)| *id)
        .collect();
    while let Some(id) = open.pop() {
        let Some(node) = nodes.get(id) else { continue };
        for dep in list(node, "deps") {
            let linked = list(dep, "dep_kinds").any(|k| text(k, "kind") != "dev");
            let to = text(dep, "pkg");
            if linked && seen.insert(to) {
                open.push(to);
            }
        }
    }
    seen.into_iter()
        .filter_map(|id| names.get(id).map(|n| (*n).to_owned()))
        .collect()
}

fn is_member(metadata: &Value, package: &Value) -> bool {
    let id = text(package, "id");
    list(metadata, "workspace_members").any(|m| m.as_str() == Some(id))
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or("")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;

    fn real() -> Value {
        let output = layer::cargo()
            .args(["metadata", "--format-version", "1", "--locked"])
            .output()
            .unwrap();
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn add_edge(metadata: &mut Value, from: &str, to: &str) {
        let packages = metadata["packages"].as_array_mut().unwrap();
        let package = packages.iter_mut().find(|p| p["name"] == from).unwrap();
        let edge = serde_json::json!({ "name": to, "kind": null });
        package["dependencies"].as_array_mut().unwrap().push(edge);
    }

    #[test]
    fn the_tree_as_it_stands_is_allowed() {
        assert_eq!(check(&real()), Vec::<String>::new());
    }

    #[test]
    fn an_added_edge_is_refused() {
        for (from, to) in [
            ("landfall-hub", "landfall-model"),
            ("landfall-sync", "landfall-seal"),
            ("landfall-wire", "ring"),
            ("landfall-field", "uniffi"),
            ("landfall-desk", "rusqlite"),
            ("xtask", "landfall-wire"),
        ] {
            let mut metadata = real();
            add_edge(&mut metadata, from, to);
            let wrong = check(&metadata);
            assert!(
                wrong.iter().any(|w| w.starts_with(&format!("{from} -> {to}"))),
                "{from} {to}: {wrong:?}"
            );
        }
    }

    #[test]
    fn a_dev_dependency_is_free() {
        let mut metadata = real();
        let packages = metadata["packages"].as_array_mut().unwrap();
        let hub = packages.iter_mut().find(|p| p["name"] == "landfall-hub").unwrap();
        let edge = serde_json::json!({ "name": "landfall-seal", "kind": "dev" });
        hub["dependencies"].as_array_mut().unwrap().push(edge);
        assert_eq!(check(&metadata), Vec::<String>::new());
    }

    #[test]
    fn what_the_hub_reaches_through_others_counts() {
        let mut metadata = real();
        let id = |name: &str, m: &Value| {
            m["packages"]
                .as_array()
                .unwrap()
                .iter()
                .find(|p| p["name"] == name)
                .unwrap()["id"]
                .clone()
        };
        let (wire, dalek) = (id("landfall-wire", &metadata), id("ed25519-dalek", &metadata));
        let nodes = metadata["resolve"]["nodes"].as_array_mut().unwrap();
        let node = nodes.iter_mut().find(|n| n["id"] == wire).unwrap();
        node["deps"]
            .as_array_mut()
            .unwrap()
            .push(serde_json::json!({ "pkg": dalek, "dep_kinds": [{ "kind": null }] }));
        assert!(
            check(&metadata)
                .iter()
                .any(|w| w.contains("landfall-hub reaches ed25519-dalek"))
        );
    }
}
