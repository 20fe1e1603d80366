//! Questions to a person: `ask`, `confirm`, `select`, `multi_select`, `password`.

use std::sync::Arc;

use rhai::{Array, Dynamic, EvalAltResult, FnPtr, Map, NativeCallContext};

use crate::process::Error;
use crate::script::convert;
use crate::script::error::{CallPlace, Stop};
use crate::script::options::Options;
use crate::script::people::{Question, QuestionKind};
use crate::script::registry::Registry;
use crate::script::secret::{self, Secret};
use crate::script::world::World;
use crate::terminal;

type Result<T> = std::result::Result<T, Box<EvalAltResult>>;
/// Takes the question and the options.
type Simple = fn(&Asking, Dynamic, &Map) -> Result<Dynamic>;
/// Takes, too, what can be chosen.
type Choosing = fn(&Asking, Dynamic, Array, &Map) -> Result<Dynamic>;

pub(super) fn register(engine: &mut Registry, world: &Arc<World>) {
    let simple: [(&'static str, Simple); 3] = [("ask", ask), ("confirm", confirm), ("password", password)];
    for (name, function) in simple {
        let shared = world.clone();
        engine.register_fn(name, move |context: NativeCallContext, question: Dynamic| {
            function(&Asking::new(name, &shared, &context), question, &Map::new())
        });
        let shared = world.clone();
        engine.register_fn(name, move |context: NativeCallContext, question: Dynamic, options: Map| {
            function(&Asking::new(name, &shared, &context), question, &options)
        });
    }
    let choosing: [(&'static str, Choosing); 2] = [("select", select), ("multi_select", multi_select)];
    for (name, function) in choosing {
        let shared = world.clone();
        engine.register_fn(name, move |context: NativeCallContext, question: Dynamic, choices: Array| {
            function(&Asking::new(name, &shared, &context), question, choices, &Map::new())
        });
        let shared = world.clone();
        engine.register_fn(name, move |context: NativeCallContext, question: Dynamic, choices: Array, options: Map| {
            function(&Asking::new(name, &shared, &context), question, choices, &options)
        });
    }
}

/// One call of a function that asks.
struct Asking<'w, 'c> {
    name: &'static str,
    world: &'w World,
    context: &'w NativeCallContext<'c>,
    place: CallPlace,
}

impl<'w, 'c> Asking<'w, 'c> {
    fn new(name: &'static str, world: &'w World, context: &'w NativeCallContext<'c>) -> Self {
        Self { name, world, context, place: CallPlace::of(context) }
    }

    fn invalid(&self, problem: impl Into<String>) -> Box<EvalAltResult> {
        self.place.invalid(self.world, problem.into())
    }

    fn options<'a>(&self, map: &'a Map, known: &'a [&'a str]) -> Result<Options<'a>> {
        Options::new(self.name, map, known).map_err(|problem| self.invalid(problem))
    }

    fn question(&self, kind: QuestionKind, text: &Dynamic) -> Question {
        Question { kind, text: secret::shown(text), fallback: None, choices: Vec::new() }
    }

    fn answer<T>(
        &self,
        question: &Question,
        accept: impl FnMut(String) -> std::result::Result<std::result::Result<T, String>, Stop>,
    ) -> Result<T> {
        match self.world.ask(question, accept) {
            Ok(Some(value)) => Ok(value),
            Ok(None) => Err(World::terminated(self.place.position)),
            Err(stop) => Err(self.place.stop(self.world, stop)),
        }
    }

    /// What the function `validate` says against an answer.
    fn objection(&self, validate: Option<&FnPtr>, answer: Dynamic) -> Result<Option<String>> {
        let Some(validate) = validate else { return Ok(None) };
        let verdict = validate.call_within_context::<Dynamic>(self.context, (answer,))?.flatten();
        match (verdict.as_bool(), verdict.is_unit()) {
            (Ok(true), _) | (_, true) => Ok(None),
            (Ok(false), _) => Ok(Some("that answer cannot be used".to_string())),
            _ if verdict.is_string() => Ok(Some(secret::shown(&verdict))),
            _ => {
                let kind = convert::kind_of(&verdict);
                let name = self.name;
                Err(self.invalid(format!(
                    "the option `validate` of {name} answers true, false, or the reason as text, not {kind}"
                )))
            }
        }
    }
}

fn validator(asking: &Asking, options: &Options) -> Result<Option<FnPtr>> {
    let what = "a function that says whether an answer can be used";
    options.value::<FnPtr>("validate", what).map_err(|problem| asking.invalid(problem))
}

fn ask(asking: &Asking, question: Dynamic, options: &Map) -> Result<Dynamic> {
    let options = asking.options(options, &["fallback", "validate"])?;
    let validate = validator(asking, &options)?;
    let fallback = options.map.get("fallback").map(|value| convert::text(value, "the option `fallback` of ask"));
    let fallback = fallback.transpose().map_err(|problem| asking.invalid(problem))?;
    let fallback = fallback.map(|text| text.to_string_lossy().into_owned());
    let question = Question { fallback, ..asking.question(QuestionKind::Text, &question) };
    asking.answer(&question, |answer| {
        let objection = asking.objection(validate.as_ref(), answer.clone().into()).map_err(Stop::Script)?;
        Ok(objection.map_or(Ok(Dynamic::from(answer)), Err))
    })
}

fn confirm(asking: &Asking, question: Dynamic, options: &Map) -> Result<Dynamic> {
    let options = asking.options(options, &["fallback"])?;
    let fallback = options.value::<bool>("fallback", "true or false").map_err(|problem| asking.invalid(problem))?;
    let fallback = fallback.map(|yes| if yes { "yes" } else { "no" }.to_string());
    let question = Question { fallback, ..asking.question(QuestionKind::Confirm, &question) };
    asking.answer(&question, |answer| {
        Ok(terminal::yes_or_no(&answer).map(Dynamic::from).ok_or_else(|| "type y or n".to_string()))
    })
}

fn password(asking: &Asking, question: Dynamic, options: &Map) -> Result<Dynamic> {
    let options = asking.options(options, &["validate"])?;
    let validate = validator(asking, &options)?;
    let question = asking.question(QuestionKind::Password, &question);
    asking.answer(&question, |answer| {
        // From here on nobody sees it, whatever the script does with it.
        if let Err(problem) = asking.world.secrets.add(&answer) {
            return Ok(Err(problem));
        }
        let secret = Secret::from(answer);
        let objection = asking.objection(validate.as_ref(), secret.clone().into()).map_err(Stop::Script)?;
        Ok(objection.map_or(Ok(Dynamic::from(secret)), Err))
    })
}

/// What is asked when something is to be chosen, and the values behind the choices.
fn choosing(asking: &Asking, kind: QuestionKind, question: &Dynamic, values: &Array) -> Result<Question> {
    if values.is_empty() {
        return Err(
            asking.invalid(format!("{} takes an array with something to choose from, and it is empty", asking.name))
        );
    }
    let choices: Vec<String> = values.iter().map(secret::shown).collect();
    if let Some(twice) = choices.iter().enumerate().find(|(index, choice)| choices[..*index].contains(choice)) {
        return Err(asking.invalid(format!("{} has the choice `{}` twice", asking.name, twice.1)));
    }
    Ok(Question { choices, ..asking.question(kind, question) })
}

fn select(asking: &Asking, question: Dynamic, values: Array, options: &Map) -> Result<Dynamic> {
    let options = asking.options(options, &["fallback"])?;
    let question = choosing(asking, QuestionKind::One, &question, &values)?;
    let fallback =
        options.map.get("fallback").map(|fallback| known(asking, fallback, &question.choices)).transpose()?;
    let question = Question { fallback, ..question };
    asking
        .answer(&question, |answer| Ok(terminal::choice(&answer, &question.choices).map(|index| values[index].clone())))
}

fn multi_select(asking: &Asking, question: Dynamic, values: Array, options: &Map) -> Result<Dynamic> {
    let options = asking.options(options, &["fallback"])?;
    let question = choosing(asking, QuestionKind::Several, &question, &values)?;
    let fallbacks = options.value::<Array>("fallback", "an array").map_err(|problem| asking.invalid(problem))?;
    let fallback = match fallbacks {
        None => None,
        Some(fallbacks) => {
            let numbers = fallbacks.iter().map(|fallback| {
                let name = known(asking, fallback, &question.choices)?;
                let index = question.choices.iter().position(|choice| *choice == name);
                Ok((index.unwrap_or_default() + 1).to_string())
            });
            let numbers = numbers.collect::<Result<Vec<String>>>()?;
            Some(if numbers.is_empty() { "none".to_string() } else { numbers.join(", ") })
        }
    };
    let question = Question { fallback, ..question };
    asking.answer(&question, |answer| {
        let chosen = terminal::choices(&answer, &question.choices);
        Ok(chosen.map(|indices| indices.into_iter().map(|index| values[index].clone()).collect::<Array>().into()))
    })
}

/// A fallback that is one of the choices.
fn known(asking: &Asking, fallback: &Dynamic, choices: &[String]) -> Result<String> {
    let fallback = secret::shown(fallback);
    match choices.contains(&fallback) {
        true => Ok(fallback),
        false => {
            let name = asking.name;
            let error = Error::invalid_argument(format!(
                "the option `fallback` of {name} is one of its choices, and `{fallback}` is none of them"
            ));
            Err(asking.place.raise(asking.world, error))
        }
    }
}
