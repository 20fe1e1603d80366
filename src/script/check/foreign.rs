//! What things are called in other languages, and what they are called here.

/// Values and words, with what to write.
const VALUES: &[(&str, &str)] = &[
    ("None", "the empty value is `()`"),
    ("undefined", "the empty value is `()`"),
    ("NULL", "the empty value is `()`"),
    ("True", "did you mean `true`?"),
    ("TRUE", "did you mean `true`?"),
    ("False", "did you mean `false`?"),
    ("FALSE", "did you mean `false`?"),
    ("self", "in a function that is called as a method, its object is `this`"),
    ("argv", "the arguments of the script are args()"),
    ("ARGV", "the arguments of the script are args()"),
    ("ENV", "a variable of the environment is env(\"NAME\")"),
    ("__FILE__", "the path of the script is script_path()"),
    ("__dirname", "the directory of the script is script_dir()"),
    ("pass", "an empty block is {}"),
    ("elif", "write else if"),
    ("end", "a block ends with }"),
    ("fi", "a block ends with }"),
    ("done", "a block ends with }"),
    ("esac", "a block ends with }"),
];

/// Names of functions and methods elsewhere, the function here that the advice is about, and the advice.
const FUNCTIONS: &[(&[&str], &str, &str)] = &[
    (
        &["exec", "execute", "popen", "Popen", "subprocess", "check_call", "run_command"],
        "cmd",
        "run a program with cmd(\"program\", [arguments]).run()",
    ),
    (&["system", "shell", "bash", "zsh"], "sh", "run a line of shell with sh(\"…\").run()"),
    (&["check_output", "capture", "backtick", "slurp"], "read", "what a command prints is cmd(…).read()"),
    (&["println", "printf", "echo", "puts", "console", "say", "display"], "print", "write a line with print(…)"),
    (&["eprintln", "warn", "perror"], "eprint", "write a line to standard error with eprint(…)"),
    (&["length", "strlen", "count_of", "sizeof"], "len", "did you mean `len`?"),
    (&["str", "String", "string", "toString", "to_s"], "to_string", "did you mean `to_string`?"),
    (&["int", "Int", "Integer", "atoi", "parseInt", "to_i"], "parse_int", "a text becomes a number with parse_int(…)"),
    (&["parseFloat", "atof", "to_f"], "parse_float", "a text becomes a number with parse_float(…)"),
    (&["append", "add", "push_back"], "push", "did you mean `push`?"),
    (
        &["substring", "substr", "slice"],
        "sub_string",
        "a part of a text is sub_string(start, length), of an array extract(start, length)",
    ),
    (&["upper", "toUpperCase", "to_uppercase", "upcase"], "to_upper", "did you mean `to_upper`?"),
    (&["lower", "toLowerCase", "to_lowercase", "downcase"], "to_lower", "did you mean `to_lower`?"),
    (&["strip", "chomp"], "trim", "did you mean `trim`?"),
    (&["rstrip", "trimEnd"], "trim_end", "did you mean `trim_end`?"),
    (&["lstrip", "trimStart"], "trim_start", "did you mean `trim_start`?"),
    (&["includes", "has", "has_key", "contains_key", "hasOwnProperty"], "contains", "did you mean `contains`?"),
    (&["indexOf", "find_index"], "index_of", "did you mean `index_of`?"),
    (&["startsWith", "startswith", "has_prefix"], "starts_with", "did you mean `starts_with`?"),
    (&["endsWith", "endswith", "has_suffix"], "ends_with", "did you mean `ends_with`?"),
    (&["forEach", "foreach"], "for_each", "did you mean `for_each`?"),
    (&["isEmpty", "empty"], "is_empty", "did you mean `is_empty`?"),
    (&["typeof", "type", "instanceof"], "", "the type of a value is type_of(x)"),
    (&["getenv", "get_env", "environ"], "env", "a variable of the environment is env(\"NAME\")"),
    (&["setenv", "putenv", "set_env"], "env", "a command gets a variable with .env(\"NAME\", value)"),
    (&["cd", "chdir"], "dir", "a command runs elsewhere with .dir(\"path\")"),
    (&["pwd", "getcwd", "current_dir"], "cwd", "did you mean `cwd`?"),
    (&["argv", "arguments", "sys_argv"], "args", "the arguments of the script are args()"),
    (&["quit", "halt"], "exit", "did you mean `exit`?"),
    (
        &["die", "panic", "abort", "raise", "error", "Error"],
        "fail",
        "end the script with fail(\"why\"), or throw a value",
    ),
    (&["assert"], "fail", "write if !condition { fail(\"why\") }"),
    (&["sprintf", "fmt"], "", "a text with values in it is `…${x}…`"),
    (&["command", "cmds", "Command", "process", "Process"], "cmd", "did you mean `cmd`?"),
    (&["spawn", "background", "bg", "launch"], "start", "did you mean `start`?"),
    (&["source", "require", "include", "load"], "", "a module is imported with import \"path\" as name;"),
    (&["collect", "toArray", "to_list", "list", "to_vec"], "to_array", "did you mean `to_array`?"),
    (&["readlines", "split_lines", "splitlines"], "lines", "did you mean `lines`?"),
    (&["status", "exit_code", "returncode"], "code", "the exit code of a command is .code()"),
    (&["success", "ok", "succeeds", "is_ok"], "test", "whether a command succeeds is .test()"),
    (&["cwd_to", "current_directory", "in_dir", "cwd_set"], "dir", "a command runs elsewhere with .dir(\"path\")"),
    (&["read_file", "readFile", "file_get_contents"], "read_text", "what is in a file is read_text(path)"),
    (&["stdin_file", "from_file"], "stdin_path", "did you mean `stdin_path`?"),
    (&["stdout_file", "to_file", "redirect"], "stdout_path", "did you mean `stdout_path`?"),
    (&["stderr_file"], "stderr_path", "did you mean `stderr_path`?"),
    (&["write_file", "writeFile"], "write_text", "a file is written with write_text(path, text)"),
    (&["appendFile", "append_file"], "append_text", "did you mean `append_text`?"),
    (&["rm", "rmdir", "rmtree", "unlink", "remove_file"], "remove", "did you mean `remove`?"),
    (&["cp", "copyfile", "copy_file", "copytree"], "copy", "did you mean `copy`?"),
    (&["mv", "rename"], "move", "did you mean `move`?"),
    (&["makedirs", "mkdirs", "mkdir_p", "create_dir"], "mkdir", "did you mean `mkdir`?"),
    (&["ls", "listdir", "list_dir", "readdir"], "read_dir", "what is in a directory is read_dir(path)"),
    (&["stat", "lstat"], "metadata", "did you mean `metadata`?"),
    (&["mktemp", "mkdtemp", "tempdir", "tempfile"], "temp_dir", "did you mean temp_dir() or temp_file()?"),
    (&["readlink"], "read_link", "did you mean `read_link`?"),
    (&["realpath", "canonicalize"], "resolve", "where a path leads to is path(…).resolve()"),
    (
        &["basename", "dirname", "parent", "stem", "extension", "suffix", "file_name", "file_stem", "is_absolute"],
        "path",
        "a path has properties: path(…).name, .stem, .extension, .parent, .parts, .is_absolute",
    ),
    (&["joinpath", "join_path"], "path", "paths are joined by `/`: path(\"a\") / \"b\""),
    (&["expanduser", "home_dir"], "home", "did you mean `home`?"),
    (&["fileinfo", "file_info", "getsize"], "metadata", "what is known about a file is metadata(path)"),
    (&["yaml", "load_yaml", "from_yaml", "safe_load"], "parse_yaml", "did you mean `parse_yaml`?"),
    (&["toml", "from_toml"], "parse_toml", "did you mean `parse_toml`?"),
    (&["csv", "from_csv"], "parse_csv", "did you mean `parse_csv`?"),
    (&["from_json", "json_parse", "json_decode"], "parse_json", "did you mean `parse_json`?"),
    (&["date", "datetime", "strptime", "parse_date", "parse_time"], "time", "a time is time(\"2024-05-01\"), or now()"),
    (&["strftime", "format_date", "format_time"], "format", "a time is written with .format(\"%Y-%m-%d\")"),
    (&["format_size", "human_size", "parse_size"], "size", "a size with its unit is size(bytes), size(\"64MiB\")"),
    (&["sub", "gsub", "re_sub", "replaceAll"], "replace_all", "did you mean `replace_all`?"),
    (&["findall", "matchAll"], "find_all", "did you mean `find_all`?"),
    (
        &["entries", "items", "iteritems"],
        "keys",
        "a map is gone through by its keys: for key in map.keys() { … map[key] … }",
    ),
    (&["sort_by", "sortBy"], "sorted_by", "did you mean `sorted_by`?"),
    (&["uniq", "distinct"], "unique", "did you mean `unique`?"),
    (&["groupBy"], "group_by", "did you mean `group_by`?"),
    (&["tick", "inc", "increment"], "advance", "a bar goes on with .advance()"),
    (&["stop", "shutdown"], "terminate", "a command that runs is ended with .terminate()"),
    (
        &["log_debug", "log_info", "log_warn", "log_error", "logger", "logging"],
        "",
        "messages with levels are in a module: import \"std/log\" as log;",
    ),
    (&["version", "semver", "compare_versions"], "", "versions are in a module: import \"std/semver\" as semver;"),
    (&["which_program", "where", "whereis", "command_exists"], "which", "did you mean `which`?"),
];

/// What to write for a value or a word of another language.
pub(super) fn value(name: &str) -> Option<&'static str> {
    VALUES.iter().find(|(foreign, _)| *foreign == name).map(|(_, help)| *help)
}

/// What to call instead; `exists` says which functions there are.
pub(super) fn function(name: &str, exists: impl Fn(&str) -> bool) -> Option<String> {
    let row = FUNCTIONS.iter().find(|(foreign, ..)| foreign.contains(&name));
    row.filter(|(_, ours, _)| ours.is_empty() || exists(ours)).map(|(_, _, help)| (*help).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::Runtime;
    use crate::script::check::calls::native_functions;

    #[test]
    fn what_is_advised_is_there() {
        let runtime = Runtime::builder().build().expect("it builds");
        let native = native_functions(runtime.engine());
        for (_, ours, help) in FUNCTIONS {
            assert!(ours.is_empty() || *ours == "print" || native.contains_key(*ours), "{ours}: {help}");
        }
        let mut all: Vec<_> = FUNCTIONS.iter().flat_map(|(foreign, ..)| foreign.iter()).collect();
        all.sort_unstable();
        let count = all.len();
        all.dedup();
        assert_eq!(all.len(), count, "a name stands in two rows");
    }
}
