use super::{Part, Redirect, TemplateError, TemplateText, Word, parse};
use crate::script::scan::scan;

mod random;
mod refusals;

/// Splits the inside of a template at its slots, as the loader does.
fn pieces(inside: &str) -> Vec<String> {
    let source = format!("$`{inside}`");
    let templates = scan(&source).templates;
    assert_eq!(templates[0].end, Some(source.len()), "not one whole template: {inside}");
    templates[0].literals.iter().map(|range| source[range.clone()].to_string()).collect()
}

fn parse_inside(inside: &str) -> Result<TemplateText, TemplateError> {
    let pieces = pieces(inside);
    parse(&pieces.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Shows a word as its text, with slots as `«0»`, and a `'` in front when something was quoted.
fn show_word(word: &Word) -> String {
    let parts = word.parts.iter().map(|part| match part {
        Part::Text(text) => text.clone(),
        Part::Slot(slot) => format!("«{slot}»"),
    });
    let mark = if word.quoted { "'" } else { "" };
    format!("{mark}{}", parts.collect::<String>())
}

fn show_redirect(redirect: &Redirect) -> String {
    let target = redirect.target.as_ref().map(show_word);
    format!("({}{})", redirect.kind.symbol(), target.unwrap_or_default())
}

/// Shows the words of a stage and then its redirections with `·` between, and `⇒` between stages.
fn show(template: &TemplateText) -> String {
    let stages = template.stages.iter().map(|stage| {
        let words = stage.words.iter().map(show_word);
        words.chain(stage.redirects.iter().map(show_redirect)).collect::<Vec<_>>().join("·")
    });
    stages.collect::<Vec<_>>().join("⇒")
}

fn check(cases: &[(&str, &str)]) {
    for (inside, expected) in cases {
        let template = parse_inside(inside).unwrap_or_else(|error| panic!("{inside}: {error:?}"));
        assert_eq!(show(&template), *expected, "{inside}");
    }
}

#[test]
fn splits_words_at_white_space() {
    check(&[
        ("git diff", "git·diff"),
        (" \t\r\n git\n\tdiff\r\n ", "git·diff"),
        ("a\\\nb", "ab"),
        ("a \\\n b \\\r\n c\\\n", "a·b·c"),
        ("\\\na", "a"),
        ("é →ü\u{a0}ß", "é·→ü\u{a0}ß"),
    ]);
}

#[test]
fn quotes_as_sh_does() {
    check(&[
        ("a 'b c'", "a·'b c"),
        ("a \"b  c\"", "a·'b  c"),
        ("a '' \"\"", "a·'·'"),
        ("a b\"c d\"'e f'g", "a·'bc de fg"),
        ("a 'b\"c' \"d'e\" 'f\ng'", "a·'b\"c·'d'e·'f\ng"),
        (r"a 'b\c\\d\n'", r"a·'b\c\\d\n"),
        (r"a '\`' '\${x}' '\$x'", r"a·'`·'${x}·'\$x"),
        (r#"a "\"\\\$\`\n\'""#, r#"a·'"\$`\n\'"#),
        ("a \"b\\\nc\" \"d\\\r\ne\" 'f\\\ng'", "a·'bc·'de·'f\\\ng"),
        (r"a\ b \c \\ \' \é \`", r"'a b·'c·'\·''·'é·'`"),
        ("';' '&&' \"||\" '*' \"?\" '~' '#' '$x' '(' '<'", "';·'&&·'||·'*·'?·'~·'#·'$x·'(·'<"),
        (r"a \; \& \| \< \> \* \? \~ \# \$x \( \)", "a·';·'&·'|·'<·'>·'*·'?·'~·'#·'$x·'(·')"),
        (
            r"'[a]' \[a] [a\] [a']' '{a,b}' \{a,b} {a\,b} {'1..3'} {1\..3}",
            "'[a]·'[a]·'[a]·'[a]·'{a,b}·'{a,b}·'{a,b}·'{1..3}·'{1..3}",
        ),
        ("a ''~ \"\"#x b''#", "a·'~·'#x·'b#"),
    ]);
}

#[test]
fn takes_plain_characters_as_they_are() {
    check(&[
        ("a b#c d~ --x=~/y %d ^ @ ! + , : . - / =", "a·b#c·d~·--x=~/y·%d·^·@·!·+·,·:·.·-·/·="),
        ("a $ $, b$ $/ $= \"$\" \"$'\" '$x'", "a·$·$,·b$·$/·$=·'$·'$'·'$x"),
        ("[ -f x ]", "[·-f·x·]"),
        ("a [b c] ] [] [!] [^] .[] b[ [[ x ]]", "a·[b·c]·]·[]·[!]·[^]·.[]·b[·[[·x·]]"),
        ("find . -exec ls {} +", "find·.·-exec·ls·{}·+"),
        ("a {b} } { {{.Names}} @{0} x{, }{", "a·{b}·}·{·{{.Names}}·@{0}·x{,·}{"),
        ("a {a..} {..} {ab..cd} {1..b} {1...3} {{1}..3}", "a·{a..}·{..}·{ab..cd}·{1..b}·{1...3}·{{1}..3}"),
        // An assignment is one only before the program and without quotes.
        ("env A=b c=", "env·A=b·c="),
        ("'A'=b", "'A=b"),
        ("1A=b", "1A=b"),
        ("-A=b", "-A=b"),
        ("a-b=c", "a-b=c"),
        ("=a", "=a"),
        ("${x}A=b", "«0»A=b"),
    ]);
}

#[test]
fn keeps_slots_whole() {
    check(&[
        ("${x}", "«0»"),
        ("a ${x} ${y}", "a·«0»·«1»"),
        ("a --f=${x}.${y}z", "a·--f=«0».«1»z"),
        ("a ${x}${y} ${z}", "a·«0»«1»·«2»"),
        ("a \"${x}\" '${y}' \"b ${z} c\"'d ${w}'", "a·'«0»·'«1»·'b «2» cd «3»"),
        ("a ''${x} ${y}\"\"", "a·'«0»·'«1»"),
        ("a $${x} '$${y}' \"$${z}\"", "a·$«0»·'$«1»·'$«2»"),
        (r"a \\${x} '\\${y}'", r"a·'\«0»·'\\«1»"),
        ("a ${x}# ${y}~", "a·«0»#·«1»~"),
        ("a {${x}} [ ${y} ] {${i}..3}", "a·{«0»}·[·«1»·]·{«2»..3}"),
        ("a {${x} }[${y}", "a·{«0»·}[«1»"),
    ]);
    let template = parse_inside("${a} \"${b}\" ${c}d '' ${e}${f} g").expect("a template");
    let lone: Vec<_> = template.stages[0].words.iter().map(Word::lone_slot).collect();
    assert_eq!(lone, [Some(0), None, None, None, None, None]);
}

#[test]
fn reads_pipelines_and_redirections() {
    check(&[
        ("a | b|c d", "a⇒b⇒c·d"),
        ("${a}|${b}", "«0»⇒«1»"),
        ("a\n| b\n| c", "a⇒b⇒c"),
        ("a <b", "a·(<b)"),
        ("a < b", "a·(<b)"),
        ("a<b", "a·(<b)"),
        ("<b a c", "a·c·(<b)"),
        ("a >b c", "a·c·(>b)"),
        ("a >> b", "a·(>>b)"),
        ("a >'b c'", "a·(>'b c)"),
        ("a >\n b", "a·(>b)"),
        ("a >${x} 2>${y}.log", "a·(>«0»)·(2>«1».log)"),
        ("a >A=b", "a·(>A=b)"),
        (">A=b a", "a·(>A=b)"),
        ("a 1>b", "a·(>b)"),
        ("a 1>>b", "a·(>>b)"),
        ("a 0<b", "a·(<b)"),
        ("a 2>b", "a·(2>b)"),
        ("a 2>>b", "a·(2>>b)"),
        ("a &>b", "a·(&>b)"),
        ("a&>b", "a·(&>b)"),
        ("a 2>&1", "a·(2>&1)"),
        ("a 2>&1 b", "a·b·(2>&1)"),
        ("a >b 2>&1", "a·(>b)·(2>&1)"),
        ("a >b 2>&1<c", "a·(>b)·(2>&1)·(<c)"),
        ("a 2>b >c <d", "a·(2>b)·(>c)·(<d)"),
        ("a <b 2>&1 | c 2>d | e >f", "a·(<b)·(2>&1)⇒c·(2>d)⇒e·(>f)"),
        ("a 2>&1|b", "a·(2>&1)⇒b"),
        // The number counts only as a whole word, as in sh.
        ("a2>b", "a2·(>b)"),
        ("a 2 >b", "a·2·(>b)"),
        ("a \\2>b", "a·'2·(>b)"),
        ("a '2'>b", "a·'2·(>b)"),
        ("a ${x}2>b", "a·«0»2·(>b)"),
        ("a 2\\\n>b", "a·(2>b)"),
        ("a >2", "a·(>2)"),
        ("a 2&>b", "a·2·(&>b)"),
    ]);
}
