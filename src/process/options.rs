//! What an expression can be told about its process: who it is, what it may use, whose group it is in.

use std::os::fd::RawFd;
use std::sync::Arc;

use super::descriptor::FdTarget;
use super::expression::Expression;
use super::platform::{Group, NamedLimit, Platform, put_limit};

impl Expression {
    fn platform(self, change: impl FnOnce(&mut Platform)) -> Self {
        self.set(|s| change(Arc::make_mut(s.scoped.platform.get_or_insert_default())))
    }

    /// The user that the program runs as. Only root may change it.
    ///
    /// As root, unless [`groups`](Self::groups) says otherwise, all supplementary groups are dropped.
    /// The group stays ours unless [`gid`](Self::gid) is set, and so does the environment (`HOME`,
    /// `USER`). The program is searched, the directory entered and files opened as ourselves.
    ///
    /// ```no_run
    /// use procscript::process::Expression;
    ///
    /// let who = Expression::new("id").arg("-u").uid(1000).gid(1000).read()?;
    /// assert_eq!(who, "1000");
    /// # Ok::<(), procscript::process::Error>(())
    /// ```
    pub fn uid(self, uid: u32) -> Self {
        self.platform(|p| p.uid = Some(uid))
    }

    /// The group that the program runs as. Supplementary groups stay, unless [`groups`](Self::groups) or
    /// [`uid`](Self::uid) is set.
    ///
    /// ```no_run
    /// # use procscript::process::Expression;
    /// assert_eq!(Expression::new("id").arg("-g").gid(100).read()?, "100");
    /// # Ok::<(), procscript::process::Error>(())
    /// ```
    pub fn gid(self, gid: u32) -> Self {
        self.platform(|p| p.gid = Some(gid))
    }

    /// Exactly these supplementary groups; an empty list drops all of them.
    ///
    /// ```no_run
    /// # use procscript::process::Expression;
    /// assert_eq!(Expression::new("id").arg("-G").gid(100).groups([]).read()?, "100");
    /// # Ok::<(), procscript::process::Error>(())
    /// ```
    pub fn groups(self, groups: impl Into<Vec<u32>>) -> Self {
        let groups = groups.into();
        self.platform(|p| p.groups = Some(groups))
    }

    /// The permissions that files of the program do not get.
    ///
    /// ```
    /// use procscript::process::sh;
    ///
    /// assert_eq!(sh("umask").umask(0o027).read()?, "0027");
    /// # Ok::<(), procscript::process::Error>(())
    /// ```
    pub fn umask(self, umask: u32) -> Self {
        self.platform(|p| p.umask = Some(umask))
    }

    /// Adds to the niceness that we have, as `nice -n` does: -20 to 19. A negative number needs
    /// privileges.
    ///
    /// ```
    /// # use procscript::process::Expression;
    /// let quiet = Expression::new("true").nice(10);
    /// # quiet.run()?;
    /// # Ok::<(), procscript::process::Error>(())
    /// ```
    pub fn nice(self, nice: i32) -> Self {
        self.platform(|p| p.nice = Some(nice))
    }

    /// A limit on what the process may use: the soft one holds, and can be raised by the program up to
    /// the hard one; `None` is no limit. Resources have the names of `ulimit` and `limits.conf`: `as`,
    /// `core`, `cpu` (seconds), `data`, `fsize`, `memlock`, `nofile`, `nproc`, `rss`, `stack`, and on
    /// Linux some more.
    ///
    /// ```
    /// use procscript::process::sh;
    ///
    /// assert_eq!(sh("ulimit -n").rlimit("nofile", Some(50), Some(60)).read()?, "50");
    /// # Ok::<(), procscript::process::Error>(())
    /// ```
    pub fn rlimit(self, resource: impl Into<String>, soft: Option<u64>, hard: Option<u64>) -> Self {
        let limit = NamedLimit { name: resource.into(), soft, hard };
        self.platform(|p| put_limit(&mut p.limits, limit))
    }

