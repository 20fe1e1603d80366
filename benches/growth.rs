//! How costs grow: `cargo bench --bench growth` prints one line for each point, `what,x,microseconds`, that
//! `scripts/bench.rhai` draws. The points of a curve are measured in turns, so that a noisy moment hits all of them; what is
//! printed is the median.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use procscript::process::{Execution, Expression};

type Outcome = Result<(), Box<dyn std::error::Error>>;

const ROUNDS: usize = 41;

fn main() -> Outcome {
    if let Ok(mib) = std::env::var(HOST_MIB) {
        return hosted(&mib);
    }
    // `cargo test --benches` only asks whether it works.
    let rounds = if std::env::args().any(|argument| argument == "--bench") { ROUNDS } else { 1 };
    let curves = Curves { rounds };
    writeln!(io::stdout(), "what,x,microseconds")?;
    environment(&curves)?;
    descriptors(&curves)?;
    children(&curves)?;
    host_memory(&curves)?;
    line_length(&curves)?;
    script_length(&curves)?;
    imports(&curves)
}

struct Curves {
    rounds: usize,
}

impl Curves {
    /// Measures what `run` does for each `x`, after `prepare` made ready for it, and prints the medians.
    fn draw<P>(
        &self,
        what: &str,
        points: &[usize],
        prepare: impl Fn(usize) -> Result<P, Box<dyn std::error::Error>>,
        run: impl Fn(usize, &P) -> Outcome,
    ) -> Outcome {
        let mut times: Vec<Vec<Duration>> = vec![Vec::new(); points.len()];
        for round in 0..=self.rounds {
            for (index, &x) in points.iter().enumerate() {
                let prepared = prepare(x)?;
                let start = Instant::now();
                run(x, &prepared)?;
                let elapsed = start.elapsed();
                // The first round warms up.
                if round > 0 {
                    times[index].push(elapsed);
                }
            }
        }
        let mut out = io::stdout().lock();
        for (times, x) in times.iter_mut().zip(points) {
            times.sort();
            writeln!(out, "{what},{x},{:.1}", times[times.len() / 2].as_secs_f64() * 1e6)?;
        }
        Ok(())
    }
}

/// Twenty at a time, because one is too short to be told from the noise; the figure is for the twenty.
fn twenty(command: &Expression) -> Outcome {
    for _ in 0..20 {
        command.run()?;
    }
    Ok(())
}

fn environment(curves: &Curves) -> Outcome {
    let with = |count: usize| {
        let variables = (0..count).fold(Expression::new("/bin/true"), |command, index| {
            command.env(format!("PROCSCRIPT_BENCH_{index}"), "0123456789abcdef0123456789abcdef")
        });
        Ok(variables)
    };
    curves.draw("spawn × 20: variables in the environment", &[0, 100, 200, 500, 1000, 2000], with, |_, c| twenty(c))
}

fn descriptors(curves: &Curves) -> Outcome {
    let with = |count: usize| (0..count).map(|_| Ok(File::open("/dev/null")?)).collect::<Result<Vec<_>, _>>();
    let command = Expression::new("/bin/true");
    curves.draw("spawn × 20: open descriptors", &[0, 100, 200, 400, 800], with, |_, _| twenty(&command))
}

fn children(curves: &Curves) -> Outcome {
    let with = |count: usize| {
        Ok(Sleeping((0..count).map(|_| Expression::new("/bin/sleep").arg("600").start()).collect::<Result<_, _>>()?))
    };
    let command = Expression::new("/bin/true");
    curves.draw("spawn × 20: running children", &[0, 10, 20, 50, 100], with, |_, _| twenty(&command))
}

/// Ended when they are not needed any more.
struct Sleeping(Vec<Execution>);

impl Drop for Sleeping {
    fn drop(&mut self) {
        for execution in &self.0 {
            let _ = execution.kill();
        }
    }
}

/// Names the memory of a process that `hosted` serves in.
const HOST_MIB: &str = "PROCSCRIPT_BENCH_HOST_MIB";

/// Each host is a process of its own, so that the sizes can be measured in turns: filling 2 GiB takes longer than what is
/// measured, and memory that was given back is still in the page tables.
fn host_memory(curves: &Curves) -> Outcome {
    const SIZES: [usize; 4] = [0, 512, 1024, 2048];
    let hosts = SIZES.iter().map(|&mib| Host::start(mib)).collect::<Result<Vec<_>, _>>()?;
    let of = |mib: usize| Ok(SIZES.iter().position(|&size| size == mib).map(|index| &hosts[index]).ok_or("no host")?);
    curves.draw("spawn × 20: MiB of the host", &SIZES, of, |_, host| host.twenty())
}

