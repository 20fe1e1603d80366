//! A small web server for tests, on a port of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::leaks;

/// Answers until it is dropped:
///
/// `/hello?name=…`, `/echo` (method, type and body), `/headers`, `/data` (JSON), `/gone` (404), `/moved` (to `/hello`), `/away?…` (to what
/// stands there), `/flaky` (every third answer is a good one),
/// `/busy` (every second one is, after a second), `/latin`, `/binary`, `/nothing`, `/cut` (ends in the middle), `/silent`.
pub struct Web {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    server: Option<JoinHandle<()>>,
    /// Its sockets are in this process.
    _shared: leaks::Shared,
}

struct Request {
    method: String,
    path: String,
    query: String,
    headers: Vec<String>,
    body: Vec<u8>,
}

impl Web {
    pub fn start() -> Self {
        let _shared = leaks::shared();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("it has an address");
        let stop = Arc::new(AtomicBool::new(false));
        let (is_over, flaky) = (stop.clone(), Arc::new(AtomicUsize::new(0)));
        let server = std::thread::spawn(move || {
            let mut connections = Vec::new();
            for stream in listener.incoming().flatten() {
                if is_over.load(Ordering::SeqCst) {
                    break;
                }
                let (flaky, is_over) = (flaky.clone(), is_over.clone());
                connections.push(std::thread::spawn(move || _ = answer(stream, &flaky, &is_over)));
            }
            connections.into_iter().for_each(|connection| _ = connection.join());
        });
        Self { address, stop, server: Some(server), _shared }
    }

    /// `http://127.0.0.1:…`, without a slash.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Whoever waits for a connection gets one.
        let _ = TcpStream::connect(self.address);
        let _ = self.server.take().map(JoinHandle::join);
    }
}

fn read(stream: &TcpStream) -> std::io::Result<Request> {
    let mut input = BufReader::new(stream);
    let mut line = String::new();
    input.read_line(&mut line)?;
    let mut words = line.split(' ');
    let method = words.next().unwrap_or_default().to_string();
    let target = words.next().unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        input.read_line(&mut line)?;
        match line.trim_end() {
            "" => break,
            line => headers.push(line.to_string()),
        }
    }
    let length = headers.iter().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    input.read_exact(&mut body)?;
    Ok(Request { method, path: path.to_string(), query: query.to_string(), headers, body })
}

fn answer(mut stream: TcpStream, flaky: &AtomicUsize, is_over: &AtomicBool) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let Request { method, path, query, headers, body } = read(&stream)?;
    let text = "Content-Type: text/plain";
    let (status, header, body) = match path.as_str() {
        "/hello" => {
            let name = query.split_once('=').map(|(_, name)| name.replace("%20", " ")).unwrap_or_default();
            ("200 OK", text.to_string(), format!("hello {name}").into_bytes())
        }
        "/echo" => {
            let is_kind = |line: &&String| line.to_lowercase().starts_with("content-type: ");
            let kind = headers.iter().find(is_kind).map_or("-", |line| &line["content-type: ".len()..]);
            ("200 OK", text.to_string(), [format!("{method} {kind} ").as_bytes(), &body].concat())
        }
        "/headers" => ("200 OK", text.to_string(), headers.join("\n").into_bytes()),
        "/data" => ("200 OK", "Content-Type: application/json".to_string(), br#"{"size":3}"#.to_vec()),
        "/gone" => ("404 Not Found", text.to_string(), b"it is gone".to_vec()),
        "/moved" => ("302 Found", "Location: /hello?name=there".to_string(), Vec::new()),
        "/away" => ("302 Found", format!("Location: {query}"), Vec::new()),
        "/flaky" => match flaky.fetch_add(1, Ordering::SeqCst) % 3 {
            2 => ("200 OK", text.to_string(), b"at last".to_vec()),
            _ => ("503 Service Unavailable", text.to_string(), b"try again".to_vec()),
        },
        "/busy" => match flaky.fetch_add(1, Ordering::SeqCst) % 2 {
            0 => ("429 Too Many Requests", "Retry-After: 1".to_string(), b"later".to_vec()),
            _ => ("200 OK", text.to_string(), b"in the end".to_vec()),
        },
        "/latin" => ("200 OK", "Content-Type: text/plain; charset=iso-8859-1".to_string(), b"caf\xe9".to_vec()),
        "/binary" => ("200 OK", "X-Many: a\r\nX-Many: b".to_string(), b"\xff\x00\xfe".to_vec()),
        "/nothing" => ("204 No Content", text.to_string(), Vec::new()),
        "/cut" => {
            return stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of it");
        }
        "/silent" => {
            stream.set_read_timeout(Some(Duration::from_millis(50)))?;
            while !is_over.load(Ordering::SeqCst) && stream.peek(&mut [0]).is_err() {
                std::thread::yield_now();
            }
            return Ok(());
        }
        _ => ("404 Not Found", text.to_string(), b"no such page".to_vec()),
    };
    let length = body.len();
    write!(stream, "HTTP/1.1 {status}\r\n{header}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n")?;
    if method != "HEAD" {
        stream.write_all(&body)?;
    }
    stream.flush()
}