    /// Runs it in a session of its own, without a controlling terminal: it leads the session and a
    /// process group. Signals, timeouts and the end of its handle still reach it. Each stage of a
    /// pipeline gets a session for itself.
    ///
    /// ```
    /// use procscript::process::Expression;
    ///
    /// let execution = Expression::new("sleep").arg("60").new_session().start()?;
    /// execution.terminate();
    /// # Ok::<(), procscript::process::Error>(())
    /// ```
    pub fn new_session(self) -> Self {
        self.platform(|p| p.new_session = Some(true))
    }

    /// Runs it in a process group that is not ours, also when a terminal is there and we wait for it: keys
    /// such as Ctrl-C do not reach it (we end it, when we are ended), and reading from the terminal
    /// stops it. Without a terminal every command has a group of its own.
    ///
    /// ```
    /// # use procscript::process::Expression;
    /// Expression::new("true").own_group().run()?;
    /// # Ok::<(), procscript::process::Error>(())
    /// ```
    pub fn own_group(self) -> Self {
        self.platform(|p| p.group = Some(Group::Own))
    }

    /// Runs it, all stages of a pipeline, in a process group that is there already: that of another command
    /// (its first process, when it was started with [`own_group`](Self::own_group)), or a stranger's. Of the two
    /// settings the last one holds.
    ///
    /// The group is not ours. Whatever ends this command (a timeout, a cancellation, a dropped handle, a
    /// [`Teardown`](super::Teardown) of any [`Scope`](super::Scope)) goes to its own processes and to the
    /// descendants that can be found, one by one, and never to the group. Who owns the group may signal it, and
    /// reaches this command: a command that leads it takes along, when it has to be ended, what has joined.
    ///
    /// # Errors
    /// Of kind [`SpawnFailed`](super::ErrorKind::SpawnFailed) when there is no such group, or it is in another
    /// session; of kind [`InvalidArgument`](super::ErrorKind::InvalidArgument) for 0, and together with
    /// [`new_session`](Self::new_session).
    ///
    /// ```
    /// use procscript::process::{Expression, sh};
    ///
    /// let leader = Expression::new("sleep").arg("60").own_group().unchecked().start()?;
    /// let group = leader.pids()[0];
    /// sh("kill -TERM -$GROUP").env("GROUP", group.to_string()).process_group(group).unchecked().run()?;
    /// // The group was told to end, and with it the one that had joined.
    /// assert!(!leader.wait()?.success());
    /// # Ok::<(), procscript::process::Error>(())
    /// ```
    pub fn process_group(self, group: u32) -> Self {
        self.platform(|p| p.group = Some(Group::Joined(group)))
    }

    /// One more descriptor for the program, with a number from 3 on: a file to read or write, or one
    /// that is open here. Of the same number twice on one expression the last one holds.
    ///
    /// ```
    /// use procscript::process::{FdTarget, sh};
    ///
    /// let (reader, writer) = std::io::pipe().expect("a pipe");
    /// let report = sh("echo done >&3; cat <&4").fd(3, writer).fd(4, FdTarget::read("/dev/null"));
    /// report.run()?;
    /// # drop(report);
    /// # assert_eq!(std::io::read_to_string(reader).expect("text"), "done\n");
    /// # Ok::<(), procscript::process::Error>(())
    /// ```
    pub fn fd(self, number: RawFd, target: impl Into<FdTarget>) -> Self {
        let target = Arc::new(target.into());
        self.platform(|p| {
            p.descriptors.retain(|(other, _)| *other != number);
            p.descriptors.push((number, target));
        })
    }

    /// What is wrong with the platform settings of this very expression, for front ends that want to
    /// say it where it was written.
    pub(crate) fn platform_problem(&self) -> Option<String> {
        self.settings.scoped.platform.as_deref().and_then(Platform::problem)
    }
}
