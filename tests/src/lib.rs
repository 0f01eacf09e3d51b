//! What the tests of this crate share: other projects' checkers and the servers that they read
//! from.

pub mod add_checkpoint;
pub mod aics;
pub mod clock;
pub mod data;
pub mod debian;
pub mod faults;
pub mod federation;
pub mod gossip;
pub mod index;
pub mod interop;
pub mod issuer;
pub mod js;
pub mod liar;
pub mod litewitness;
pub mod log;
pub mod lookup;
pub mod lying;
pub mod memory;
pub mod mirror;
pub mod npm;
pub mod omniwitness;
pub mod ports;
pub mod process;
pub mod receiver;
pub mod relay;
pub mod siege;
pub mod site;
pub mod skip;
pub mod ssh_agent;
pub mod static_http;
pub mod stranger;
pub mod tessera;
pub mod torchwood;
pub mod torture;
pub mod witness;
