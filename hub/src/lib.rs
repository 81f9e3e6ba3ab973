//! The hub: blind store-and-forward. It keeps sealed envelopes in mailboxes until whoever may read them says
//! that they are taken away.
//!
//! It links no key and no case content (`cargo xtask check-deps` proves it): it can compare digests and count
//! bytes. It writes no request log, keeps no address on disk and no time finer than a day. Nobody may treat
//! its answers as delivery: only the desk's signed receipt is that (`docs/protocol.md`, sections d and e).

mod error;
mod http;
pub mod limits;
mod random;
mod server;
pub mod store;

pub use error::{Error, Result};
pub use limits::Limits;
pub use server::{Config, Running, init, serve};
pub use store::StoreUrl;
