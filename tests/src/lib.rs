//! The parties that scenarios, faults and the demo are played with. Nothing here is shipped.

pub mod device;
pub mod link;
pub mod practice;
