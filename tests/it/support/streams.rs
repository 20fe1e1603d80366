//! The standard streams of a run, each served by a thread: the child may write or read in any
//! order, and a stream may stay open for longer than anyone wants to wait.

use std::io::{Read, Write};
use std::process::Child;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

type Bytes = Arc<Mutex<Vec<u8>>>;

pub struct Streams {
    stdout: Bytes,
    stderr: Bytes,
    /// One for each thread; a sign comes when its descriptor is closed.
    closed: Vec<Receiver<()>>,
}

impl Streams {
    /// The child must have been given pipes for both outputs.
    pub fn start(child: &mut Child, input: Vec<u8>) -> Self {
        let (stdout, stderr) = (Bytes::default(), Bytes::default());
        let closed = vec![
            collect(child.stdout.take().expect("stdout is a pipe"), &stdout),
            collect(child.stderr.take().expect("stderr is a pipe"), &stderr),
            feed(child, input),
        ];
        Self { stdout, stderr, closed }
    }

    /// What came on both. A detached process may hold them open; then what came so far counts.
    pub fn take(&self, patience: Duration) -> (Vec<u8>, Vec<u8>) {
        self.close(patience);
        let take = |bytes: &Bytes| std::mem::take(&mut *bytes.lock().unwrap_or_else(PoisonError::into_inner));
        (take(&self.stdout), take(&self.stderr))
    }

    /// Waits until the descriptors are closed, if that comes soon. A second call is harmless: a
    /// thread that has ended answers at once.
    pub fn close(&self, patience: Duration) {
        self.closed.iter().for_each(|sign| _ = sign.recv_timeout(patience));
    }
}

fn collect(mut stream: impl Read + Send + 'static, bytes: &Bytes) -> Receiver<()> {
    let bytes = Arc::clone(bytes);
    on_thread(move || {
        let mut buffer = [0; 16 * 1024];
        while let Ok(size @ 1..) = stream.read(&mut buffer) {
            let mut bytes = bytes.lock().unwrap_or_else(PoisonError::into_inner);
            bytes.extend_from_slice(&buffer[..size]);
        }
    })
}

/// A child that leaves its input unread is not the feeder's problem.
fn feed(child: &mut Child, input: Vec<u8>) -> Receiver<()> {
    let stdin = child.stdin.take();
    on_thread(move || _ = stdin.map(|mut stdin| stdin.write_all(&input)))
}

fn on_thread(work: impl FnOnce() + Send + 'static) -> Receiver<()> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        work();
        // Nobody may wait any more.
        let _ = sender.send(());
    });
    receiver
}
