//! Writing: data to stdout, words to stderr, progress bars.

pub use crate::terminal::{Color, bold, color, dim, keep_first_column, table};
pub use assay_client::plain;

use crate::{config::Settings, exit::Failure, options::Format, terminal};
use assay_client::plain_json;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use std::io::{self, BufWriter, Write};

/// Writes `text` and a newline to stdout. It is not an error if the reader is gone.
///
/// Other people's words in it were made [`plain`] where they were taken; whatever was forgotten
/// cannot drive the terminal either.
pub fn text(text: &str) -> Result<(), Failure> {
    let text = terminal::inert(text.trim_end_matches('\n'));
    bytes(format!("{text}\n").as_bytes())
}

/// Writes bytes to stdout as they are.
pub fn bytes(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    written(out.write_all(bytes).and_then(|()| out.flush()))
}

/// What came of writing to stdout. It is not an error if the reader is gone.
pub fn written(result: io::Result<()>) -> Result<(), Failure> {
    match result {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::io("cannot write to stdout", e))
        }
        _ => Ok(()),
    }
}

/// Writes data in the format that the settings ask for.
pub fn data(
    settings: &Settings,
    people: impl FnOnce() -> String,
    programs: &impl Serialize,
) -> Result<(), Failure> {
    match settings.format {
        Format::Json => json(programs),
        // `main` refuses the formats of `check` for every other command.
        _ => text(&people()),
    }
}

/// Bytes of JSON that are written at once.
const BUFFER: usize = 64 * 1024;

/// Writes JSON to stdout.
pub fn json(programs: &impl Serialize) -> Result<(), Failure> {
    let mut out = Plain(BufWriter::with_capacity(BUFFER, io::stdout().lock()));
    let written_all = serde_json::to_writer_pretty(&mut out, programs).map_err(io::Error::from);
    written(written_all.and_then(|()| {
        out.0.write_all(b"\n")?;
        out.0.flush()
    }))
}

/// Writes pieces of JSON, each UTF-8, as [`plain_json`] has them: a report on an image would take
/// its memory several times as one text.
struct Plain<W>(W);

impl<W: Write> Write for Plain<W> {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let text =
            str::from_utf8(piece).map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))?;
        if text
            .bytes()
            .all(|byte| byte == b'\n' || matches!(byte, b' '..=b'~'))
        {
            self.0.write_all(piece)?;
        } else {
            self.0.write_all(plain_json(text).as_bytes())?;
        }
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Writes a message for the person to stderr, unless --quiet is given.
pub fn say(settings: &Settings, words: &str) {
    if !settings.quiet {
        // If stderr is closed, nobody is left to tell.
        let _ = writeln!(io::stderr().lock(), "{}", terminal::inert(words));
    }
}

/// A progress bar on stderr. It shows only on a terminal, and not with --quiet.
pub fn progress(settings: &Settings, what: &'static str, total: u64, unit: Unit) -> ProgressBar {
    let target = if settings.quiet {
        ProgressDrawTarget::hidden()
    } else {
        ProgressDrawTarget::stderr()
    };
    let template = match unit {
        Unit::Bytes => "{msg} [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec}",
        Unit::Leaves => "{msg} [{bar:30}] {human_pos}/{human_len} leaves, {per_sec}, {eta} left",
    };
    let bar = ProgressBar::with_draw_target(Some(total), target);
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.with_message(what)
}

/// What a progress bar counts.
pub enum Unit {
    /// Bytes of a document.
    Bytes,
    /// Leaves of a log.
    Leaves,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_written_in_pieces_as_it_would_be_as_one_text() {
        let value = serde_json::json!({"a": ["\u{202e}x\u{7f}", "\u{1f600}\n", "é"], "b": {}});
        let mut out = Plain(Vec::new());
        serde_json::to_writer_pretty(&mut out, &value).unwrap();
        let whole = plain_json(&serde_json::to_string_pretty(&value).unwrap());
        assert_eq!(String::from_utf8(out.0).unwrap(), whole);
        assert!(whole.contains("\\u202ex\\u007f"), "{whole}");
        assert!(Plain(Vec::new()).write(b"\xff").is_err());
    }
}
