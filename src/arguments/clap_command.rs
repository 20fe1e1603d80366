//! A declaration as clap has it.

use clap::builder::{PossibleValuesParser, ValueHint};
use clap::{Arg, ArgAction, Command};

use super::Declaration;
use super::item::Item;
use super::rules::can_be_missing;

/// No name of an item: they have no dashes.
pub(super) const HELP_ID: &str = "--help";
const VERSION_ID: &str = "--version";

/// How wide what is printed may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Width {
    /// As wide as the terminal, up to a hundred columns.
    OfTerminal,
    Columns(usize),
}

/// The command line of a script called `name`.
pub(crate) fn command(declaration: &Declaration, name: &str, width: Width) -> Command {
    let command = level(declaration, name.to_string(), &[]);
    match width {
        Width::OfTerminal => command.max_term_width(100),
        Width::Columns(columns) => command.term_width(columns),
    }
}

fn level(declaration: &Declaration, name: String, inherited: &[&Item]) -> Command {
    let Declaration { about, version, items, examples, commands, command_is_optional } = declaration;
    let all = || items.iter().chain(inherited.iter().copied());
    let is_free = |short: char| all().all(|item| item.short != Some(short));
    let mut command =
        Command::new(name).disable_help_flag(true).disable_version_flag(true).disable_help_subcommand(true);
    if !about.is_empty() {
        command = command.about(about.clone());
    }
    for item in items {
        // For clap only what nothing can make up for, neither a command behind which it comes nor the environment. The
        // others that are missing are found when all of the command line is known.
        let is_required = commands.is_empty() && !can_be_missing(item, items);
        command = command.arg(argument(item).required(is_required));
    }
    for item in inherited {
        command = command.arg(argument(item));
    }
    let mut help = Arg::new(HELP_ID).long("help").help("Print help").action(ArgAction::Help);
    if is_free('h') {
        help = help.short('h');
    }
    command = command.arg(help);
    if let Some(version) = version {
        let mut argument = Arg::new(VERSION_ID).long("version").help("Print version").action(ArgAction::Version);
        if is_free('V') {
            argument = argument.short('V');
        }
        command = command.version(version.clone()).arg(argument);
    }
    if !examples.is_empty() {
        let lines: Vec<String> = examples.iter().map(|example| format!("  {example}")).collect();
        command = command.after_help(format!("Examples:\n{}", lines.join("\n")));
    }
    let below: Vec<&Item> = all().collect();
    for (name, declaration) in commands {
        command = command.subcommand(level(declaration, name.clone(), &below));
    }
    command.subcommand_required(!commands.is_empty() && !command_is_optional)
}

fn argument(item: &Item) -> Arg {
    let mut argument = Arg::new(item.key.clone()).help(help(item)).hide(item.is_hidden);
    if let Some(short) = item.short {
        argument = argument.short(short);
    }
    if let Some(long) = &item.long {
        argument = argument.long(long.clone());
    }
    let Some(placeholder) = &item.placeholder else {
        return argument.action(if item.is_many { ArgAction::Count } else { ArgAction::SetTrue });
    };
    argument = argument.value_name(placeholder.clone()).last(item.is_last);
    argument = match item.is_many {
        true => argument.action(ArgAction::Append),
        false => argument.action(ArgAction::Set),
    };
    if item.is_many && !item.is_named() {
        argument = argument.num_args(1..);
    }
    argument = match item.values.is_empty() {
        false => argument.value_parser(PossibleValuesParser::new(item.values.clone())),
        true => {
            let check = item.value_type.check;
            argument.value_parser(move |text: &str| check(text).map(|()| text.to_string()))
        }
    };
    let hint = match item.value_type {
        value_type if value_type.is_path => ValueHint::AnyPath,
        value_type if value_type.is_number => ValueHint::Other,
        _ => ValueHint::Unknown,
    };
    argument.value_hint(hint).allow_negative_numbers(item.value_type.is_number)
}

/// Clap itself would show the value that the environment has, which may be a secret.
fn help(item: &Item) -> String {
    let default = item.default.as_ref().map(|default| format!("[default: {default}]"));
    let env = item.env.as_ref().map(|name| format!("[env: {name}]"));
    let help = Some(item.help.clone()).filter(|help| !help.is_empty());
    let repeatable = (item.is_many && item.is_named() && !item.is_flag()).then(|| "[repeatable]".to_string());
    [help, repeatable, default, env].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// What of a declaration a shell is given: nothing hidden, and nothing that the shell itself would take for code. The
/// scripts that complete have the values in double quotes.
pub(crate) fn completable(mut declaration: Declaration) -> Declaration {
    let is_plain = |text: &str| text.chars().all(|c| c.is_alphanumeric() || "-_.,:/+@%=".contains(c));
    declaration.items.retain(|item| !item.is_hidden || !item.is_named());
    for item in &mut declaration.items {
        item.values.retain(|value| is_plain(value));
        item.placeholder = item.placeholder.take().map(|name| if is_plain(&name) { name } else { "VALUE".to_string() });
    }
    let below = declaration.commands.into_iter().map(|(name, below)| (name, completable(below)));
    declaration.commands = below.collect();
    declaration
}
