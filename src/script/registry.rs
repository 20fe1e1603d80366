//! What is registered for one program: the functions that its text can name, and no others.
//!
//! Of the more than thousand functions a program calls a few, and to register one takes as long as to call it several
//! times. A program can only call what it names (`import`, `eval` and `Fn` apart), so that the words of its text say
//! which functions it can do without. Words in comments and in texts count, too: that costs time, and nothing else.

use std::ops::{Deref, DerefMut};

use rhai::packages::{
    ArithmeticPackage, BasicArrayPackage, BasicBlobPackage, BasicFnPackage, BasicIteratorPackage, BasicMapPackage,
    BasicMathPackage, BasicStringPackage, BasicTimePackage, BitFieldPackage, LanguageCorePackage, LogicPackage,
    MoreStringPackage, Package, StandardPackage,
};
use rhai::{Engine, FuncRegistration, Module, RhaiNativeFunc, Variant};

/// Words behind which functions are called that are named elsewhere, or nowhere.
const OPEN: &[&str] = &["import", "eval", "Fn"];
/// What the interpreter itself calls to show a value, whoever asks for it.
const SHOWING: &[&str] = &["to_string", "to_debug", "print", "debug"];
/// How Rhai names the functions behind properties.
const PROPERTIES: &[&str] = &["get$", "set$"];

/// The bits of the set: a script of a few hundred words fills little of it.
const BITS: usize = 8192;

/// The words of a text, as a set that may also have others (a Bloom filter with one hash).
pub(crate) struct Words {
    bits: Box<[u64; BITS / 64]>,
    /// Whether it can call something, and be it by an operator.
    acts: bool,
}

impl Words {
    /// The words of a source text; `None` when it may call functions that it does not name.
    pub fn of(text: &str) -> Option<Self> {
        let mut words = Self { bits: Box::new([0; BITS / 64]), acts: false };
        for word in text.as_bytes().split(|byte| !is_part(*byte)).filter(|word| !word.is_empty()) {
            if OPEN.iter().any(|open| open.as_bytes() == word) {
                return None;
            }
            let (index, mask) = place(word);
            words.bits[index] |= mask;
        }
        // Both `f()` and the templates, operators and blocks have a sign.
        words.acts = text.bytes().any(|byte| byte.is_ascii_punctuation() && byte != b'_' && byte != b';');
        Some(words)
    }

    fn has(&self, word: &str) -> bool {
        let (index, mask) = place(word.as_bytes());
        self.bits[index] & mask != 0
    }

    /// Whether a function of this name may be called, by the program or by the interpreter.
    fn may_call(&self, name: &str) -> bool {
        let name = PROPERTIES.iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name);
        // Operators, and what we call ourselves.
        if !name.starts_with(|first: char| first.is_ascii_alphabetic()) || name.contains('$') || SHOWING.contains(&name)
        {
            return self.acts;
        }
        self.has(name) || (name == "contains" && self.has("in"))
    }
}

