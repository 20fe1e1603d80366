//! What an expression with operators comes to, from the types of its operands.

use crate::script::docs::{Kind as What, Reference};
use crate::script::format::Kind;

use super::chain::{Operand, Resolver, known};
use super::members;
use super::types::Type;

/// How strongly operators bind, as Rhai has it; what is in no row is none that a value comes of.
const BINDING: &[(&[&str], u8)] = &[
    (&["||", "|", "^"], 30),
    (&["&&", "&"], 60),
    (&["==", "!="], 90),
    (&["in", "!in"], 110),
    (&["<", "<=", ">", ">="], 130),
    (&["??"], 135),
    (&["+", "-"], 150),
    (&["*", "/", "%"], 180),
    (&["**"], 190),
    (&["<<", ">>"], 210),
];

impl Resolver<'_, '_> {
    /// What the tokens from `start` up to `end` come to, which have to be one expression.
    pub(super) fn whole(&mut self, start: usize, end: usize) -> Operand {
        if end <= start || end > self.code.tokens.len() {
            return Operand::Unknown;
        }
        if let Some((at, _)) = self.weakest(start, end) {
            return self.deeper(|this| this.operation(start, at, end));
        }
        match self.code.text(start) {
            "!" => known("bool"),
            "-" | "+" => self.deeper(|this| this.whole(start + 1, end)),
            _ => match self.chain(end) {
                (operand, first) if first == start => operand,
                _ => Operand::Unknown,
            },
        }
    }

    /// The operator that is applied last: of those that bind the least, the last.
    fn weakest(&self, start: usize, end: usize) -> Option<(usize, u8)> {
        let mut depth = 0_usize;
        let mut weakest: Option<(usize, u8)> = None;
        let mut has_operand = false;
        for at in start..end {
            match self.code.tokens[at].kind {
                Kind::Open => depth += 1,
                Kind::Close => depth = depth.saturating_sub(1),
                _ if depth > 0 => {}
                // A sign has nothing in front of it.
                Kind::Symbol | Kind::Word if has_operand => {
                    let binding = binding(self.code.text(at));
                    if let Some(binding) = binding.filter(|binding| weakest.is_none_or(|(_, found)| *binding <= found))
                    {
                        weakest = Some((at, binding));
                    }
                    has_operand = binding.is_none();
                    continue;
                }
                _ => {}
            }
            has_operand = has_operand || self.code.tokens[at].kind != Kind::Symbol;
        }
        weakest
    }

    fn operation(&mut self, start: usize, at: usize, end: usize) -> Operand {
        let operator = self.code.text(at);
        if matches!(operator, "||" | "&&" | "==" | "!=" | "in" | "!in" | "<" | "<=" | ">" | ">=") {
            return known("bool");
        }
        let (left, right) = (self.whole(start, at), self.whole(at + 1, end));
        if operator == "??" {
            return if matches!(left, Operand::Unknown) { right } else { left };
        }
        let (Some(left), Some(right)) = (self.type_of(&left), self.type_of(&right)) else { return Operand::Unknown };
        let documented = documented(self.session.editing().reference(), operator, &left, &right);
        documented.map(Operand::Type).unwrap_or_else(|| of_rhai(operator, &left.name, &right.name))
    }
}

fn binding(operator: &str) -> Option<u8> {
    BINDING.iter().find(|(operators, _)| operators.contains(&operator)).map(|(_, binding)| *binding)
}

/// What the documentation says that an operator gives for these.
fn documented(reference: &Reference, operator: &str, left: &Type, right: &Type) -> Option<Type> {
    let takes = |types: &[String], given: &Type| types.iter().any(|of| *of == given.name || of == "?");
    let mut all = members::signatures(reference).map(|(_, signature)| signature);
    let found = all.find(|signature| match &signature.parameters[..] {
        [one, other] if signature.kind == What::Operator && signature.name == operator => {
            takes(&one.types, left) && takes(&other.types, right)
        }
        _ => false,
    })?;
    Type::named(&found.result)
}

/// What Rhai's own operators give.
fn of_rhai(operator: &str, left: &str, right: &str) -> Operand {
    let is_number = |name: &str| matches!(name, "int" | "float");
    let is_text = |name: &str| matches!(name, "String" | "char");
    known(match operator {
        "|" | "&" | "^" if left == right && matches!(left, "int" | "bool") => left,
        "<<" | ">>" if (left, right) == ("int", "int") => "int",
        "+" | "-" | "*" | "/" | "%" | "**" if is_number(left) && is_number(right) => match (left, right) {
            ("int", "int") => "int",
            _ => "float",
        },
        "+" if is_text(left) || is_text(right) => "String",
        "+" if matches!(left, "Array" | "Map" | "Blob") && (left == right || left == "Array") => left,
        _ => return Operand::Unknown,
    })
}
