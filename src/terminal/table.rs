//! Rows of cells as text whose columns are straight on a screen.

use super::width::{cut, one_line, width};

/// Between two columns.
const GAP: usize = 2;
/// A column is not made narrower than this.
const NARROWEST: usize = 4;

/// On which side of its column a cell stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Align {
    #[default]
    Left,
    Right,
    Center,
}

/// What a table is made of.
#[derive(Debug, Default)]
pub(crate) struct Table {
    pub header: Option<Vec<String>>,
    pub rows: Vec<Vec<String>>,
    /// Of each column; left where there is none.
    pub align: Vec<Align>,
    /// The screen that it has to fit, if it has to.
    pub columns: Option<usize>,
}

impl Table {
    /// The lines, without white space at their ends.
    pub fn render(&self) -> String {
        let all = || self.header.iter().chain(&self.rows);
        let count = all().map(Vec::len).max().unwrap_or(0);
        let widest = |index: usize| {
            let cells = all().filter_map(|row| row.get(index));
            cells.map(|cell| width(&one_line(cell))).max().unwrap_or(0)
        };
        let mut widths: Vec<usize> = (0..count).map(widest).collect();
        if let Some(columns) = self.columns {
            narrow(&mut widths, columns);
        }
        let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
        let head = self.header.iter().flat_map(|header| [header, &rule]);
        let lines: Vec<String> = head.chain(&self.rows).map(|row| self.line(row, &widths)).collect();
        // A screen narrower than the narrowest columns cuts lines as a whole.
        match self.columns {
            Some(columns) => lines.iter().map(|line| cut(line, columns)).collect::<Vec<_>>().join("\n"),
            None => lines.join("\n"),
        }
    }

    fn line(&self, row: &[String], widths: &[usize]) -> String {
        let mut line = String::new();
        for (index, room) in widths.iter().enumerate() {
            let cell = one_line(row.get(index).map_or("", String::as_str));
            let cell = cut(&cell, *room);
            let free = room.saturating_sub(width(&cell));
            let before = match self.align.get(index).copied().unwrap_or_default() {
                Align::Left => 0,
                Align::Right => free,
                Align::Center => free / 2,
            };
            if index > 0 {
                line.extend(std::iter::repeat_n(' ', GAP));
            }
            line.extend(std::iter::repeat_n(' ', before));
            line.push_str(&cell);
            line.extend(std::iter::repeat_n(' ', free - before));
        }
        line.truncate(line.trim_end().len());
        line
    }
}

/// Takes from the widest columns until the line fits, as far as that goes.
fn narrow(widths: &mut [usize], columns: usize) {
    let gaps = GAP * widths.len().saturating_sub(1);
    let Some(room) = columns.checked_sub(gaps) else { return };
    let mut excess = widths.iter().sum::<usize>().saturating_sub(room);
    while excess > 0 {
        let Some(widest) = widths.iter().copied().max().filter(|widest| *widest > NARROWEST) else { return };
        // Down to the next widest at once: widths may be large.
        let next = widths.iter().copied().filter(|width| *width < widest).max().unwrap_or(0).max(NARROWEST);
        let count = widths.iter().filter(|width| **width == widest).count();
        let step = (widest - next).min(excess.div_ceil(count));
        for width in widths.iter_mut().filter(|width| **width == widest) {
            let step = step.min(excess);
            *width -= step;
            excess -= step;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Align, Table};

    fn row(cells: &[&str]) -> Vec<String> {
        cells.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn columns_are_straight_whatever_is_in_them() {
        let table = Table {
            header: Some(row(&["name", "size"])),
            rows: vec![row(&["日本語", "7"]), row(&["\u{1b}[31mred\u{1b}[0m", "1200"]), row(&["two\nlines"])],
            align: vec![Align::Left, Align::Right],
            columns: None,
        };
        let lines = ["name        size", "----------  ----", "日本語         7", "\u{1b}[31mred\u{1b}[0m         1200"];
        assert_eq!(table.render(), format!("{}\ntwo\\nlines", lines.join("\n")));
    }

    #[test]
    fn the_widest_column_gives_way() {
        let table = Table {
            rows: vec![row(&["abc", "a long text that has no room", "right"])],
            columns: Some(24),
            align: vec![Align::Center],
            ..Table::default()
        };
        assert_eq!(table.render(), "abc  a long text…  right");
        let narrow = Table { columns: Some(8), rows: vec![row(&["abcdefgh", "abcdefgh"])], ..Table::default() };
        assert_eq!(narrow.render(), "abc…  a…");
        assert_eq!(Table::default().render(), "");
    }

    #[test]
    fn a_huge_cell_is_cut_at_once() {
        let huge = "x".repeat(1_000_000);
        let table = Table { rows: vec![vec![huge.clone(), huge]], columns: Some(20), ..Table::default() };
        assert_eq!(table.render(), "xxxxxxxx…  xxxxxxxx…".to_string());
    }
}