fn is_part(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Where the set has a word: FNV-1a, whose upper bits are mixed better.
fn place(word: &[u8]) -> (usize, u64) {
    let hash = word
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    let bit = (hash >> 40) as usize % BITS;
    (bit / 64, 1 << (bit % 64))
}

/// An engine to register functions with. Those that the program cannot call are passed over.
pub(crate) struct Registry {
    engine: Engine,
    words: Option<Words>,
    /// The names of our types, which are in a module of their own for the sake of [`into_engine`](Self::into_engine).
    types: Module,
}

impl Registry {
    /// For the program with these words; without them, for every program.
    pub fn new(engine: Engine, words: Option<Words>) -> Self {
        Self { engine, words, types: Module::new() }
    }

    /// The engine with everything that was registered.
    ///
    /// Rhai asks for the name of a value's type at each call of a method: of the engine's own functions first, then of
    /// its modules from the last to the first, and at last of a list of comparisons. So the standard types are
    /// registered under the names that they have anyway, behind all others, and text alone.
    pub fn into_engine(mut self) -> Engine {
        if self.acts() {
            self.engine.register_global_module(self.types.into());
            for names in [["array", "map", "i64"].as_slice(), &["string"]] {
                let mut module = Module::new();
                for name in names {
                    module.set_custom_type_raw(*name, *name);
                }
                self.engine.register_global_module(module.into());
            }
        }
        self.engine
    }

    fn acts(&self) -> bool {
        self.words.as_ref().is_none_or(|words| words.acts)
    }

    /// As [`Engine::register_type_with_name`].
    pub fn register_type_with_name<T: Variant + Clone>(&mut self, name: &str) -> &mut Self {
        if self.acts() {
            self.types.set_custom_type::<T>(name);
        }
        self
    }

    #[inline(never)]
    fn is_wanted(&self, name: &str) -> bool {
        self.words.as_ref().is_none_or(|words| words.may_call(name))
    }

    /// As [`Engine::register_fn`].
    pub fn register_fn<A: 'static, const N: usize, const X: bool, R: Variant + Clone, const F: bool>(
        &mut self,
        name: impl AsRef<str>,
        function: impl RhaiNativeFunc<A, N, X, R, F> + Send + Sync + 'static,
    ) -> &mut Self {
        if self.is_wanted(name.as_ref()) {
            self.add(name.as_ref(), function);
        }
        self
    }

    /// Apart from the question above: what is asked thousand times at every start is to be on few pages, and what
    /// follows on others.
    #[cold]
    #[inline(never)]
    fn add<A: 'static, const N: usize, const X: bool, R: Variant + Clone, const F: bool>(
        &mut self,
        name: &str,
        function: impl RhaiNativeFunc<A, N, X, R, F> + Send + Sync + 'static,
    ) {
        self.engine.register_fn(name, function);
    }

    /// As [`add`](Self::add), for a property.
    #[cold]
    #[inline(never)]
    fn add_get<A: 'static, const X: bool, R: Variant + Clone, const F: bool>(
        &mut self,
        name: &str,
        function: impl RhaiNativeFunc<A, 1, X, R, F> + Send + Sync + 'static,
    ) {
        FuncRegistration::new_getter(name).register_into_engine(&mut self.engine, function);
    }

    /// As [`Engine::register_get`].
    pub fn register_get<A: 'static, const X: bool, R: Variant + Clone, const F: bool>(
        &mut self,
        name: impl AsRef<str>,
        function: impl RhaiNativeFunc<A, 1, X, R, F> + Send + Sync + 'static,
    ) -> &mut Self {
        if self.is_wanted(name.as_ref()) {
            self.add_get(name.as_ref(), function);
        }
        self
    }

    /// Rhai's own functions. What nothing here can make has no functions in a program's registry: integers of other
    /// sizes, which only a host's functions give, and values whose only source is a function that is not called.
    pub fn register_standard(&mut self) {
        let mut module = Module::new();
        match &self.words {
            None => StandardPackage::init(&mut module),
            Some(words) => standard_for(words, &mut module),
        }
        // Not looked up in a list, which takes long whenever a name is not found. An index as for `import`, which
        // `StandardPackage::new` makes, is for qualified names.
        module.register_lazy_functions();
        self.engine.register_global_module(module.into());
    }
}

/// The packages in the order of [`StandardPackage`], in which later functions replace earlier ones.
fn standard_for(words: &Words, module: &mut Module) {
    let any = |names: &[&str]| names.iter().any(|name| words.has(name));
    if words.acts {
        LanguageCorePackage::init(module);
    }
    if any(ARITHMETIC) {
        ArithmeticPackage::init(module);
    } else if words.acts {
        // The only operators of this package and of `LogicPackage` that are for values of programs.
        FuncRegistration::new("+").in_global_namespace().set_into_module(module, |number: i64| number);
        FuncRegistration::new("+").in_global_namespace().set_into_module(module, |number: f64| number);
    }
    if words.acts {
        BasicStringPackage::init(module);
        BasicIteratorPackage::init(module);
        BasicFnPackage::init(module);
    }
    if any(BIT_FIELDS) {
        BitFieldPackage::init(module);
    }
    if any(LOGIC) {
        LogicPackage::init(module);
    }
    if any(MATH) {
        BasicMathPackage::init(module);
    }
    if words.acts {
        BasicArrayPackage::init(module);
        BasicBlobPackage::init(module);
        BasicMapPackage::init(module);
    }
    if any(TIME) {
        BasicTimePackage::init(module);
    }
    if words.acts {
        MoreStringPackage::init(module);
    }
}

/// The names in the packages of which a program can do without the rest: operators between `i64`, `f64`, `bool` and
/// `char` are the interpreter's own.
const ARITHMETIC: &[&str] = &["abs", "is_even", "is_odd", "is_zero", "sign"];
const LOGIC: &[&str] = &["max", "min"];
const BIT_FIELDS: &[&str] = &["get_bit", "get_bits", "set_bit", "set_bits"];
const TIME: &[&str] = &["timestamp", "elapsed"];
const MATH: &[&str] = &[
    "E",
    "PI",
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atanh",
    "ceiling",
    "cos",
    "cosh",
    "exp",
    "floor",
    "fraction",
    "hypot",
    "int",
    "is_finite",
    "is_infinite",
    "is_nan",
    "ln",
    "log",
    "parse_float",
    "parse_int",
    "round",
    "sin",
    "sinh",
    "sqrt",
    "tan",
    "tanh",
    "to_degrees",
    "to_float",
    "to_int",
    "to_radians",
];

/// What goes on registering with the engine itself: types, syntax, iterators, and code that knows nothing of this.
impl Deref for Registry {
    type Target = Engine;

    fn deref(&self) -> &Engine {
        &self.engine
    }
}

