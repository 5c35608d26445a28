//! The terminal that a line of progress is drawn on.
//!
//! Deliberately absent: spaces after the end of the line. indicatif writes them so that a later
//! line begins below. Ctrl-C then echoes `^C` below as well, and indicatif clears the wrong line.

use indicatif::{ProgressDrawTarget, TermLike};
use std::fmt::{self, Debug};
use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, PoisonError};

/// How often in a second the line is drawn at most.
const RATE: u8 = 20;

/// The size of a terminal that does not tell it.
const SIZE: (u16, u16) = (80, 24);

/// Standard error, if it is a terminal that can move the cursor.
pub(super) fn of_stderr() -> ProgressDrawTarget {
    let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    if is_dumb || !io::stderr().is_terminal() {
        return ProgressDrawTarget::hidden();
    }
    ProgressDrawTarget::term_like_with_hz(Box::new(Screen::new(io::stderr())), RATE)
}

/// A terminal. It gets the text of a frame at once.
struct Screen<W> {
    frame: Mutex<(W, Vec<u8>)>,
}

impl<W> Screen<W> {
    fn new(out: W) -> Screen<W> {
        Screen { frame: Mutex::new((out, Vec::new())) }
    }

    fn write(&self, text: fmt::Arguments<'_>) -> io::Result<()> {
        self.frame.lock().unwrap_or_else(PoisonError::into_inner).1.write_fmt(text)
    }

    /// Moves the cursor. A terminal takes 0 for 1.
    fn go(&self, count: usize, direction: char) -> io::Result<()> {
        if count == 0 { Ok(()) } else { self.write(format_args!("\x1b[{count}{direction}")) }
    }
}

impl<W> Debug for Screen<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Screen")
    }
}

impl<W: Write + Send> TermLike for Screen<W> {
    fn width(&self) -> u16 {
        size().0
    }

    fn height(&self) -> u16 {
        size().1
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.go(n, 'A')
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.go(n, 'B')
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.go(n, 'C')
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.go(n, 'D')
    }

    fn write_line(&self, s: &str) -> io::Result<()> {
        self.write(format_args!("{s}\n"))
    }

    fn write_str(&self, s: &str) -> io::Result<()> {
        let is_filler = !s.is_empty() && s.bytes().all(|byte| byte == b' ');
        // The line before it may have been longer.
        if is_filler { self.write(format_args!("\x1b[K")) } else { self.write(format_args!("{s}")) }
    }

    fn clear_line(&self) -> io::Result<()> {
        self.write(format_args!("\r\x1b[2K"))
    }

    fn flush(&self) -> io::Result<()> {
        let (out, frame) = &mut *self.frame.lock().unwrap_or_else(PoisonError::into_inner);
        out.write_all(frame)?;
        frame.clear();
        out.flush()
    }
}

fn size() -> (u16, u16) {
    terminal_size::terminal_size_of(io::stderr()).map_or(SIZE, |(width, height)| (width.0, height.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use indicatif::{ProgressBar, ProgressStyle};
    use std::sync::Arc;

    /// The written text, for all clones.
    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_cursor_stays_behind_the_text_and_the_line_is_removed_at_the_end() {
        let written = Written::default();
        let text = || String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        let screen = Box::new(Screen::new(written.clone()));
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::term_like(screen));
        bar.set_style(ProgressStyle::with_template("{msg}").unwrap());
        bar.set_message("3/404 cases");
        bar.tick();
        assert!(text().ends_with("3/404 cases\x1b[K"), "{:?}", text());
        let before = text().len();
        bar.finish_and_clear();
        assert_eq!(&text()[before..], "\r\x1b[2K");
    }
}
