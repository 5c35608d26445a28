//! The oracles, one for each fuzz target.

mod capture;
mod decode;
mod emitted;
mod learner;
mod lines;
mod log;
mod machine;
mod mapper;
mod monitor;
mod paths;
mod recorder;
mod report;
mod session;
mod sessions;
mod stored;
mod trace;
mod transcript;

pub use capture::capture;
pub use decode::decode;
pub use learner::learner;
pub use lines::lines;
pub use log::log;
pub use machine::machine;
pub use mapper::mapper;
pub use monitor::monitor;
pub use paths::paths;
pub use recorder::recorder;
pub use report::report;
pub use session::session;
pub use sessions::sessions;
pub use stored::stored;
pub use trace::trace;
pub use transcript::transcript;
