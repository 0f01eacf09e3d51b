//! Asks a person at the terminal for a line that is not shown.

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use std::fs::{File, OpenOptions};
use std::io;

/// Shows `prompt` at the terminal of this process and returns the line that is typed there.
///
/// Nothing that is typed once the prompt is shown is shown in turn.
///
/// # Errors
///
/// Those of the terminal; `Interrupted` after Ctrl-C.
pub(crate) fn ask(prompt: &str) -> io::Result<String> {
    // rpassword shows the prompt first and silences the terminal then: who types at once is seen.
    let _silent = Silent::new(OpenOptions::new().read(true).open("/dev/tty")?)?;
    rpassword::prompt_password(prompt)
}

/// A terminal that shows nothing that is typed, for as long as this lives.
struct Silent {
    terminal: File,
    before: Termios,
}

impl Silent {
    fn new(terminal: File) -> io::Result<Self> {
        let before = tcgetattr(&terminal)?;
        let mut silent = before.clone();
        silent
            .local_modes
            .remove(LocalModes::ECHO | LocalModes::ECHONL);
        // What was typed ahead is kept: it may be the answer.
        tcsetattr(&terminal, OptionalActions::Now, &silent)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        // A terminal that is gone has nothing to be put right.
        let _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.before);
    }
}
