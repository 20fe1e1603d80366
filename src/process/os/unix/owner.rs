//! For the program that owns its process: the runner.

use std::io::{self, Read};
use std::mem::MaybeUninit;
use std::os::fd::IntoRawFd;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant};

use os_pipe::PipeReader;

use super::errno_location;
use super::spawn::{is_ignored, mark_all_close_on_exec, unblock_all_signals};
use super::was_closed_at_start;

/// The signals among `wanted` that this process did not inherit as ignored (`nohup` ignores HUP, a
/// shell's `&` ignores INT): those a runner may handle.
pub(crate) fn not_ignored(wanted: &[i32]) -> Vec<i32> {
    wanted.iter().copied().filter(|signal| !is_ignored(*signal)).collect()
}

/// Where the handler writes: the descriptor of a pipe, or -1.
static SIGNAL_PIPE: AtomicI32 = AtomicI32::new(-1);
/// The process that the pipe belongs to.
static OWNER: AtomicI32 = AtomicI32::new(0);

/// Has signals written to a pipe, and returns its reading end.
///
/// Handlers, and not a blocked mask with `sigwait`: a mask is inherited by children, handlers are
/// reset by `exec`, and `posix_spawn` through std can do neither.
pub(crate) fn signals_into_pipe(signals: &[i32]) -> io::Result<SignalPipe> {
    let (reader, writer) = os_pipe::pipe()?;
    // A full pipe must not block the handler; whoever reads has enough to do then.
    super::set_nonblocking(&writer)?;
    // SAFETY: only asks.
    OWNER.store(unsafe { libc::getpid() }, Ordering::Release);
    SIGNAL_PIPE.store(writer.into_raw_fd(), Ordering::Release);
    signals.iter().try_for_each(|signal| handle(*signal))?;
    Ok(SignalPipe(reader))
}

/// Has that signal go into the pipe, too.
fn handle(signal: i32) -> io::Result<()> {
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: an all-zero sigaction has an empty mask; the handler is async-signal-safe.
    super::check(unsafe {
        let action = action.assume_init_mut();
        action.sa_sigaction = note_signal as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART;
        libc::sigaction(signal, action, std::ptr::null_mut())
    })
}

/// Has it noticed that this process was stopped and goes on: whether a shell has put it into the background then
/// ([`take_back_terminal`](super::take_back_terminal)), and that it happened, through the pipe.
pub(crate) fn notice_continuing() -> io::Result<()> {
    handle(libc::SIGCONT)
}

/// What the handler writes: the number, whether the kernel has sent it, and the time. So little goes into a pipe whole.
const MESSAGE: usize = 10;

/// A signal that has come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival {
    pub signal: i32,
    /// Whether the kernel has sent it to the whole foreground group, for a key that was typed at the terminal.
    pub from_terminal: bool,
    pub came: Instant,
}

/// Where the signals of this process come out.
pub(crate) struct SignalPipe(PipeReader);

impl SignalPipe {
    /// The next signal, if one comes within that time.
    pub fn next_within(&mut self, time: Duration) -> Option<Arrival> {
        super::wait_readable(Some(&self.0), Some(time));
        if !super::is_readable(&self.0) {
            return None;
        }
        let mut message = [0; MESSAGE];
        // The handler writes a message whole, and the writing end is never closed.
        self.0.read_exact(&mut message).ok()?;
        let [signal, from_terminal, time @ ..] = message;
        let came = instant_of(u64::from_ne_bytes(time));
        Some(Arrival { signal: signal.into(), from_terminal: from_terminal != 0, came })
    }
}

