//! Where a native server's programs come from: this machine, or a download.

use std::fmt;

use super::{
    binaries::{self, Binaries},
    download,
};

/// Each is a kind of server of its own, with its own data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Programs {
    OfThisMachine,
    Downloaded,
}

impl fmt::Display for Programs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Programs::OfThisMachine => "native",
            Programs::Downloaded => "downloaded",
        })
    }
}

impl Programs {
    /// Of the major version `prefer` if one is named. Else the newest of this machine that is at least `minimum_major`,
    /// or a download of exactly that.
    pub(super) async fn find(self, minimum_major: u32, prefer: Option<u32>) -> anyhow::Result<Binaries> {
        match self {
            Programs::OfThisMachine => binaries::find(minimum_major, prefer),
            Programs::Downloaded => download::find(prefer.unwrap_or(minimum_major)).await,
        }
    }

    /// Whether these, found earlier, are the same files still.
    pub(super) fn are_still(self, binaries: &Binaries) -> bool {
        binaries.unchanged() && (self == Programs::Downloaded || binaries::allows(binaries))
    }
}
