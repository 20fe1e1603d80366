//! `std/http` against a server of the test's own.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::support::procs;
use crate::support::run::{Outcome, Run};
use crate::support::script_case::is_installed;
use crate::support::web::Web;

const START: &str = r#"
import "std/http" as http;
let web = env("WEB");
fn tried(what) { try { print(what.call()); } catch (e) { print(`${e.kind}: ${e.message}`); } }
"#;

/// Runs a script with the server's address, or nothing where there is no curl.
fn with_web(script: &str, look: impl FnOnce(&Web, &Outcome)) {
    if !is_installed("curl") {
        println!("skipped: curl is not installed");
        return;
    }
    let web = Web::start();
    let run = Run::new().env("WEB", web.url()).file("data.txt", "from a file").allow_file("got.bin");
    look(&web, &run.script(format!("{START}{script}")).run());
}

#[track_caller]
fn prints(script: &str, expected: &str) {
    with_web(script, |web, outcome| {
        outcome.success().stderr("").stdout(&expected.replace("WEB", &web.url()));
    });
}

#[test]
fn bodies_and_headers_arrive_as_they_were_given() {
    prints(
        r#"
        tried(|| http::get(web + "/hello?name=a").body);
        tried(|| http::get(web + "/echo?a#part", #{ query: #{ x: [1, "&"] } }).url);
        tried(|| http::put(web + "/echo", "a\n\"b\"\\").body);
        tried(|| http::post(web + "/echo", blob(3, 65)).body);
        tried(|| http::post(web + "/echo", [1, #{ a: () }]).body);
        tried(|| http::post(web + "/echo", path("data.txt"), #{ headers: #{ "content-type": "x/y" } }).body);
        tried(|| http::post(web + "/echo", "@/etc/hostname").body);
        tried(|| http::delete(web + "/echo").body);
        tried(|| http::request("patch", web + "/echo", #{ body: "" }).body);
        tried(|| http::request("HEAD", web + "/hello", #{}).headers["content-length"]);
        for line in http::get(web + "/headers", #{ headers: #{ "X-A": "b\"c\\", Empty: "", accept: "text/x" } }).body.lines() {
            if !line.starts_with("Host") && !line.starts_with("User-Agent") { print(line); }
        }
        "#,
        "hello a\nWEB/echo?a&x=1&x=%26#part\nPUT text/plain; charset=utf-8 a\n\"b\"\\\nPOST application/octet-stream AAA\n\
         POST application/json [1,{\"a\":null}]\nPOST x/y from a file\nPOST text/plain; charset=utf-8 @/etc/hostname\nDELETE - \n\
         PATCH text/plain; charset=utf-8 \n6\nEmpty:\nX-A: b\"c\\\naccept: text/x\n",
    );
}

#[test]
fn answers_are_what_the_server_said() {
    prints(
        r#"
        let moved = http::get(web + "/moved");
        print([moved.url, moved.body, moved.headers.get("location")]);
        tried(|| http::get(web + "/latin").body);
        tried(|| http::get(web + "/nothing").status);
        tried(|| http::get(web + "/gone", #{ unchecked: true }).body);
        let got = http::download(web + "/binary", "got.bin");
        print([read_bytes("got.bin"), got.headers["x-many"], mode("got.bin") == 0o600]);
        tried(|| http::download(web + "/gone", "got.bin"));
        tried(|| http::download(web + "/cut", "got.bin").status);
        tried(|| http::download(web + "/hello", "no/such/dir/file"));
        print([read_bytes("got.bin"), read_dir(".").map(|file| file.name).contains("got.bin")]);
        print(http::download(web + "/nothing", "got.bin").status);
        print(file_size("got.bin").bytes);
        "#,
        "[\"WEB/hello?name=there\", \"hello there\", ()]\ncafé\n204\nit is gone\n[[ff00fe], \"a, b\", false]\n\
         http_status: GET WEB/gone gave 404 Not Found: it is gone\n\
         http_failed: GET WEB/cut failed: transfer closed with 90 bytes remaining to read\n\
         io_failed: cannot make a temporary directory in `$TMP/no/such/dir`: No such file or directory\n\
         [[ff00fe], true]\n204\n0\n",
    );
}

#[test]
fn what_cannot_be_sent_is_refused_before_it_is() {
    prints(
        r#"
        for address in ["file:///etc/passwd", "--version", "ftp://a/b", "http://", "http:///a", 5] { tried(|| http::get(address)); }
        tried(|| http::get("http://a/\nurl = \"http://b\""));
        tried(|| http::get(web, #{ headers: #{ A: "b\r\nC: d" } }));
        tried(|| http::get(web, #{ headers: #{ "A b": "b" } }));
        tried(|| http::get(web, #{ header: #{} }));
        tried(|| http::get(web, #{ headers: 5 }));
        tried(|| http::get(web, #{ retries: "x" }));
        tried(|| http::get(web, #{ timeout: "x" }));
        tried(|| http::post(web, 5));
        tried(|| http::post(web, path("none.txt")));
        tried(|| http::get(web + "/away?file:///etc/passwd"));
        tried(|| http::get(web + "/binary").body);
        "#,
        "invalid_argument: an address begins with http:// or https://, not as \"file:///etc/passwd\"\n\
         invalid_argument: an address begins with http:// or https://, not as \"--version\"\n\
         invalid_argument: an address begins with http:// or https://, not as \"ftp://a/b\"\n\
         invalid_argument: an address begins with http:// or https://, not as \"http://\"\n\
         invalid_argument: an address begins with http:// or https://, not as \"http:///a\"\n\
         invalid_argument: an address begins with http:// or https://, not as \"5\"\n\
         invalid_argument: the url of a request has one line\n\
         invalid_argument: the header of a request has one line\n\
         invalid_argument: no header can be called \"A b\"\n\
         invalid_argument: std/http has no option `header`; it has headers, query, token, timeout, retries, delay, unchecked, body\n\
         invalid_argument: the option `headers` of std/http is a map\n\
         invalid_argument: the option `retries` of std/http is a number\n\
         invalid_argument: `x` is not a duration: it does not start with a number; write a number with a unit: 300ms, 30s, 5m, 1h 30m, 2d\n\
         invalid_argument: the body of a request is text, a blob, a path, or a map or an array for JSON\n\
         read_failed: cannot send `none.txt`: there is no such file\n\
         http_failed: GET WEB/away?file:///etc/passwd failed: Protocol \"file\" not supported or disabled in libcurl\n\
         decode_failed: the body of WEB/binary is no text\n",
    );
}

#[test]
fn what_may_pass_is_tried_again() {
    prints(
        r#"
        tried(|| http::get(web + "/flaky", #{ retries: 2, delay: "1ms" }).body);
        tried(|| http::get(web + "/flaky", #{ retries: 1, delay: "1ms" }).body);
        try { http::get(web + "/silent", #{ timeout: "3s" }); } catch (e) { print(`${e.kind}: ${e.message.replace_all("[0-9]+ ms|[0-9]+ milli", "N milli")}`); }
        try { http::get("http://me:pass@127.0.0.1:1/x"); } catch (e) { print(`${e.kind}: ${e.message.replace_all("[0-9]+ ms", "N ms")}`); }
        "#,
        "at last\nhttp_status: GET WEB/flaky gave 503 Service Unavailable: try again\n\
         timed_out: GET WEB/silent failed: Operation timed out after N milliseconds with 0 bytes received\n\
         http_failed: GET http://127.0.0.1:1/x failed: Failed to connect to 127.0.0.1 port 1 after N ms: Couldn't connect to server\n",
    );
}

#[test]
fn the_server_says_when_to_try_again() {
    prints(
        r#"
        let before = timestamp();
        print(http::get(web + "/busy", #{ retries: 1, delay: "1ms" }).body);
        print(before.elapsed >= 1.0);
        "#,
        "in the end\ntrue\n",
    );
}

#[test]
fn without_curl_it_says_so() {
    let script = format!("{START}print(http::available());\nhttp::get(\"http://127.0.0.1:1/\");");
    let outcome = Run::new().env("WEB", "").env("PATH", "/nonexistent").script(script).run();
    outcome.status(127).stdout("false\n").stderr_contains("command not found: `curl`");
}

/// The arguments of every process, looked at while a request is under way.
#[test]
#[cfg(target_os = "linux")]
fn a_token_is_in_no_list_of_processes() {
    if !is_installed("curl") {
        return;
    }
    let web = Web::start();
    let script = format!(
        "{START}http::post(web + \"/silent?in-the-address\", \"in-the-body\", #{{ token: \"in-the-token\", timeout: \"8s\" }});"
    );
    let (is_over, web_url) = (AtomicBool::new(false), web.url());
    let seen = std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut seen = String::new();
            while !is_over.load(Ordering::SeqCst) {
                for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
                    let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
                    let line = String::from_utf8_lossy(&line).into_owned();
                    if line.starts_with("curl\0") && !seen.contains(&line) {
                        seen.push_str(&line);
                    }
                }
                std::thread::sleep(Duration::from_millis(5));
            }
            seen
        });
        // Or the watcher would look for ever.
        let run = || Run::new().env("WEB", web_url).script(script).run();
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
        is_over.store(true, Ordering::SeqCst);
        let outcome = outcome.expect("it runs");
        outcome.status(1).stderr_contains("timed out").stderr_lacks("in-the-token");
        watcher.join().expect("the watcher does not panic")
    });
    assert!(seen.contains("--config"), "no curl was seen: {seen}");
    assert!(!seen.contains("in-the-"), "{seen}");
}

#[test]
fn a_deadline_ends_a_request() {
    let started = Instant::now();
    prints(
        "tried(|| { with timeout(\"3s\") { http::get(web + \"/silent\") } });",
        "timed_out: the block timed out after 3 s, while `curl --disable --config -` was running\n",
    );
    assert!(started.elapsed() < procs::under_load(Duration::from_secs(12)), "{:?}", started.elapsed());
}
