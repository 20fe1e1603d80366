//! What a session shows of its values and names.

use rhai::Dynamic;

use crate::script::api::Outcome;
use crate::script::convert;
use crate::script::spelling::RESULT;
use crate::script::thread::on_script_thread;

use super::Session;
use super::results::ERROR;
use super::show::{self, View};

/// A variable of a session.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// What it holds: "an integer", "an array of 3".
    pub kind: String,
    /// The beginning of its value.
    pub shown: String,
    /// Whether it was declared with `const`.
    pub is_constant: bool,
}

impl Session {
    /// How much of a value [`enter`](Self::enter) and [`show`](Self::show) show.
    pub fn set_view(&mut self, view: View) {
        self.view = view;
    }

    /// How a value is shown, with secrets masked; `None` for nothing.
    pub fn show(&self, value: &Dynamic) -> Option<String> {
        self.show_in(value, &self.view)
    }

    /// How a value is shown with so much room.
    ///
    /// ```
    /// use procscript::script::{Runtime, Session, View};
    ///
    /// let session = Session::new(Runtime::builder().build()?);
    /// let rows = session.runtime().eval(r#" [#{name: "a", size: 1}, #{name: "bc", size: 20}] "#)?;
    /// let shown = session.show_in(&rows, &View { rows: 1, ..View::default() }).unwrap();
    /// assert_eq!(shown, "name  size\n----  ----\na        1\n… 1 more");
    /// # Ok::<(), procscript::script::Failure>(())
    /// ```
    pub fn show_in(&self, value: &Dynamic, view: &View) -> Option<String> {
        if value.is_unit() {
            return None;
        }
        let shown = on_script_thread(|| show::show(&self.runtime, value, view));
        shown.ok().map(|shown| self.runtime.mask(&shown))
    }

    /// The last value, shown with everything that is in it.
    pub fn show_last(&mut self) -> Option<String> {
        let view = View { is_whole: true, ..self.view.clone() };
        let Self { runtime, scope, .. } = self;
        let last = scope.get_mut(&format!("{RESULT}1"))?;
        let shown = on_script_thread(|| (!last.is_unit()).then(|| show::show(runtime, last, &view))).ok()??;
        Some(runtime.mask(&shown))
    }

    /// The variables, in the order in which they were declared; of those of one name only the last can be seen.
    pub fn variables(&self) -> Vec<Variable> {
        let mut seen = std::collections::HashSet::new();
        let all: Vec<_> = self.scope.iter_raw().collect();
        let view = View { columns: 60, rows: 0, is_whole: false };
        let listed = on_script_thread(|| {
            // The last comes first.
            let visible = all
                .iter()
                .filter(|(name, ..)| !name.starts_with("__") && *name != ERROR && seen.insert(name.to_string()));
            let mut variables: Vec<Variable> = visible
                .map(|(name, is_constant, value)| Variable {
                    name: name.to_string(),
                    kind: kind_of(value),
                    shown: self.runtime.mask(&show::show(&self.runtime, value, &view)),
                    is_constant: *is_constant,
                })
                .collect();
            variables.reverse();
            variables
        });
        listed.unwrap_or_default()
    }

    /// The names of the functions that were defined, with those of their parameters.
    pub fn defined_functions(&self) -> Vec<(String, Vec<String>)> {
        let own = self.functions.iter_functions().filter(|function| !function.name.contains('$'));
        let mut functions: Vec<_> = own
            .map(|function| (function.name.to_string(), function.params.iter().map(ToString::to_string).collect()))
            .collect();
        functions.sort();
        functions
    }
}

/// The kind of a value, with how much there is of it.
pub(super) fn kind_of(value: &Dynamic) -> String {
    if value.is::<crate::process::Execution>() {
        return "a command that was started".to_string();
    }
    if value.is::<Outcome>() {
        return "the result of a command".to_string();
    }
    let kind = convert::kind_of(value);
    let kind = kind.split(" (").next().unwrap_or_default().to_string();
    if let Some(array) = value.read_lock::<rhai::Array>() {
        return format!("{kind} of {}", array.len());
    }
    if let Some(map) = value.read_lock::<rhai::Map>() {
        return format!("{kind} of {}", map.len());
    }
    if let Some(blob) = value.read_lock::<rhai::Blob>() {
        return format!("{kind} of {} bytes", blob.len());
    }
    kind
}
