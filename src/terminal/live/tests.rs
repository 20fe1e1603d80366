//! What is on the screen after each step.

use super::paper::Paper;
use super::{Live, Stream};

#[test]
fn text_goes_above_the_lines() {
    let paper = Paper::default();
    let live = paper.live();
    paper.above(&live, "before\n");
    let one = live.add("one");
    let two = live.add("two");
    paper.above(&live, "text\n");
    assert_eq!(paper.shown(), ["before", "text", "one", "two"]);
    drop(one);
    assert_eq!(paper.shown(), ["before", "text", "two"]);
    drop(two);
    paper.above(&live, "after\n");
    assert_eq!(paper.shown(), ["before", "text", "after"]);
}

#[test]
fn an_unfinished_line_is_seen_and_stays() {
    let paper = Paper::default();
    let live = paper.live();
    let line = live.add("line");
    paper.above(&live, "half");
    assert_eq!(paper.shown(), ["half", "line"]);
    paper.above(&live, " a line\n10%\r20%");
    assert_eq!(paper.shown(), ["half a line", "20%", "line"]);
    drop(line);
    paper.above(&live, "!\n");
    assert_eq!(paper.shown(), ["half a line", "20%!"]);
}

#[test]
fn nothing_is_drawn_while_somebody_else_has_the_screen() {
    let paper = Paper::default();
    let live = paper.live();
    let line = live.add("line");
    {
        let _theirs = live.suspend();
        paper.put(b"theirs\n");
        line.set("changed");
        assert!(!live.is_shown());
        assert_eq!(paper.shown(), ["theirs"]);
    }
    assert_eq!(paper.shown(), ["theirs", "changed"]);
    live.end();
    line.set("too late");
    assert_eq!(paper.shown(), ["theirs"]);
}

#[test]
fn lines_fit_the_screen_and_cannot_act_on_it() {
    let paper = Paper::default();
    let live = paper.live();
    let _long = live.add("a line of more than twenty columns");
    let _wild = live.add("up\u{1b}[2Aand s3cret");
    let _others: Vec<_> = (1..=4).map(|number| live.add(format!("line {number}"))).collect();
    assert_eq!(paper.shown(), ["a line of more tha…", "up\\u{1b}[2Aand ***", "line 1", "… 3 more"]);
}

#[test]
fn without_a_screen_nothing_happens() {
    let live = Live::off();
    let line = live.add("line");
    line.set("other");
    assert!(!live.is_shown());
    let mut written = Vec::new();
    let write = |bytes: &[u8]| {
        written.extend_from_slice(bytes);
        Ok(())
    };
    live.above(Stream::Stderr, b"text", write).expect("it is written");
    assert_eq!(written, b"text");
}
