//! The client against a log of these tests' own, which can also lie.

mod audit;
mod fake;
mod heads;
mod reads;
