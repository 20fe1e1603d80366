//! Block comments.

/// How wide a tab is where it stands for white space.
const TAB: usize = 4;

/// Writes a block comment. When it begins a line, its other lines move along with the first.
pub(super) fn push_block(out: &mut String, source: &str, start: usize, end: usize) {
    let from = white_space_before(source, start);
    let to = white_space_before(out, out.len());
    let mut lines = source[start..end].split('\n');
    out.push_str(lines.next().unwrap_or_default().trim_end());
    for line in lines {
        out.push('\n');
        let line = line.trim_end();
        match (from, to) {
            (Some(from), Some(to)) if !line.is_empty() => {
                let text = line.trim_start_matches([' ', '\t']);
                let width = (width(&line[..line.len() - text.len()]) + to).saturating_sub(from);
                out.extend(std::iter::repeat_n(' ', width));
                out.push_str(text);
            }
            _ => out.push_str(line),
        }
    }
}

/// The comment without what formatting may change in it.
pub(super) fn meaning(comment: &str) -> String {
    let lines: Vec<&str> = comment.split('\n').map(str::trim).collect();
    lines.join("\n")
}

/// How wide the white space is that alone stands before an offset on its line.
fn white_space_before(text: &str, offset: usize) -> Option<usize> {
    let before = text[..offset].trim_end_matches([' ', '\t']);
    (before.is_empty() || before.ends_with('\n')).then(|| width(&text[before.len()..offset]))
}

fn width(white_space: &str) -> usize {
    white_space.bytes().fold(0, |width, byte| if byte == b'\t' { (width / TAB + 1) * TAB } else { width + 1 })
}
