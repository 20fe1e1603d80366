//! How the lines come to the screen, and off it.

use crate::terminal::width::{RESET, cut, one_line, width};

use super::{Content, Frame, Live, State};

impl Live {
    fn write(&self, bytes: &[u8]) {
        if let Some(screen) = &self.screen
            && !bytes.is_empty()
        {
            (screen.write)(bytes);
        }
    }

    /// What takes the rows off the screen.
    fn erasure(&self, state: &mut State) -> Vec<u8> {
        let Some(screen) = &self.screen else { return Vec::new() };
        let rows = std::mem::take(&mut state.drawn);
        if rows.is_empty() {
            return Vec::new();
        }
        // A window that has become narrower has broken the longer ones.
        let columns = (screen.size)().0.max(1);
        let up: usize = rows.iter().map(|row| width(row).div_ceil(columns).max(1)).sum::<usize>() - 1;
        match up {
            0 => b"\r\x1b[J".to_vec(),
            up => format!("\r\x1b[{up}A\x1b[J").into_bytes(),
        }
    }

    pub(super) fn erase(&self, state: &mut State) {
        let bytes = self.erasure(state);
        self.write(&bytes);
    }

    /// Leaves the screen as if there had never been lines on it.
    pub(super) fn clear(&self, state: &mut State) {
        let mut bytes = self.erasure(state);
        state.tails.iter_mut().for_each(|tail| bytes.append(tail));
        self.write(&bytes);
    }

    /// Draws the lines, unless they are there already.
    pub(super) fn redraw(&self, state: &mut State) {
        let Some(screen) = self.screen.as_ref().filter(|_| state.suspended == 0) else { return };
        let (columns, rows) = (screen.size)();
        // The last column stays free: a cursor behind it is in the next row for some terminals.
        let columns = columns.saturating_sub(1).max(1);
        let frame = Frame { columns, number: state.frame };
        let mut shown: Vec<String> =
            state.tails.iter().filter(|tail| !tail.is_empty()).map(|tail| last(tail)).collect();
        shown.extend(state.lines.iter().map(|(_, content)| match content {
            Content::Text(text) => (screen.mask)(text),
            Content::Drawing(drawing) => (screen.mask)(&drawing(&frame)),
        }));
        let most = rows.saturating_sub(1).max(1);
        if shown.len() > most {
            let more = shown.len() - (most - 1);
            shown.truncate(most - 1);
            shown.push(format!("… {more} more"));
        }
        let lines: Vec<String> = shown.iter().map(|line| cut(&one_line(line), columns).into_owned()).collect();
        if lines == state.drawn {
            return;
        }
        let mut bytes = self.erasure(state);
        for (index, line) in lines.iter().enumerate() {
            if index > 0 {
                bytes.extend_from_slice(b"\r\n");
            }
            bytes.extend_from_slice(line.as_bytes());
            if line.contains('\u{1b}') {
                bytes.extend_from_slice(RESET.as_bytes());
            }
        }
        state.drawn = lines;
        self.write(&bytes);
    }
}

/// The part of an unfinished line that a terminal would show.
fn last(tail: &[u8]) -> String {
    let text = String::from_utf8_lossy(tail);
    let text = text.trim_end_matches('\r');
    text.rsplit('\r').next().unwrap_or_default().to_string()
}
