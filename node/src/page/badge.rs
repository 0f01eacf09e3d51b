//! How a badge is sent. What stands on it is the client's to say, which `assay badge` asks, too.

use super::frame::{Asked, shared};
use assay_client::report::badge::Badge;
use axum::response::Response;

/// In which form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Svg,
    Json,
}

impl Form {
    /// Sends a badge, with status 200 whatever it says: proxies keep errors.
    pub fn response(self, asked: &Asked, badge: &Badge) -> Response {
        match self {
            Form::Svg => shared(asked, "image/svg+xml", badge.svg().into()),
            Form::Json => shared(asked, "application/json", badge.json().into()),
        }
    }
}
