//! The words that Rhai keeps for itself, and what to write instead.

/// Words that cannot be the name of anything, whether the language uses them or not, each with what
/// its author may have wanted.
const RESERVED: &[(&str, &str)] = &[
    ("as", "for a name, take `like` or `alias`"),
    ("async", "a command runs in the background with .start(); for a name, take `in_background`"),
    ("await", "a command that was started is waited for with .wait(); for a name, take `wait`"),
    ("break", "for a name, take `stop` or `pause`"),
    ("call", "for a name, take `invoke`"),
    ("case", "cases are written switch x { 1 => …, _ => … }; for a name, take `kind`"),
    ("catch", "for a name, take `handle`"),
    ("const", "for a name, take `constant`"),
    ("continue", "for a name, take `go_on`"),
    ("curry", "for a name, take `bind`"),
    ("debug", "as a function, call it: debug(x); for a name, take `detail`"),
    ("default", "for a name, take `fallback`"),
    ("do", "for a name, take `perform`"),
    ("else", "for a name, take `otherwise`"),
    ("eval", "for a name, take `evaluate`"),
    ("export", "for a name, take `publish`"),
    ("false", "for a name, take `no`"),
    ("fn", "a function without a name is a closure: |x| …; for a name, take `function`"),
    ("Fn", "for a name, take `function`"),
    ("for", "for a name, take `reason` or `target`"),
    ("go", "a command runs in the background with .start(); for a name, take `proceed`"),
    ("goto", "there are no jumps: write a function; for a name, take `go_to`"),
    ("if", "for a name, take `condition`"),
    ("import", "for a name, take `load`"),
    ("in", "for a name, take `inside` or `input`"),
    ("is", "two values are compared with ==; for a name, take `is_so`"),
    ("is_def_fn", "for a name, take `has_function`"),
    ("is_def_var", "for a name, take `has_variable`"),
    ("is_shared", "for a name, take `shares`"),
    ("let", "for a name, take `set`"),
    ("loop", "for a name, take `cycle`"),
    ("match", "cases are written switch x { 1 => …, _ => … }; for a name, take `matches`"),
    ("module", "for a name, take `part` or `unit`"),
    ("new", "a value is made by its function alone, and thrown as it is: throw \"why\"; for a name, take `make`"),
    ("nil", "the empty value is `()`"),
    ("null", "the empty value is `()`"),
    ("package", "for a name, take `bundle`"),
    ("print", "as a function, call it: print(x); for a name, take `show`"),
    ("private", "a function of a module that is its own is written private fn name() { … }; for a name, take `hidden`"),
    ("protected", "for a name, take `guarded`"),
    ("public", "functions of a module are public by themselves; for a name, take `open`"),
    ("return", "for a name, take `give`"),
    ("shared", "for a name, take `common`"),
    ("spawn", "to start a command in the background, use .start()"),
    ("static", "for a name, take `fixed`"),
    ("super", "for a name, take `parent`"),
    ("switch", "for a name, take `choose`"),
    ("sync", "for a name, take `synchronize`"),
    ("this", "in a function that is called as a method, `this` is its object; for a name, take `self`"),
    ("thread", "a command runs in the background with .start(); for a name, take `worker`"),
    ("throw", "for a name, take `raise`"),
    ("true", "for a name, take `yes`"),
    ("try", "for a name, take `attempt`"),
    ("type_of", "as a function, call it: type_of(x); for a name, take `kind`"),
    ("until", "for a name, take `deadline`"),
    ("use", "a module is imported with import \"path\" as name; for a name, take `apply`"),
    ("var", "a variable is declared with `let`"),
    ("void", "the empty value is `()`"),
    ("while", "for a name, take `meanwhile`"),
    ("with", "for a name, take `using`"),
    ("yield", "for a name, take `give`"),
];

/// Whether a word cannot be a name.
pub(super) fn is_reserved(word: &str) -> bool {
    RESERVED.iter().any(|(reserved, _)| *reserved == word)
}

/// What to write instead of a reserved word.
pub(super) fn instead(word: &str) -> Option<String> {
    RESERVED.iter().find(|(reserved, _)| *reserved == word).map(|(_, instead)| (*instead).to_string())
}

#[cfg(test)]
mod tests {
    use rhai::{Engine, ParseErrorType};

    use super::*;

    #[test]
    fn the_words_are_rhais() {
        let engine = Engine::new_raw();
        for (word, instead) in RESERVED {
            assert!(engine.compile(format!("let {word} = 1;")).is_err(), "{word}");
            // What is proposed as a name is one.
            let named = instead.rsplit_once("take ").map_or("", |(_, names)| names);
            for name in named.split(" or ").filter_map(|name| name.strip_prefix('`')?.strip_suffix('`')) {
                assert!(engine.compile(format!("let {name} = 1; fn {name}() {{}}")).is_ok(), "{name} for {word}");
            }
        }
        for word in ["start", "run", "cmd", "env", "args", "exit", "fallback"] {
            let error = engine.compile(format!("let {word} = ;")).expect_err("it ends too early");
            assert!(!is_reserved(word) && !matches!(*error.0, ParseErrorType::Reserved(_)), "{word}");
        }
    }
}
