//! Values that can be read off a program, without running it.

use std::collections::HashMap;

use rhai::{ASTFlags, Array, Dynamic, Expr, ImmutableString, Map, Position, Stmt};

use crate::script::convert;

/// A value, and where it is written.
#[derive(Debug, Clone)]
pub(crate) struct Literal {
    pub value: Value,
    pub position: Position,
}

#[derive(Debug, Clone)]
pub(crate) enum Value {
    Text(String),
    Bool(bool),
    Array(Vec<Literal>),
    /// In the order of the text.
    Map(Vec<(String, Position, Literal)>),
    /// Anything else, as the end of a sentence says it.
    Other(String),
}

/// The constants that a statement at the top level sees, as far as they are literals.
#[derive(Debug, Default)]
pub(crate) struct Constants(HashMap<String, Literal>);

impl Constants {
    /// Goes past a statement.
    pub fn pass(&mut self, statement: &Stmt) {
        let Stmt::Var(parts, flags, _) = statement else { return };
        let (ident, value, _) = &**parts;
        let literal = flags.contains(ASTFlags::CONSTANT).then(|| Literal::of(value, self).ok()).flatten();
        match literal {
            Some(literal) => self.0.insert(ident.name.to_string(), literal),
            // The name means something else from here on.
            None => self.0.remove(ident.name.as_str()),
        };
    }
}

impl Literal {
    /// The value of an expression; the position is that of the part which is known only at run time.
    pub fn of(expression: &Expr, constants: &Constants) -> Result<Self, Position> {
        let position = expression.position();
        let value = match expression {
            Expr::StringConstant(text, _) => Value::Text(text.to_string()),
            Expr::BoolConstant(value, _) => Value::Bool(*value),
            Expr::DynamicConstant(value, _) => Self::of_value(value).value,
            Expr::IntegerConstant(..) | Expr::FloatConstant(..) | Expr::CharConstant(..) | Expr::Unit(_) => {
                let value = expression.get_literal_value(None).unwrap_or(Dynamic::UNIT);
                Value::Other(convert::kind_of(&value))
            }
            Expr::Array(parts, _) => {
                Value::Array(parts.iter().map(|part| Self::of(part, constants)).collect::<Result<_, _>>()?)
            }
            Expr::Map(parts, _) => {
                let entry = |(key, value): &(rhai::Ident, Expr)| {
                    Ok((key.name.to_string(), key.pos, Self::of(value, constants)?))
                };
                Value::Map(parts.0.iter().map(entry).collect::<Result<_, Position>>()?)
            }
            Expr::Variable(variable, _, position) if variable.2.is_empty() => {
                return constants.0.get(variable.1.as_str()).cloned().ok_or(*position);
            }
            Expr::InterpolatedString(parts, _) => Value::Text(Self::joined(parts, constants)?),
            // What is put into a text: `${NAME}`.
            Expr::Stmt(block) => match block.statements() {
                [Stmt::Expr(expression)] => return Self::of(expression, constants),
                _ => return Err(position),
            },
            Expr::FnCall(call, position) if call.op_token.is_some() => match call.name.as_str() {
                "+" => Value::Text(Self::joined(&call.args, constants)?),
                _ => return Err(*position),
            },
            _ => return Err(position),
        };
        Ok(Self { value, position })
    }

    /// Texts in a row.
    fn joined(parts: &[Expr], constants: &Constants) -> Result<String, Position> {
        let text = |part: &Expr| match Self::of(part, constants)?.value {
            Value::Text(text) => Ok(text),
            _ => Err(part.position()),
        };
        parts.iter().map(text).collect()
    }

    /// A value of a running program.
    pub fn of_value(value: &Dynamic) -> Self {
        let value = value.flatten_clone();
        let read = if let Some(text) = value.read_lock::<ImmutableString>() {
            Value::Text(text.to_string())
        } else if let Some(values) = value.read_lock::<Array>() {
            Value::Array(values.iter().map(Self::of_value).collect())
        } else if let Some(map) = value.read_lock::<Map>() {
            let entry =
                |(key, value): (&rhai::Identifier, &Dynamic)| (key.to_string(), Position::NONE, Self::of_value(value));
            Value::Map(map.iter().map(entry).collect())
        } else if let Ok(value) = value.as_bool() {
            Value::Bool(value)
        } else {
            Value::Other(convert::kind_of(&value))
        };
        Self { value: read, position: Position::NONE }
    }

    /// What it is, for the end of a sentence.
    pub fn kind(&self) -> &str {
        match &self.value {
            Value::Text(_) => "text",
            Value::Bool(_) => "a truth value",
            Value::Array(_) => "an array",
            Value::Map(_) => "a map",
            Value::Other(kind) => kind,
        }
    }
}