/// A time of the clock of `Instant`, some microseconds early at most: another thread may have the processor between two
/// looks at the clock, and so long a key would seem to have come later.
fn instant_of(nanoseconds: u64) -> Instant {
    let look = || {
        let before = Instant::now();
        let ago = Duration::from_nanos(monotonic_nanoseconds().saturating_sub(nanoseconds));
        (before.elapsed(), before.checked_sub(ago).unwrap_or(before))
    };
    let looks = std::iter::repeat_with(look).take(5);
    looks.min_by_key(|(gap, _)| *gap).map_or_else(Instant::now, |(_, came)| came)
}

/// The clock of `Instant`, which cannot be read in a handler. Async-signal-safe.
fn monotonic_nanoseconds() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the structure is valid for writing, and the clock is there everywhere.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Makes a file that grows beyond its limit (`ulimit -f`) an error of the write, and not the end of this process.
pub(crate) fn survive_file_size_limit() {
    survive(libc::SIGXFSZ);
}

/// Makes it no end of this process that a child has asked for signals about a terminal that we share (`O_ASYNC`).
pub(crate) fn survive_input_signals() {
    survive(libc::SIGIO);
}

/// Does nothing at a signal: by a handler, for the same reason as above.
fn survive(signal: i32) {
    extern "C" fn do_nothing(_: libc::c_int) {}
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: an all-zero sigaction has an empty mask; a handler that does nothing is async-signal-safe. The call
    // cannot fail for a signal that there is.
    unsafe {
        let action = action.assume_init_mut();
        action.sa_sigaction = do_nothing as *const () as usize;
        action.sa_flags = libc::SA_RESTART;
        libc::sigaction(signal, action, std::ptr::null_mut());
    }
}

extern "C" fn note_signal(signal: libc::c_int, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    const SI_KERNEL: i32 = if cfg!(target_os = "freebsd") { 0x1_0006 } else { 0x80 };
    // SAFETY: the kernel passes a valid siginfo; the calls are async-signal-safe.
    unsafe {
        if libc::getpid() != OWNER.load(Ordering::Acquire) {
            // A child that has not got to its program yet: the signal is its own, and not ours a second time.
            libc::signal(signal, libc::SIG_DFL);
            libc::raise(signal);
            return;
        }
        let errno = errno_location();
        let saved = *errno;
        if signal == libc::SIGCONT {
            super::foreground::note_continuing();
        }
        let mut message = [0; MESSAGE];
        message[0] = signal as u8;
        // HUP of a terminal that was closed comes from the kernel, too, but to the leader of the session alone.
        let is_key = matches!(signal, libc::SIGINT | libc::SIGQUIT);
        message[1] = u8::from(is_key && (*info).si_code == SI_KERNEL);
        message[2..].copy_from_slice(&monotonic_nanoseconds().to_ne_bytes());
        libc::write(SIGNAL_PIPE.load(Ordering::Acquire), message.as_ptr().cast(), message.len());
        *errno = saved;
    }
}

