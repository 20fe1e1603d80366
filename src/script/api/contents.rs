//! Reading and writing files.

use std::sync::Arc;

use rhai::{Array, Blob, Dynamic, ImmutableString as Text, Map, NativeCallContext};

use crate::files::{self, Encoded, How, Location, Writing};
use crate::process::Error;
use crate::script::convert;
use crate::script::error::CallPlace;
use crate::script::options::Options;
use crate::script::registry::Registry;
use crate::script::secret::Secret;
use crate::script::stream::Stream;
use crate::script::world::World;
use crate::text::{Encoding, LineSplitter, Malformed, TextError, TextFormat};

use super::files::{Call, Functions, mode_option, options};

pub(super) fn register(engine: &mut Registry, world: &Arc<World>) {
    let mut functions = Functions { engine, world };
    functions.one_with_options("read_text", |call, value, map| {
        let how = encoded(&options("read_text", map, READING)?)?;
        text(call, value, how).map(|(_, text)| Text::from(text))
    });
    functions.one("read_bytes", |call, value| {
        let from = call.path(value)?;
        Ok(Dynamic::from_blob(call.watched(|watch| files::read(&from, watch))?))
    });
    functions.one_with_options("read_lines", |call, value, map| {
        let how = encoded(&options("read_lines", map, READING)?)?;
        let (from, text) = text(call, value, how)?;
        lines(call, &from, &text)
    });
    functions.two_with_options("write_text", |call, value, content, map| {
        let options = options("write_text", map, &["atomic", "mode", "parents", "encoding"])?;
        write_text(call, value, content, &options)
    });
    functions.two_with_options("append_text", |call, value, content, map| {
        write_text(call, value, content, &options("append_text", map, &["mode", "parents", "encoding"])?)
    });
    functions.two_with_options("write_bytes", |call, value, content, map| {
        let options = options("write_bytes", map, WRITING)?;
        let Some(bytes) = content.read_lock::<Blob>() else {
            let kind = convert::kind_of(content);
            return Err(Error::invalid_argument(format!("write_bytes takes a blob, not {kind}: use write_text")));
        };
        write(call, value, &bytes, &options, false)
    });
    register_stream(engine, world);
}

/// The options of everything that writes a whole file.
pub(super) const WRITING: &[&str] = &["atomic", "mode", "parents"];
const READING: &[&str] = &["encoding", "lossy"];

fn encoding(options: &Options) -> Result<Encoding, Error> {
    let label = options.value::<Text>("encoding", "the name of an encoding").map_err(Error::invalid_argument)?;
    let found = label.map(|label| Encoding::for_label(&label)).transpose();
    Ok(found.map_err(|error| Error::invalid_argument(error.to_string()))?.unwrap_or_default())
}

fn encoded(options: &Options) -> Result<Encoded, Error> {
    let lossy = options.flag("lossy", false).map_err(Error::invalid_argument)?;
    Ok(Encoded { encoding: encoding(options)?, malformed: if lossy { Malformed::Lossy } else { Malformed::Strict } })
}

/// The text of the file that a value names, and that file.
pub(super) fn text(call: &Call, value: &Dynamic, how: Encoded) -> Result<(Location, String), Error> {
    let from = call.path(value)?;
    let bytes = call.watched(|watch| files::read(&from, watch))?;
    let text = files::text_of(&from, bytes, how)?;
    Ok((from, text))
}

/// The lines as those of a command's output are.
fn lines(call: &Call, from: &Location, text: &str) -> Result<Array, Error> {
    let mut splitter = LineSplitter::new(TextFormat { max_line: None, ..TextFormat::default() });
    splitter.push(text.as_bytes());
    splitter.finish();
    let mut lines = Array::new();
    call.watched(|watch| {
        loop {
            watch.check()?;
            match splitter.next_line() {
                Ok(Some(line)) => lines.push(line.into()),
                Ok(None) => return Ok(()),
                Err(TextError::Decode(error)) => return Err(from.refused("read", error)),
                Err(TextError::LineTooLong(error)) => return Err(from.refused("read", error)),
            }
        }
    })?;
    Ok(lines)
}

/// What the options say about writing a whole file.
pub(super) fn writing(options: &Options, is_private: bool) -> Result<Writing, Error> {
    let flag = |name| options.flag(name, false).map_err(Error::invalid_argument);
    let how = match options.function {
        "append_text" => How::Append,
        _ if flag("atomic")? => How::Atomically,
        _ => How::InPlace,
    };
    Ok(Writing { how, mode: mode_option(options)?, is_private, parents: flag("parents")? })
}

/// Text, what can be an argument of a command, or an array of lines.
fn write_text(call: &Call, value: &Dynamic, content: &Dynamic, options: &Options) -> Result<(), Error> {
    let mut bytes = Vec::new();
    let is_private = match content.read_lock::<Array>() {
        Some(lines) => {
            for (index, line) in lines.iter().enumerate() {
                let line = convert::text(line, &format!("line {}", index + 1)).map_err(Error::invalid_argument)?;
                bytes.extend_from_slice(line.as_encoded_bytes());
                bytes.push(b'\n');
            }
            lines.iter().any(|line| line.is::<Secret>())
        }
        None => {
            let text = convert::text(content, "what is written").map_err(Error::invalid_argument)?;
            bytes = text.into_encoded_bytes();
            content.is::<Secret>()
        }
    };
    let encoding = encoding(options)?;
    if encoding != Encoding::UTF_8 {
        let text = String::from_utf8(bytes);
        let text = text.map_err(|_| Error::invalid_argument("what is written is a path that is not UTF-8 text"))?;
        bytes = encoding.encode(&text).map_err(|error| Error::invalid_argument(error.to_string()))?;
    }
    write(call, value, &bytes, options, is_private)
}

fn write(call: &Call, value: &Dynamic, bytes: &[u8], options: &Options, is_private: bool) -> Result<(), Error> {
    let (to, writing) = (call.path(value)?, writing(options, is_private)?);
    call.watched(|watch| files::write(&to, bytes, &writing, watch))
}

/// `path.lines()`: a stream. That of a text is an array of its own lines.
fn register_stream(engine: &mut Registry, world: &Arc<World>) {
    type Path = std::path::PathBuf;
    let open = |call: &Call, place: &CallPlace, path: &Path, map: &Map| {
        let options = options("lines", map, &["encoding", "lossy", "max_line"])?;
        let Encoded { encoding, malformed } = encoded(&options)?;
        let mut format = TextFormat { encoding, malformed, ..TextFormat::default() };
        if let Some(size) = options.value::<Text>("max_line", "a size as text").map_err(Error::invalid_argument)? {
            let size = convert::size(&size).map_err(Error::invalid_argument)?;
            format.max_line = Some(usize::try_from(size).unwrap_or(usize::MAX));
        }
        let from = Location::new(&call.surroundings, path.clone())?;
        Ok(Stream::file(files::FileLines::open(from, format)?, place))
    };
    let shared = world.clone();
    engine.register_fn("lines", move |context: NativeCallContext, path: Path| {
        super::files::called(&context, &shared, |call| open(call, &CallPlace::of(&context), &path, &Map::new()))
    });
    let shared = world.clone();
    engine.register_fn("lines", move |context: NativeCallContext, path: Path, options: Map| {
        super::files::called(&context, &shared, |call| open(call, &CallPlace::of(&context), &path, &options))
    });
}
