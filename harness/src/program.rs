//! The peer's program: its process, and where its connections come from.

pub mod host;
pub mod process;
pub mod route;
mod stderr;
pub mod target;
pub mod template;

pub use host::{Host, Listen};
pub use process::{ENDING, Process};
pub use route::Route;
pub use target::Target;
pub use template::Template;
