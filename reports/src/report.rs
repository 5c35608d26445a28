//! The interface of all formats.

use std::io;

use crate::event::Event;

/// A format that receives the events of one or more runs and writes a report.
pub trait Report {
    /// Takes the next event.
    ///
    /// # Errors
    /// The writer failed, or the event came before [`Event::Started`].
    fn event(&mut self, event: &Event) -> io::Result<()>;

    /// Takes the end of all runs, and writes whatever needs all of them.
    ///
    /// # Errors
    /// The writer failed.
    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The error of a report whose first event is not [`Event::Started`].
pub(crate) fn not_started() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "the first event of a run must be Started")
}
