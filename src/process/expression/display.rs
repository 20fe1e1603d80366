//! Expressions as the shell lines that they stand for.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::PathBuf;

use super::{Command, Expression, Node};
use crate::process::program::Program;
use crate::process::quote::quote_argument;
use crate::process::redirect::Input;

/// The shell line that the expression stands for: it can be pasted into a shell.
impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.settings.scoped.name {
            return f.write_str(name);
        }
        if let Some(Input::Command(source)) = &self.settings.redirects.stdin {
            write!(f, "{source} | ")?;
        }
        match &self.node {
            Node::Command(command) => f.write_str(&command.shell_line())?,
            Node::Pipeline(stages) => {
                let grouped = !self.settings.redirects.is_plain() || !self.descriptor_suffix().is_empty();
                if grouped {
                    f.write_str("{ ")?;
                }
                for (index, stage) in stages.iter().enumerate() {
                    if index > 0 {
                        f.write_str(" | ")?;
                    }
                    match &stage.node {
                        Node::Pipeline(_)
                            if stage.settings.redirects.is_plain() && stage.descriptor_suffix().is_empty() =>
                        {
                            write!(f, "{{ {stage}; }}")?;
                        }
                        _ => write!(f, "{stage}")?,
                    }
                }
                if grouped {
                    f.write_str("; }")?;
                }
            }
        }
        f.write_str(&self.settings.redirects.shell_suffix())?;
        f.write_str(&self.descriptor_suffix())
    }
}

/// The line only: the input may be large, and the environment secret.
impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Expression(`{self}`)")
    }
}

impl Command {
    pub fn shell_line(&self) -> String {
        let program = match &self.program {
            // Without a slash a shell would search it.
            Program::File(path) if !path.as_os_str().as_encoded_bytes().contains(&b'/') => {
                quote_argument(PathBuf::from(".").join(path).as_os_str())
            }
            program => quote_argument(program.as_os_str()),
        };
        let arguments = self.arguments.iter().map(|argument| quote_argument(argument));
        std::iter::once(program).chain(arguments).collect::<Vec<_>>().join(" ")
    }

    /// `argv` for people.
    pub fn shown_argv(&self, arg0: Option<&OsStr>) -> Vec<String> {
        self.argv(arg0).iter().map(|argument| argument.to_string_lossy().into_owned()).collect()
    }

    /// `argv`, with the name as the user wrote it in front.
    pub fn argv(&self, arg0: Option<&OsStr>) -> Vec<OsString> {
        let first = arg0.unwrap_or_else(|| self.program.as_os_str()).to_os_string();
        std::iter::once(first).chain(self.arguments.iter().cloned()).collect()
    }
}
