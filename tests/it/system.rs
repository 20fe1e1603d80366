//! Other processes, and the machine, where a script test cannot show it.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use crate::support::leaks::Guard;
use crate::support::run::Run;
use crate::support::scratch::Scratch;
use crate::support::users::{as_ordinary_user, skipped};
use crate::support::{procs, testkid};

#[test]
fn a_tree_ends_as_a_whole() {
    // The second one does not care for TERM, and neither does what it has started.
    let script = r#"
        let root = cmd("testkid", ["grandchild", "forever", "--", "forever"]).start();
        let more = cmd("testkid", ["ignore", "TERM", "--", "grandchild", "forever", "--", "forever"]).start();
        wait_for(#{ready: || process_tree(root.pids[0]).children.len() == 1 && process_tree(more.pids[0]).children.len() == 1});
        sleep("200ms");
        let below = process_tree(root.pids[0]).children[0].pid;
        let beside = process_tree(more.pids[0]).children[0].pid;
        print(end_process(root.pids[0], #{tree: true}));
        print(end_process(more.pids[0], #{tree: true, grace: "200ms"}));
        for pid in [below, beside] { print(attempt(|| process_tree(pid)).error.errno_name); }
        for job in [root, more] { print(attempt(|| job.wait()).error.kind); }
    "#;
    let outcome = Run::new().script(script).run();
    outcome.success().stdout("TERM\nKILL\nESRCH\nESRCH\nsignaled\nsignaled\n");
}

#[test]
fn the_tree_of_the_script_is_not_ended() {
    let inner = r#"let own = parse_int(cmd("testkid", "ppid").read());
        let parent = processes().filter(|process| process.pid == own)[0].parent;
        print(attempt(|| end_process(parent, #{tree: true})).error.message.replace(`${parent}`, "N"));"#;
    let outer = r#"cmd(args()[0], ["-e", args()[1]]).run();"#;
    let outcome = Run::new().script(outer).arg(crate::support::procscript_bin()).arg(inner).run();
    outcome.success().stdout("cannot end the process N: this script is one of those that it has started\n");
}

#[test]
fn what_is_not_ours_is_refused() {
    if skipped("what_is_not_ours_is_refused") {
        return;
    }
    let _guard = Guard::new();
    let own = std::process::id();
    let script = format!(
        "let e = attempt(|| end_process({own})).error; print(`${{e.kind}} ${{e.errno_name}}: ${{e.message}}`);"
    );
    let shown = as_ordinary_user(&script).unwrap();
    assert_eq!(shown, format!("control_failed EPERM: cannot end the process {own}: Operation not permitted"));
    // Others can be seen.
    let shown = as_ordinary_user(&format!("print(processes().filter(|p| p.pid == {own})[0].user);")).unwrap();
    assert_eq!(shown, "root");
}

#[test]
fn a_stranger_within_a_tree_is_named_and_nothing_stays_stopped() {
    if skipped("a_stranger_within_a_tree_is_named_and_nothing_stays_stopped") {
        return;
    }
    let _guard = Guard::new();
    // An ordinary user's process above one of root's: the first must end, the other go on.
    let (_dir, kid) = crate::support::users::public_copy(testkid());
    let scratch = Scratch::new();
    let shown = scratch.path().join("shown");
    let command = procscript::process::cmd(&kid, ["grandchild", "forever", "--", "forever"]);
    let job = crate::support::users::ordinary(command).stdout_path(&shown).start().unwrap();
    let pid = job.pids()[0];
    let below = || procs::all().into_iter().find(|process| process.parent == pid).map(|process| process.pid);
    let child = procs::until(Duration::from_secs(5), below, |found| found.is_some()).unwrap();
    let script = format!("let e = attempt(|| end_process({pid}, #{{tree: true}})); print(e.value);");
    assert_eq!(as_ordinary_user(&script).unwrap(), "TERM");
    assert!(job.wait().is_err());
    assert!(procs::process(child).is_none_or(|process| process.is_zombie()));
}

#[test]
fn waiting_for_an_end_can_be_interrupted() {
    let script = r#"
        let job = cmd("testkid", "ignore", "TERM", "--", "touch", "ready", "--", "forever").start();
        wait_for(#{path: "ready"});
        let begun = timestamp();
        try { with timeout("100ms") { end_process(job.pids[0], #{grace: "1m"}); } } catch (e) { print(e.kind); }
        print(begun.elapsed < 30.0);
        job.kill();
        print(attempt(|| job.wait()).error.signal_name);
    "#;
    Run::new().script(script).allow_file("ready").run().success().stdout("timed_out\ntrue\nKILL\n");
}

#[test]
fn ports_are_seen() {
    let _guard = Guard::new();
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let own = std::process::id();
    let script = format!(
        "print(port_is_open({port})); print(port_is_open({port}, \"localhost\"));\n\
         print(find_processes(#{{port: {port}}}).map(|process| process.pid) == [{own}]);\n\
         let free = free_port(); print(find_processes(#{{port: free}}).is_empty());\n\
         print(port_is_open(80, \"no-such-host.invalid\"));"
    );
    Run::new().script(script).run().success().stdout("true\ntrue\ntrue\ntrue\nfalse\n");
    drop(listener);
    // A host that says nothing: a deadline is not waited out.
    let begun = Instant::now();
    let script = "try { with timeout(\"100ms\") { port_is_open(9, \"192.0.2.1\"); sleep(\"60s\"); } } catch (e) { print(e.kind); }";
    Run::new().script(script).run().success().stdout("timed_out\n");
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

#[test]
fn what_is_missing_is_the_exit_code() {
    Run::new().script("require(\"no-such-program\");").run().status(127);
    Run::new().script("require(\"no-such-program\", \"nor-this\");").run().status(127);
}

#[test]
fn odd_variables_are_left_out() {
    use std::os::unix::ffi::OsStringExt;
    let odd = std::ffi::OsString::from_vec(vec![b'x', 0xff]);
    let script = "print(env_vars().contains(\"ODD\")); print(env_vars().contains(\"PATH\"));";
    Run::new().env("ODD", odd.clone()).env(odd, "x").script(script).run().success().stdout("false\ntrue\n");
}

#[test]
fn a_secret_argument_of_our_own_is_not_listed() {
    // A token of this run only: another run of the tests may be listed beside it.
    let script = r#"
        let token = secret("s3cret-token-of-OWN");
        let job = cmd("testkid", "forever", token).start();
        let pid = job.pids[0];
        // It has the name of its program a moment after it is started.
        wait_for(#{ready: || processes().some(|process| process.pid == pid && process.command.contains("forever"))});
        for process in processes() { if process.pid == pid { print(process.command.ends_with("forever ***")); } }
        print(find_processes(#{command: token.reveal()}).len());
        job.kill();
        attempt(|| job.wait());
    "#;
    let script = script.replace("OWN", &std::process::id().to_string());
    Run::new().script(&script).run().success().stdout("true\n1\n");
}
