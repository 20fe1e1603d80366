//! A program has the functions that it names: nobody can tell from what it does.

use crate::support::procscript_bin;
use crate::support::run::Run;

#[test]
fn advice_knows_the_functions_that_the_program_does_not_name() {
    Run::new().script("sha265(\"a\");\n").run().status(2).stderr_contains("did you mean `sha256`?");
    Run::new().script("let a = [1]; a.psuh(2);\n").run().status(2).stderr_contains("did you mean `push`?");
    // Advice of another language, which names one of ours.
    Run::new().script("println(\"a\");\n").run().status(2).stderr_contains("print");
}

#[test]
fn what_is_called_by_another_name_than_its_own_is_there() {
    let computed = "let f = Fn(\"sha\" + \"256\");\nprint(f.call(\"\").len());\n";
    Run::new().script(computed).run().status(0).stdout("64\n");
    Run::new().script("print(eval(\"hex\" + \"_encode(\\\"a\\\")\"));\n").run().status(0).stdout("61\n");
    let module = "fn digest(text) { sha256(text).len() }\n";
    let importer = "import \"./\" + \"part\" as part;\nprint(part::digest(\"\"));\n";
    Run::new().script(importer).file("part.rhai", module).run().status(0).stdout("64\n");
    // `in` and the texts of values call functions that nobody writes.
    Run::new().script("print(2 in [1, 2]);\nprint(`${[1, ()]}`);\n").run().status(0).stdout("true\n[1, ()]\n");
}

#[test]
fn operators_between_numbers_are_there() {
    let script = "let a = 7; let b = 2.5;\nprint([-a, +a, a - b, -b, a / 2, a ** 2, a << 1, a & 3, !(a > b), a != 7, 'a' < 'b']);\n";
    let expected = "[-7, 7, 4.5, -2.5, 3, 49, 14, 3, false, false, true]\n";
    Run::new().script(script).run().status(0).stdout(expected);
}

/// The decision in GOTCHAS.md: at a fixed address nothing has to be relocated.
#[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
#[test]
fn the_program_has_a_fixed_address() {
    use std::io::Read;

    const TYPE: usize = 16;
    const EXECUTABLE: u8 = 2;
    let mut header = [0; 18];
    std::fs::File::open(procscript_bin()).and_then(|mut file| file.read_exact(&mut header)).unwrap();
    assert_eq!(header[TYPE], EXECUTABLE);
}
