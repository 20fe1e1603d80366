//! What a function takes and gives.

use std::fmt;

/// A way to call something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Signature {
    pub kind: Kind,
    pub name: String,
    pub parameters: Vec<Parameter>,
    pub result: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Function,
    Property,
    Operator,
    /// Syntax of our own; its name is followed by what else there is to write.
    Syntax,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parameter {
    pub name: String,
    /// Any of these.
    pub types: Vec<String>,
    /// So many can be given, one after the other; at least one.
    pub most: usize,
}

/// The name of the parameter that a method is called on.
const RECEIVER: &str = "this";

impl Signature {
    /// Reads a declaration of a definition file, without its semicolon: `fn name(a: Type | Type, …5) -> Type`, `fn get
    /// name(this: Type) -> Type`, `op name(a: Type, b: Type) -> Type`, `syntax name … -> Type`.
    pub fn parse(text: &str) -> Option<Self> {
        let (text, result) = text.rsplit_once("->")?;
        let (text, result) = (text.trim(), result.trim().to_string());
        if let Some(text) = text.strip_prefix("syntax ") {
            return Some(Self { kind: Kind::Syntax, name: text.to_string(), parameters: Vec::new(), result });
        }
        let (kind, text) = match (text.strip_prefix("fn get "), text.strip_prefix("fn "), text.strip_prefix("op ")) {
            (Some(text), ..) => (Kind::Property, text),
            (_, Some(text), _) => (Kind::Function, text),
            (.., Some(text)) => (Kind::Operator, text),
            _ => return None,
        };
        let (name, parameters) = text.strip_suffix(')')?.split_once('(')?;
        let mut all: Vec<Parameter> = Vec::new();
        for parameter in parameters.split(',').map(str::trim).filter(|parameter| !parameter.is_empty()) {
            match (parameter.strip_prefix('…'), parameter.split_once(':')) {
                (Some(most), _) => all.last_mut()?.most = most.parse().ok()?,
                (None, Some((name, types))) => {
                    let types = types.split('|').map(|name| name.trim().to_string()).collect();
                    all.push(Parameter { name: name.trim().to_string(), types, most: 1 });
                }
                (None, None) => return None,
            }
        }
        Some(Self { kind, name: name.trim().to_string(), parameters: all, result })
    }

    /// The name of syntax without what is to be filled in: `with`, `` $`…` ``.
    pub fn short_name(&self) -> String {
        match (self.name.split_once('`'), self.name.split_once(' ')) {
            (Some((start, _)), _) => format!("{start}`…`"),
            (None, Some((word, _))) => word.to_string(),
            (None, None) => self.name.clone(),
        }
    }

    /// The types that it is a method or a property of.
    pub fn receivers(&self) -> Option<&[String]> {
        self.parameters.first().filter(|first| first.name == RECEIVER).map(|first| first.types.as_slice())
    }

    /// The same for each type that it is a method of, and for each number of arguments.
    pub fn apart(&self) -> Vec<Self> {
        let mut all = vec![self.clone()];
        if let Some(receivers) = self.receivers() {
            all = receivers.iter().map(|receiver| self.with_receiver(receiver)).collect();
        }
        if let Some(most) = self.parameters.last().map(|last| last.most).filter(|most| *most > 1) {
            all = (1..=most).flat_map(|count| all.iter().map(move |signature| signature.repeated(count))).collect();
        }
        all
    }

    fn with_receiver(&self, receiver: &str) -> Self {
        let mut signature = self.clone();
        if let Some(first) = signature.parameters.first_mut() {
            first.types = vec![receiver.to_string()];
        }
        signature
    }

    fn repeated(&self, count: usize) -> Self {
        let mut signature = self.clone();
        if let Some(last) = signature.parameters.pop() {
            let numbered = |number| match count {
                1 => last.name.clone(),
                _ => format!("{}_{number}", last.name),
            };
            let same = |number| Parameter { name: numbered(number), types: last.types.clone(), most: 1 };
            signature.parameters.extend((1..=count).map(same));
        }
        signature
    }

    /// The parameters that are written between the parentheses.
    pub fn arguments(&self) -> &[Parameter] {
        match self.receivers() {
            Some(_) => &self.parameters[1..],
            None => &self.parameters,
        }
    }

    /// As one writes the call, with the types: `Command.arg(value: String)`.
    pub fn call(&self) -> String {
        let mut text = match self.receivers() {
            Some([receiver]) => format!("{receiver}."),
            Some(receivers) => format!("({}).", receivers.join(" | ")),
            None => String::new(),
        };
        text += &self.name;
        if self.kind == Kind::Function {
            let arguments: Vec<String> = self.arguments().iter().map(ToString::to_string).collect();
            text += &format!("({})", arguments.join(", "));
        }
        text
    }
}

/// With what it gives: `Command.arg(value: String) -> Command`.
impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, name, result, .. } = self;
        if let (Kind::Operator, [left, right]) = (kind, self.parameters.as_slice()) {
            return write!(f, "{} {name} {} -> {result}", left.types.join(" | "), right.types.join(" | "));
        }
        f.write_str(&self.call())?;
        match result.as_str() {
            "()" => Ok(()),
            result => write!(f, " -> {result}"),
        }
    }
}

impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let more = if self.most > 1 { ", …" } else { "" };
        write!(f, "{}: {}{more}", self.name, self.types.join(" | "))
    }
}
