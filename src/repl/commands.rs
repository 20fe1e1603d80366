//! What a session can be told besides entries: `:help`, `:doc`, `:time` and others, in one table.

mod acts;

use super::reader::{Argument, MetaCommand};
use super::{Conversation, Next};
use crate::process::nearest_name;
use crate::script::Failure;

/// What a command does with what follows its name.
type Act = fn(&mut Conversation, &str) -> Result<Next, Failure>;

/// A command of the session.
struct Command {
    name: &'static str,
    /// Other words for it, the short one first.
    aliases: &'static [&'static str],
    /// What follows, as one writes it in a manual.
    arguments: &'static str,
    /// How many words that are: the least and the most.
    words: (usize, usize),
    /// What of it can be completed.
    argument: fn() -> Argument,
    /// One sentence.
    summary: &'static str,
    /// More about it.
    help: &'static str,
    act: Act,
}

/// What `:set` knows, and the values of each.
const SETTINGS: &[(&str, &[&str])] =
    &[("edit", &["emacs", "vi"]), ("color", &["on", "off"]), ("hints", &["on", "off"]), ("rows", &[])];

const NOTHING: fn() -> Argument = || Argument::None;
/// As many words as one likes: a text, an expression, a path.
const ANY: usize = usize::MAX;

const COMMANDS: &[Command] = &[
    Command {
        name: "help",
        aliases: &["h", "?"],
        arguments: "[COMMAND]",
        words: (0, 1),
        argument: || Argument::OneOf(COMMANDS.iter().map(|command| command.name.to_string()).collect()),
        summary: "Shows what there is, or more about one command",
        help: "An entry is evaluated when it is complete, and its value is shown; `;` at its end hides the \
               value. A command that is the whole entry is run as in a shell; with `;` it is only built. The \
               last value is `_`, those before it are `_2` to `_9`, and the last error is `_err`. What an entry \
               has defined before it failed stays. `!LINE` gives a line to /bin/sh; with a space in front, `!` \
               is the operator.",
        act: acts::help,
    },
    Command {
        name: "doc",
        aliases: &["d"],
        arguments: "[NAME]",
        words: (0, ANY),
        argument: || Argument::Documented,
        summary: "Shows the documentation of a function, a type, a module or a topic",
        help: "Without a name: the topics. `:doc Settings` lists what is in one. Names are those of `procscript \
               doc`: lines, Command.lines, git::branch, Output.code, with, Command, std/git.",
        act: acts::doc,
    },
    Command {
        name: "type",
        aliases: &["t"],
        arguments: "EXPR",
        words: (1, ANY),
        argument: || Argument::Code,
        summary: "Tells what an expression gives",
        help: "The expression is evaluated for that, with everything that it does.",
        act: acts::kind,
    },
    Command {
        name: "time",
        aliases: &[],
        arguments: "EXPR",
        words: (1, ANY),
        argument: || Argument::Code,
        summary: "Evaluates an entry, and tells how long it took",
        help: "By the clock, and of processor time in programs (user) and in the kernel for them (system): for \
               procscript itself, and for each process of the commands that the entry has waited for.",
        act: acts::time,
    },
    Command {
        name: "vars",
        aliases: &["v"],
        arguments: "",
        words: (0, 0),
        argument: NOTHING,
        summary: "Lists the variables and functions of the session",
        help: "Of variables with one name, the one that an entry would see.",
        act: acts::variables,
    },
    Command {
        name: "all",
        aliases: &["a"],
        arguments: "",
        words: (0, 0),
        argument: NOTHING,
        summary: "Shows the whole of the last value",
        help: "Otherwise tables and arrays are cut after 20 rows (`:set rows N`), texts after 1,000 characters, \
               blobs after 32 bytes.",
        act: acts::all,
    },
    Command {
        name: "err",
        aliases: &["e"],
        arguments: "",
        words: (0, 0),
        argument: NOTHING,
        summary: "Shows the last error with everything that is known",
        help: "The place, the calls, each stage of a pipeline, the end of what a command wrote to a standard \
               error that was captured. As a value the error is `_err`.",
        act: acts::error,
    },
    Command {
        name: "load",
        aliases: &["l"],
        arguments: "FILE",
        words: (1, ANY),
        argument: || Argument::Path,
        summary: "Evaluates a file in the session",
        help: "What it defines is there afterwards. Errors point into the file.",
        act: acts::load,
    },
    Command {
        name: "save",
        aliases: &[],
        arguments: "FILE",
        words: (1, ANY),
        argument: || Argument::Path,
        summary: "Writes the entries that have succeeded, as a script",
        help: "Commands that were run because they were the whole entry are run in it, and values that were `_` \
               have names. A file that is there is not written over.",
        act: acts::save,
    },
    Command {
        name: "edit",
        aliases: &[],
        arguments: "[N]",
        words: (0, 1),
        argument: NOTHING,
        summary: "Opens the last entry, or entry N, in $VISUAL or $EDITOR, and evaluates what comes back",
        help: "Without both variables the editor is vi. Nothing is evaluated when the editor fails, or leaves \
               the text as it was.",
        act: acts::edit,
    },
    Command {
        name: "jobs",
        aliases: &["j"],
        arguments: "",
        words: (0, 0),
        argument: NOTHING,
        summary: "Lists the commands and services that are running beside the session",
        help: "They end with the session, unless they were detached. Ctrl-C ends an entry, and not what runs \
               beside it.",
        act: acts::jobs,
    },
    Command {
        name: "history",
        aliases: &[],
        arguments: "[TEXT]",
        words: (0, ANY),
        argument: NOTHING,
        summary: "Lists what was entered, in earlier sessions too; only what contains a text",
        help: "The last 50. An entry with a space in front is not kept.",
        act: acts::history,
    },
    Command {
        name: "set",
        aliases: &[],
        arguments: "[NAME VALUE]",
        words: (0, 2),
        argument: || {
            let value = |(name, values): &(&str, &[&str])| -> Vec<String> {
                values.iter().map(|value| format!("{name} {value}")).collect()
            };
            Argument::OneOf(SETTINGS.iter().flat_map(value).collect())
        },
        summary: "Changes how entries are typed and shown; without a name, tells how",
        help: "edit emacs|vi: whose keys count. color on|off: whether what is typed has colours. hints on|off: \
               whether the rest of an earlier entry is shown while one types. rows N: the most rows of a table \
               that are shown.",
        act: acts::set,
    },
    Command {
        name: "reset",
        aliases: &[],
        arguments: "",
        words: (0, 0),
        argument: NOTHING,
        summary: "Forgets all variables, functions and imports",
        help: "What was started and is held by a variable is ended. The numbers of entries go on.",
        act: acts::reset,
    },
    Command {
        name: "quit",
        aliases: &["q", "exit"],
        arguments: "",
        words: (0, 0),
        argument: NOTHING,
        summary: "Ends the session, as Ctrl-D does on an empty line",
        help: "Commands that are running are ended.",
        act: acts::quit,
    },
];

