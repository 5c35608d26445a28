//! The peer's program: its process, and where its connections come from.

mod guardian;
pub mod host;
pub mod process;
pub mod route;
mod stderr;
pub mod stdio;
pub mod tap;
pub mod target;
pub mod template;

pub use guardian::kill_all;
pub use host::{Host, Listen};
pub use process::{ENDING, Process, hold_starts};
pub use route::Route;
pub use stdio::Stdio;
pub use tap::{Tap, Taps};
pub use target::{START, Target};
pub use template::Template;
