//! `assay check`: reading what is to be checked, and the report for people.

mod folder;
pub mod question;
pub mod read;
pub mod system;
pub mod text;