/// A process like this one that spawns when it is told to.
struct Host {
    process: Child,
    orders: ChildStdin,
    answers: RefCell<BufReader<ChildStdout>>,
}

impl Host {
    fn start(mib: usize) -> Result<Self, Box<dyn std::error::Error>> {
        let mut process = Command::new(std::env::current_exe()?)
            .env(HOST_MIB, mib.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let orders = process.stdin.take().ok_or("no stdin")?;
        let answers = RefCell::new(BufReader::new(process.stdout.take().ok_or("no stdout")?));
        let host = Self { process, orders, answers };
        // Once, so that its memory is there before the clock runs.
        host.twenty()?;
        Ok(host)
    }

    fn twenty(&self) -> Outcome {
        (&self.orders).write_all(b"\n")?;
        let mut answer = String::new();
        self.answers.borrow_mut().read_line(&mut answer)?;
        if answer == "done\n" { Ok(()) } else { Err("the host has failed".into()) }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What a host does: twenty commands for each line.
fn hosted(mib: &str) -> Outcome {
    // Touched, so that it is really there.
    let memory = vec![1_u8; mib.parse::<usize>()? << 20];
    let command = Expression::new("/bin/true");
    for order in io::stdin().lines() {
        order?;
        twenty(&command)?;
        writeln!(io::stdout(), "done")?;
    }
    drop(std::hint::black_box(memory));
    Ok(())
}

fn line_length(curves: &Curves) -> Outcome {
    const BYTES: usize = 16 << 20;
    let prepare = |length: usize| -> io::Result<tempfile::NamedTempFile> {
        let file = tempfile::NamedTempFile::new()?;
        let line = [vec![b'x'; length - 1], vec![b'\n']].concat();
        let mut out = io::BufWriter::new(file.as_file());
        for _ in 0..BYTES / length {
            out.write_all(&line)?;
        }
        out.flush()?;
        drop(out);
        Ok(file)
    };
    let files = [16, 64, 256, 1024, 16384, 65536].map(|length| (length, prepare(length)));
    let lengths: Vec<usize> = files.iter().map(|(length, _)| *length).collect();
    let path = |length: usize| {
        let found = files.iter().find(|(of, _)| *of == length).and_then(|(_, file)| file.as_ref().ok());
        Ok(found.ok_or("no file")?.path().to_path_buf())
    };
    curves.draw("16 MiB of lines: bytes of a line", &lengths, path, |length, path| {
        let mut count = 0;
        for line in Expression::new("cat").arg(path).lines()? {
            line?;
            count += 1;
        }
        assert_eq!(count, BYTES / length);
        Ok(())
    })
}

fn procscript(dir: &Path) -> Outcome {
    // The one of a release build, which is linked otherwise, if it is named.
    let program = std::env::var_os("PROCSCRIPT").unwrap_or_else(|| env!("CARGO_BIN_EXE_procscript").into());
    let status =
        Command::new(program).arg(dir.join("main.rhai")).stdin(Stdio::null()).stdout(Stdio::null()).status()?;
    assert!(status.success(), "the script has failed");
    Ok(())
}

fn script_length(curves: &Curves) -> Outcome {
    let prepare = |lines: usize| {
        let dir = tempfile::tempdir()?;
        let mut text = String::new();
        for index in 0..lines / 5 {
            // What scripts are made of: functions, commands, conditions; it is checked, and never called.
            writeln!(
                text,
                "fn task_{index}(name) {{\n    let found = $`grep -c ${{name}} file`.ok_codes([0, 1]).read();"
            )?;
            writeln!(text, "    if found != \"0\" {{ print(`${{name}}: ${{found}}`); }}\n    found.len()\n}}")?;
        }
        fs::write(dir.path().join("main.rhai"), text)?;
        Ok(dir)
    };
    curves.draw("start: lines of the script", &[5, 500, 1000, 2000, 5000], prepare, |_, dir| procscript(dir.path()))
}

fn imports(curves: &Curves) -> Outcome {
    let prepare = |count: usize| {
        let dir = tempfile::tempdir()?;
        let mut text = String::new();
        for index in 0..count {
            let module = format!("fn one(x) {{ x + {index} }}\nfn two(x) {{ one(x) * 2 }}\n");
            fs::write(dir.path().join(format!("m{index}.rhai")), module)?;
            writeln!(text, "import \"m{index}\" as m{index}; m{index}::two({index});")?;
        }
        fs::write(dir.path().join("main.rhai"), text)?;
        Ok(dir)
    };
    curves.draw("start: imports", &[0, 1, 2, 5, 10, 20, 50], prepare, |_, dir| procscript(dir.path()))
}
