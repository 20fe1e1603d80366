//! One thing that a script takes: a flag, an option with a value, or an argument by its place.

/// What the text of a value has to be. What it becomes is not known here.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ValueType {
    /// As it is written in a declaration: `[int]`.
    pub name: &'static str,
    /// Why a text is no such value.
    pub check: fn(&str) -> Result<(), String>,
    /// Whether it names a file: a shell can complete it.
    pub is_path: bool,
    /// Whether a value may begin with a minus sign.
    pub is_number: bool,
    /// Whether a message must not repeat the value.
    pub is_secret: bool,
}

impl PartialEq for ValueType {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for ValueType {}

/// One thing that a script takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    /// Its name in the result.
    pub key: String,
    pub short: Option<char>,
    pub long: Option<String>,
    /// What stands for the value in the help; a flag has none.
    pub placeholder: Option<String>,
    /// Given several times: a list, or for a flag how often.
    pub is_many: bool,
    /// Only behind `--`, and everything there.
    pub is_last: bool,
    pub is_required: bool,
    pub is_hidden: bool,
    pub help: String,
    pub value_type: ValueType,
    pub values: Vec<String>,
    pub default: Option<String>,
    /// The environment variable that is asked when it is not given.
    pub env: Option<String>,
    /// The names of others that must be given with it, and of those that must not.
    pub needs: Vec<String>,
    pub conflicts: Vec<String>,
}

impl Item {
    /// Whether it is found by its name and not by its place.
    pub fn is_named(&self) -> bool {
        self.short.is_some() || self.long.is_some()
    }

    pub fn is_flag(&self) -> bool {
        self.placeholder.is_none()
    }

    /// As messages call it, in the words of clap: `--jobs <N>`, `<FILE>...`.
    pub fn title(&self) -> String {
        let name = match (&self.long, self.short) {
            (Some(long), _) => format!("--{long}"),
            (None, Some(short)) => format!("-{short}"),
            (None, None) => String::new(),
        };
        match (&self.placeholder, self.is_named()) {
            (None, _) => name,
            (Some(placeholder), true) => format!("{name} <{placeholder}>"),
            (Some(placeholder), false) => format!("<{placeholder}>{}", if self.is_many { "..." } else { "" }),
        }
    }

    /// Whether `name` (`--jobs`, `-j`, `FILE`, `<FILE>`) means this one.
    pub fn is_called(&self, name: &str) -> bool {
        match name.strip_prefix("--") {
            Some(long) => self.long.as_deref() == Some(long),
            None => match name.strip_prefix('-') {
                Some(short) => self.short.is_some_and(|own| short.chars().eq([own])),
                None => {
                    let name = name.strip_prefix('<').and_then(|name| name.strip_suffix('>')).unwrap_or(name);
                    !self.is_named() && self.placeholder.as_deref() == Some(name)
                }
            },
        }
    }

    /// Why a text cannot be its value.
    pub fn refusal(&self, text: &str) -> Option<String> {
        if !self.values.is_empty() && !self.values.iter().any(|value| value == text) {
            return Some(format!("the possible values are {}", self.values.join(", ")));
        }
        (self.value_type.check)(text).err()
    }

    /// The texts of a value that was not given on the command line.
    pub fn parts<'t>(&self, text: &'t str) -> Vec<&'t str> {
        match self.is_many && !self.is_flag() {
            true => text.split(',').map(str::trim).filter(|part| !part.is_empty()).collect(),
            false => vec![text],
        }
    }
}

/// What a text says about a flag.
pub(crate) fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Some(true),
        "false" | "no" | "off" | "0" => Some(false),
        _ => None,
    }
}