impl DerefMut for Registry {
    fn deref_mut(&mut self) -> &mut Engine {
        &mut self.engine
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn names(engine: &Engine) -> BTreeSet<String> {
        let names = engine.collect_fn_metadata(None, |info| Some(info.metadata.name.to_string()), true);
        names.into_iter().collect()
    }

    fn names_of<P: Package>() -> BTreeSet<String> {
        let mut module = Module::new();
        P::init(&mut module);
        module.register_lazy_functions();
        let mut engine = Engine::new_raw();
        engine.register_global_module(module.into());
        let names = names(&engine);
        names.iter().map(|name| name.trim_start_matches("get$").to_string()).collect()
    }

    fn is_word(name: &str) -> bool {
        name.starts_with(|first: char| first.is_ascii_alphabetic())
    }

    #[test]
    fn the_names_of_packages_are_complete() {
        let check = |all: BTreeSet<String>, ours: &[&str]| {
            let words: Vec<&str> = all.iter().map(String::as_str).filter(|name| is_word(name)).collect();
            let mut ours = ours.to_vec();
            ours.sort_unstable();
            assert_eq!(words, ours);
        };
        check(names_of::<ArithmeticPackage>(), ARITHMETIC);
        check(names_of::<LogicPackage>(), LOGIC);
        check(names_of::<BitFieldPackage>(), BIT_FIELDS);
        check(names_of::<BasicTimePackage>(), TIME);
        check(names_of::<BasicMathPackage>(), MATH);
    }

    #[test]
    fn all_packages_of_the_standard_are_there() {
        let all: Vec<&str> = [ARITHMETIC, LOGIC, BIT_FIELDS, TIME, MATH, &["()"]].concat();
        let words = Words::of(&all.join(" ")).expect("it names what it calls");
        let mut some = Registry::new(Engine::new_raw(), Some(words));
        some.register_standard();
        let mut standard = Engine::new_raw();
        StandardPackage::new().register_into_engine(&mut standard);
        assert_eq!(names(&some), names(&standard));
    }

    /// What an operator gives for each pair of values that a program can write, or why it does not.
    fn results(engine: &Engine) -> Vec<String> {
        let values = ["7", "-3", "2.5", "-0.5", "true", "'a'", "\"a\"", "()", "[1]"];
        let binary = ["+", "-", "*", "/", "%", "**", "<<", ">>", "&", "|", "^", "==", "!=", "<", "<=", ">", ">=", "in"];
        let unary = ["+", "-", "!"].iter().flat_map(|sign| values.iter().map(move |value| format!("{sign} ({value})")));
        let pairs = binary.iter().flat_map(|sign| {
            let all = values.iter().flat_map(|left| values.iter().map(move |right| (left, right)));
            all.map(move |(left, right)| format!("let a = {left}; let b = {right}; a {sign} b"))
        });
        let assigned = ["+=", "-=", "*=", "/=", "%=", "**=", "<<=", ">>=", "&=", "|=", "^="].iter().flat_map(|sign| {
            let all = values.iter().flat_map(|left| values.iter().map(move |right| (left, right)));
            all.map(move |(left, right)| format!("let a = {left}; let b = {right}; a {sign} b; a"))
        });
        let all: Vec<String> = unary.chain(pairs).chain(assigned).collect();
        all.iter().map(|code| format!("{code}: {:?}", engine.eval::<rhai::Dynamic>(code))).collect()
    }

    #[test]
    fn operators_are_there_without_their_packages() {
        let words = Words::of("a + b").expect("it names what it calls");
        let mut registry = Registry::new(Engine::new_raw(), Some(words));
        registry.register_standard();
        let mut standard = Engine::new_raw();
        StandardPackage::new().register_into_engine(&mut standard);
        assert_eq!(results(&registry), results(&standard));
    }

    #[test]
    fn what_is_named_is_registered() {
        let words = Words::of("let x = 1; // sha256\n`${a.size}`").expect("it names what it calls");
        let mut registry = Registry::new(Engine::new_raw(), Some(words));
        registry
            .register_fn("sha256", |_: i64| 1)
            .register_fn("sha1", |_: i64| 1)
            .register_fn("/", |_: i64, _: bool| 1);
        registry.register_get("size", |_: &mut bool| 1).register_get("name", |_: &mut bool| 1);
        registry.register_fn("to_string", |_: bool| "yes").register_fn("__own", || 1);
        let expected = ["/", "__own", "get$size", "sha256", "to_string"];
        assert_eq!(names(&registry).iter().map(String::as_str).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_text_that_names_others_elsewhere_has_everything() {
        assert!(Words::of("import \"std/git\" as git;").is_none());
        assert!(Words::of("let f = Fn(\"sha\" + \"256\");").is_none());
        assert!(Words::of("eval(args()[0])").is_none());
        assert!(Words::of("let evaluation = important;").is_some());
    }

    #[test]
    fn an_empty_text_needs_nothing() {
        for text in ["", "\n\n", "42;"] {
            let words = Words::of(text).expect("it calls nothing");
            assert!(!words.may_call("+") && !words.may_call("print") && !words.may_call("cmd"), "{text:?}");
        }
    }
}
