//! The oracles, one for each fuzz target.

mod decode;
mod emitted;
mod lines;
mod log;
mod monitor;
mod paths;
mod recorder;
mod report;
mod session;
mod sessions;
mod transcript;

pub use decode::decode;
pub use lines::lines;
pub use log::log;
pub use monitor::monitor;
pub use paths::paths;
pub use recorder::recorder;
pub use report::report;
pub use session::session;
pub use sessions::sessions;
pub use transcript::transcript;