/// Does the work of the handler for a signal that was sent to this process and has not been handled yet, because the
/// thread that the kernel has chosen for it waits for a processor: what was sent before the call is noted with a time
/// before its end. Nothing without a [`SignalPipe`], and where the system gives a thread only what it has blocked.
pub(crate) fn hasten_signal(signal: i32) {
    #[cfg(target_os = "linux")]
    if SIGNAL_PIPE.load(Ordering::Acquire) != -1 {
        let mut set = MaybeUninit::<libc::sigset_t>::uninit();
        let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
        let at_once = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the set is filled before it is read, and the information before the handler reads it.
        unsafe {
            libc::sigemptyset(set.as_mut_ptr());
            libc::sigaddset(set.as_mut_ptr(), signal);
            if libc::sigtimedwait(set.as_ptr(), info.as_mut_ptr(), &raw const at_once) == signal {
                note_signal(signal, info.as_mut_ptr(), std::ptr::null_mut());
            }
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = signal;
}

/// How the terminal was set when we were started: what an editor in raw mode must put back.
#[derive(Clone)]
pub(crate) struct TerminalState(libc::termios);

impl TerminalState {
    /// `None` when standard input is no terminal.
    pub fn of_stdin() -> Option<Self> {
        let mut state = MaybeUninit::<libc::termios>::zeroed();
        // SAFETY: the structure is valid for writing, and filled when the call succeeds.
        unsafe { (libc::tcgetattr(0, state.as_mut_ptr()) == 0).then(|| Self(state.assume_init())) }
    }

    pub fn restore(&self) {
        // SAFETY: the state came from tcgetattr.
        unsafe { libc::tcsetattr(0, libc::TCSANOW, &self.0) };
    }
}

/// Ends this process by `signal`, as if it had never been handled: what tells a calling shell that
/// its loop should stop too. Where the signal cannot end us (PID 1), exits with 128 + n.
pub(crate) fn die_of_signal(signal: i32) -> ! {
    // SAFETY: restores the default action and sends the signal to ourselves.
    unsafe {
        libc::signal(signal, libc::SIG_DFL);
        libc::raise(signal);
    }
    std::process::exit(128 + signal)
}

/// What a program that owns its process does first: no descriptor that it inherited above 2 reaches
/// its children, no signal is blocked in it or in them, and SIGCHLD is not ignored (every wait would
/// fail with ECHILD).
pub(crate) fn own_process() {
    // SAFETY: sets flags on descriptors, the mask of this thread, and dispositions of this process.
    unsafe {
        // As std does before `main`, which may have been passed by: nothing else may get the numbers of the standard
        // streams, and a reader that has left is an error, not our end.
        // From below, so that none is put where another belongs. Outputs are open for reading, so that the writes of
        // children fail as they would at a closed one, and are not lost.
        for number in (0..3).filter(|number| was_closed_at_start(*number)) {
            let mode = if number == 0 { libc::O_RDWR } else { libc::O_RDONLY };
            let (number, null) = (libc::c_int::from(number), libc::open(c"/dev/null".as_ptr(), mode));
            if null >= 0 && null != number {
                libc::dup2(null, number);
                libc::close(null);
            }
        }
        libc::signal(libc::SIGPIPE, libc::SIG_IGN);
        mark_all_close_on_exec();
        unblock_all_signals();
        libc::signal(libc::SIGCHLD, libc::SIG_DFL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn a_signal_is_noted_before_its_handler_runs() {
        const SIGNAL: i32 = libc::SIGURG;
        hasten_signal(SIGNAL);
        let mut pipe = signals_into_pipe(&[SIGNAL]).expect("a pipe");
        hasten_signal(SIGNAL);
        assert!(pipe.next_within(Duration::ZERO).is_none(), "nobody has sent it");
        let mut set = MaybeUninit::<libc::sigset_t>::uninit();
        // SAFETY: the set is filled before it is read. The signal is for this thread alone, which does not take it yet,
        // as one that waits for a processor.
        unsafe {
            libc::sigemptyset(set.as_mut_ptr());
            libc::sigaddset(set.as_mut_ptr(), SIGNAL);
            libc::pthread_sigmask(libc::SIG_BLOCK, set.as_ptr(), std::ptr::null_mut());
            libc::pthread_kill(libc::pthread_self(), SIGNAL);
        }
        let sent = Instant::now();
        assert!(pipe.next_within(Duration::ZERO).is_none(), "it has not been handled");
        hasten_signal(SIGNAL);
        let hastened = Instant::now();
        let arrival = pipe.next_within(Duration::ZERO).expect("it is noted");
        assert!(arrival.signal == SIGNAL && arrival.came <= hastened, "{arrival:?}");
        assert!(sent.saturating_duration_since(arrival.came) < Duration::from_millis(1), "{arrival:?}");
        // SAFETY: as above.
        unsafe { libc::pthread_sigmask(libc::SIG_UNBLOCK, set.as_ptr(), std::ptr::null_mut()) };
        assert!(pipe.next_within(Duration::ZERO).is_none(), "once is enough");
    }
}
