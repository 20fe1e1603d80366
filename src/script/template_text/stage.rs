//! From words and operators to the stages of a pipeline.

use super::lexer::{Lexer, Token};
use super::operator::Operator;
use super::{Redirect, RedirectKind, Spot, StageText, TemplateError, TemplateText, Word};

/// The streams that a stage can redirect.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stream {
    Stdin,
    Stdout,
    Stderr,
}

impl Stream {
    fn name(self) -> &'static str {
        match self {
            Self::Stdin => "standard input",
            Self::Stdout => "standard output",
            Self::Stderr => "standard error",
        }
    }
}

pub(super) fn parse(pieces: &[&str]) -> Result<TemplateText, TemplateError> {
    let mut lexer = Lexer::new(pieces);
    let mut parser = Parser::default();
    while let Some(token) = lexer.next_token()? {
        match token {
            Token::Word { word, spot, assignment } => parser.word(word, spot, assignment)?,
            Token::Operator(Operator::Pipe, spot) => parser.pipe(spot)?,
            Token::Operator(Operator::Redirect(kind), spot) => parser.redirect(kind, spot)?,
        }
    }
    parser.finish(pieces)
}

/// The stages so far and the one that is being read.
#[derive(Default)]
struct Parser {
    stages: Vec<StageText>,
    stage: StageText,
    /// The streams that the stage redirects, and where.
    taken: Vec<(Stream, Spot)>,
    /// The redirection that waits for its path.
    pending: Option<(RedirectKind, Spot)>,
    last_pipe: Option<Spot>,
}

impl Parser {
    fn word(&mut self, word: Word, spot: Spot, assignment: Option<usize>) -> Result<(), TemplateError> {
        if let Some((kind, _)) = self.pending.take() {
            let target = Some(word);
            self.stage.redirects.push(Redirect { kind, target });
            return Ok(());
        }
        if let Some(length) = assignment
            && self.stage.words.is_empty()
        {
            let spot = Spot { length, ..spot };
            let help = "use .env(\"NAME\", \"value\") on the command, or quote it if it is the program";
            return Err(spot.error("assignment before the program in a command template", help));
        }
        self.stage.words.push(word);
        Ok(())
    }

    fn redirect(&mut self, kind: RedirectKind, spot: Spot) -> Result<(), TemplateError> {
        self.check_pending()?;
        for &stream in streams(kind) {
            self.check_free(stream, spot)?;
            self.taken.push((stream, spot));
        }
        if kind == RedirectKind::StderrToStdout {
            self.stage.redirects.push(Redirect { kind, target: None });
        } else {
            self.pending = Some((kind, spot));
        }
        Ok(())
    }

    fn check_free(&self, stream: Stream, spot: Spot) -> Result<(), TemplateError> {
        if self.is_taken(stream).is_some() {
            let message = format!("{} is redirected twice in a command template", stream.name());
            return Err(spot.error(message, "keep one of the two; .tee(path) makes a copy"));
        }
        if stream == Stream::Stdin && !self.stages.is_empty() {
            return Err(taken_by_pipe(stream, spot, "redirect the first stage instead"));
        }
        // In sh `2>&1 >file` leaves standard error where standard output was before. The methods on
        // a command have no order, so that cannot be said, and giving it the other meaning would be
        // a silent change for a line that was pasted from a shell.
        let joined = self.stage.redirects.iter();
        let mut joined = joined.filter(|redirect| redirect.kind == RedirectKind::StderrToStdout);
        if stream == Stream::Stdout && joined.next().is_some() {
            let message = "`2>&1` before the redirection of standard output in a command template";
            return Err(spot.error(message, "write `2>&1` last, to send both to the file"));
        }
        Ok(())
    }

    fn is_taken(&self, stream: Stream) -> Option<Spot> {
        let taken = self.taken.iter().find(|(taken, _)| *taken == stream);
        taken.map(|(_, spot)| *spot)
    }

    fn check_pending(&self) -> Result<(), TemplateError> {
        let Some((kind, spot)) = self.pending else {
            return Ok(());
        };
        let symbol = kind.symbol();
        let message = format!("`{symbol}` without a file in a command template");
        Err(spot.error(message, format!("write the path after it: `{symbol}file`")))
    }

    fn pipe(&mut self, spot: Spot) -> Result<(), TemplateError> {
        self.end_stage(|| {
            let help = "write a program before it, or quote it: '|'";
            spot.error("nothing before `|` in a command template", help)
        })?;
        if let Some(spot) = self.is_taken(Stream::Stdout) {
            let help = "redirect the last stage instead, or use .tee(path) for a copy";
            return Err(taken_by_pipe(Stream::Stdout, spot, help));
        }
        self.taken.clear();
        self.stages.push(std::mem::take(&mut self.stage));
        self.last_pipe = Some(spot);
        Ok(())
    }

    /// Checks that the stage is complete; `empty` makes the error when nothing at all is in it.
    fn end_stage(&self, empty: impl FnOnce() -> TemplateError) -> Result<(), TemplateError> {
        self.check_pending()?;
        if !self.stage.words.is_empty() {
            return Ok(());
        }
        match self.taken.first() {
            Some((_, spot)) => Err(spot.error(
                "redirection without a program in a command template",
                "write the program and its arguments before it",
            )),
            None => Err(empty()),
        }
    }

    fn finish(mut self, pieces: &[&str]) -> Result<TemplateText, TemplateError> {
        self.end_stage(|| match self.last_pipe {
            Some(pipe) => {
                let help = "write a program after it, or quote it: '|'";
                pipe.error("nothing after `|` in a command template", help)
            }
            None => {
                let length = pieces.first().map_or(0, |piece| piece.len());
                let spot = Spot { piece: 0, offset: 0, length };
                spot.error("empty command template", "write a program and its arguments")
            }
        })?;
        self.stages.push(self.stage);
        Ok(TemplateText { stages: self.stages })
    }
}

fn streams(kind: RedirectKind) -> &'static [Stream] {
    match kind {
        RedirectKind::StdinFrom => &[Stream::Stdin],
        RedirectKind::StdoutTo | RedirectKind::StdoutAppend => &[Stream::Stdout],
        RedirectKind::StderrTo | RedirectKind::StderrAppend | RedirectKind::StderrToStdout => &[Stream::Stderr],
        RedirectKind::BothTo => &[Stream::Stdout, Stream::Stderr],
    }
}

fn taken_by_pipe(stream: Stream, spot: Spot, help: &str) -> TemplateError {
    let message = format!("the pipe already takes {} of this stage", stream.name());
    spot.error(message, help)
}