/// The table for the completion of names and arguments.
pub(super) fn for_completion() -> Vec<MetaCommand> {
    let meta = |command: &Command| MetaCommand {
        name: format!(":{}", command.name),
        summary: command.summary.to_string(),
        argument: (command.argument)(),
    };
    COMMANDS.iter().map(meta).collect()
}

/// Does what a line says, whose colon is gone.
pub(super) fn run(conversation: &mut Conversation, line: &str) -> Result<Next, Failure> {
    let (name, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    match find(name) {
        Some(command) => match command.misuse(rest.split_whitespace().count()) {
            Some(misuse) => conversation.complain(&misuse),
            None => (command.act)(conversation, rest.trim()),
        },
        None => {
            let hint =
                similar(name).map_or("`:help` lists them".to_string(), |name| format!("did you mean `:{name}`?"));
            conversation.complain(&format!("there is no command `:{name}`; {hint}"))
        }
    }
}

fn find(name: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| command.name == name || command.aliases.contains(&name))
}

fn similar(name: &str) -> Option<String> {
    nearest_name(name, COMMANDS.iter().map(|command| command.name.to_string()))
}

impl Command {
    /// `:doc [NAME]`
    fn usage(&self) -> String {
        format!(":{} {}", self.name, self.arguments).trim_end().to_string()
    }

    /// What is wrong with so many words behind the name.
    fn misuse(&self, count: usize) -> Option<String> {
        let (least, most) = self.words;
        let needs = match (count < least, count > most, most) {
            (true, ..) => "needs something behind it".to_string(),
            (_, true, 0) => "stands alone".to_string(),
            (_, true, most) => format!("takes no more than {most} word{}", if most == 1 { "" } else { "s" }),
            _ => return None,
        };
        Some(format!("`:{}` {needs}; usage: {}", self.name, self.usage()))
    }
}

#[cfg(test)]
mod tests {
    use super::COMMANDS;

    #[test]
    fn the_table_is_in_order() {
        let names: Vec<&str> = COMMANDS.iter().flat_map(|c| c.aliases.iter().chain([&c.name])).copied().collect();
        for (index, name) in names.iter().enumerate() {
            assert!(!names[..index].contains(name), "{name} is there twice");
        }
        for command in COMMANDS {
            assert!(!command.summary.ends_with('.'), "{}", command.name);
            assert!(command.summary.starts_with(|c: char| c.is_uppercase()), "{}", command.name);
            let (least, most) = command.words;
            assert_eq!(most == 0, command.arguments.is_empty(), "{}", command.name);
            assert_eq!(
                least == 0,
                command.arguments.is_empty() || command.arguments.starts_with('['),
                "{}",
                command.name
            );
            assert!(command.help.ends_with('.') && !command.help.contains("  "), "{}", command.name);
        }
    }
}
