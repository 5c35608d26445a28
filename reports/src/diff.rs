//! The difference between two runs: behaviour gained, lost and changed, by clause.
//!
//! Two outcomes of a case are the same if they have the same verdict and the same fingerprint.
//! Other differences, such as a value or the words of a reason, are counted and not shown.
//!
//! Deliberately absent: a decision which of the two is right. The clauses say that, and `compare`
//! runs both again.

mod compare;
mod html;
mod markdown;
mod text;

pub(crate) use compare::{Case, Clauses};
pub use compare::{Change, Diff, key};

impl Diff {
    /// The difference as text for a terminal.
    #[must_use]
    pub fn text(&self) -> String {
        text::write(self)
    }

    /// The difference as a web page, one file that needs no network.
    #[must_use]
    pub fn html(&self) -> String {
        html::write(self)
    }

    /// The difference as Markdown, for a comment or a page.
    #[must_use]
    pub fn markdown(&self) -> String {
        markdown::write(self)
    }
}

#[cfg(test)]
mod tests;
