//! node
pub mod anchor;
pub mod storage;
