//! Templates for files, in the language of Jinja.

use std::io::Write;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::ValueKind;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior};

use super::problem::Problem;
use super::value::Value;

/// So many steps a template may take: a loop that is meant ends long before.
const STEPS: u64 = 100_000_000;

/// The text that a template makes of values. `stops` is asked whenever something is written: a template that loops
/// must end with the script.
pub(crate) fn render(template: &str, values: &Value, stops: &dyn Fn() -> bool) -> Result<String, Failure> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    // Plain text: nothing is HTML.
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_debug(true);
    environment.set_fuel(Some(STEPS));
    // A line with a block only leaves no empty line.
    let syntax = SyntaxConfig::builder().keep_trailing_newline(true).trim_blocks(true).lstrip_blocks(true).build();
    let syntax = syntax.map_err(|error| Failure::Problem(Problem::new(error.to_string())))?;
    environment.set_syntax(syntax);
    environment.set_formatter(|out, state, value| {
        if value.kind() == ValueKind::None {
            return Err(Error::new(ErrorKind::InvalidOperation, NOTHING));
        }
        minijinja::escape_formatter(out, state, value)
    });
    let problem = |error: &Error| Failure::Problem(problem_of(error, template));
    let compiled = environment.template_from_str(template).map_err(|error| problem(&error))?;
    let mut output = Output { bytes: Vec::new(), stops, has_stopped: false };
    let rendered = compiled.render_captured_to(value_of(values), &mut output).map(|_| ());
    match rendered {
        Err(_) if output.has_stopped => Err(Failure::Stopped),
        Err(error) => Err(problem(&error)),
        Ok(()) => String::from_utf8(output.bytes).map_err(|error| Failure::Problem(Problem::new(error.to_string()))),
    }
}

const NOTHING: &str = "the value is `()`";

/// Why there is no text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    Problem(Problem),
    /// The script must stop.
    Stopped,
}

struct Output<'a> {
    bytes: Vec<u8>,
    stops: &'a dyn Fn() -> bool,
    has_stopped: bool,
}

impl Write for Output<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if (self.stops)() {
            self.has_stopped = true;
            // Not "interrupted": that would be tried again.
            return Err(std::io::Error::other("the script has stopped"));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn problem_of(error: &Error, template: &str) -> Problem {
    let range = error.range().filter(|range| !range.is_empty());
    let named = range.clone().and_then(|range| template.get(range)).map(str::trim).unwrap_or_default();
    let detail = error.detail().unwrap_or_default();
    let (reason, help) = match error.kind() {
        ErrorKind::UndefinedError => {
            let what = if named.is_empty() { detail.to_string() } else { format!("`{named}`") };
            (
                format!("{what} is not defined"),
                Some("give it a value, or say what holds without it: {{ name | default(\"…\") }}"),
            )
        }
        ErrorKind::InvalidOperation if detail == NOTHING => (
            format!("`{named}` is `()`, which is nothing"),
            Some("say what stands for nothing: {{ name if name is not none else \"…\" }}"),
        ),
        ErrorKind::OutOfFuel => ("it takes too many steps".to_string(), None),
        kind if detail.is_empty() => (kind.to_string(), None),
        kind => (format!("{kind}: {detail}"), None),
    };
    let mut problem = Problem::new(reason);
    problem.help = help.map(str::to_string);
    problem.offset = match (range, error.line()) {
        (Some(range), _) => Some(range.start),
        (None, Some(line)) => Problem::at_place("", template, line, 1).offset,
        (None, None) => None,
    };
    problem
}

fn value_of(value: &Value) -> minijinja::Value {
    match value {
        Value::Null => minijinja::Value::from(()),
        Value::Bool(value) => (*value).into(),
        Value::Integer(value) => (*value).into(),
        Value::Float(value) => (*value).into(),
        Value::Text(text) => text.as_str().into(),
        Value::Time(time) => time.to_string().into(),
        Value::Local(local) => local.to_string().into(),
        Value::Array(values) => values.iter().map(value_of).collect(),
        Value::Map(entries) => {
            minijinja::Value::from_pairs(entries.iter().map(|(key, value)| (key.as_str(), value_of(value))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> Value {
        let text = |text: &str| Value::Text(text.to_string());
        Value::Map(vec![
            ("name".into(), text("<&'\"")),
            ("ports".into(), Value::Array(vec![Value::Integer(80), Value::Integer(443)])),
            ("nothing".into(), Value::Null),
            ("db".into(), Value::Map(vec![("host".into(), text("h"))])),
        ])
    }

    fn rendered(template: &str) -> String {
        match render(template, &values(), &|| false) {
            Ok(text) => text,
            Err(Failure::Problem(problem)) => format!("{} @{:?}", problem.reason, problem.offset),
            Err(Failure::Stopped) => "stopped".to_string(),
        }
    }

    #[test]
    fn plain_text_stays_plain() {
        assert_eq!(rendered("a {{ name }}\n"), "a <&'\"\n");
        assert_eq!(
            rendered("x\n  {% for port in ports %}\nlisten {{ port }};\n  {% endfor %}\ny\n"),
            "x\nlisten 80;\nlisten 443;\ny\n"
        );
        assert_eq!(rendered("${HOME} $1 {name} 100%"), "${HOME} $1 {name} 100%");
        assert_eq!(rendered("{{ missing | default('d') }}{{ db.host | upper }}"), "dH");
    }

    #[test]
    fn what_is_missing_is_said() {
        assert_eq!(rendered("a\nb {{ naem }}"), "`naem` is not defined @Some(7)");
        assert_eq!(rendered("{{ db.prot }}"), "`db.prot` is not defined @Some(3)");
        assert_eq!(rendered("{% if naem %}x{% endif %}"), "`naem` is not defined @Some(6)");
        assert_eq!(rendered("{{ nothing }}"), "`nothing` is `()`, which is nothing @Some(3)");
        assert!(rendered("a\n{% if x %}").contains("syntax error"), "{}", rendered("a\n{% if x %}"));
        assert!(rendered("{{ name | nofilter }}").contains("nofilter"));
    }

    #[test]
    fn endless_ones_end() {
        let nested = |inner: &str| format!("{{% for a in range(9999) %}}{inner}{{% endfor %}}");
        let endless = nested(&nested(&nested("x")));
        let count = std::cell::Cell::new(0);
        let stops = || {
            count.set(count.get() + 1);
            count.get() > 1000
        };
        assert_eq!(render(&endless, &values(), &stops), Err(Failure::Stopped));
    }
}
