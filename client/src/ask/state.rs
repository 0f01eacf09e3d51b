//! What became of the question to one log.

/// Whether a log's answer can be relied on. The order is from good to bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum LogState {
    /// It answered, in full or in part, and what it answered is verified and confirmed by as many
    /// witnesses as the policy asks for.
    #[default]
    Answered,
    /// It answered, and its head is older than the policy allows.
    Stale,
    /// Too few witnesses confirm its head, or the times of its head do not fit.
    Unconfirmed,
    /// It could not be reached, or refused to answer, or nothing was kept of it.
    Unreachable,
    /// Its index is of a version that this program does not know.
    UnsupportedMapping,
    /// It is proven to have misbehaved. Nothing that it says counts.
    Convicted,
}

impl LogState {
    /// Its name, for programs.
    pub const fn name(self) -> &'static str {
        match self {
            LogState::Answered => "answered",
            LogState::Stale => "stale",
            LogState::Unconfirmed => "unconfirmed",
            LogState::Unreachable => "unreachable",
            LogState::UnsupportedMapping => "unsupported_mapping",
            LogState::Convicted => "convicted",
        }
    }
}
