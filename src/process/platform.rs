//! What a command is told about its process: who it is, what it may use, whose group it is in.

use std::os::fd::RawFd;
use std::sync::Arc;

use super::descriptor::FdTarget;
use super::error::{Error, ErrorKind};
use super::expression::Expression;
use super::os::{self, ChildSetup, Limit, StartFailure, Step};

/// These settings of one node of an expression. `None` leaves the choice to the pipeline around it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Platform {
    uid: Option<u32>,
    gid: Option<u32>,
    groups: Option<Vec<u32>>,
    umask: Option<u32>,
    nice: Option<i32>,
    limits: Vec<NamedLimit>,
    new_session: Option<bool>,
    own_group: Option<bool>,
    /// A number twice on the same node is a mistake, which [`check`](Self::check) finds.
    pub descriptors: Vec<(RawFd, Arc<FdTarget>)>,
}

/// A limit as it was written.
#[derive(Debug, Clone)]
struct NamedLimit {
    name: String,
    soft: Option<u64>,
    hard: Option<u64>,
}

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
        self.platform(|p| p.own_group = Some(true))
    }

    /// One more descriptor for the program, with a number from 3 on: a file to read or write, or one
    /// that is open here. The same number twice on one command is an error.
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
        self.platform(|p| p.descriptors.push((number, target)))
    }

    /// What is wrong with the platform settings of this very expression, for front ends that want to
    /// say it where it was written.
    pub(crate) fn platform_problem(&self) -> Option<String> {
        self.settings.scoped.platform.as_deref().and_then(Platform::problem)
    }
}

fn put_limit(limits: &mut Vec<NamedLimit>, limit: NamedLimit) {
    limits.retain(|other| other.name != limit.name);
    limits.push(limit);
}

impl Platform {
    /// These settings with those of an inner node on top.
    pub fn merged_with(&self, inner: &Self) -> Self {
        let mut limits = self.limits.clone();
        inner.limits.iter().for_each(|limit| put_limit(&mut limits, limit.clone()));
        let is_outer = |number: &RawFd| inner.descriptors.iter().all(|(other, _)| other != number);
        let outer = self.descriptors.iter().filter(|(number, _)| is_outer(number));
        Self {
            uid: inner.uid.or(self.uid),
            gid: inner.gid.or(self.gid),
            groups: inner.groups.clone().or_else(|| self.groups.clone()),
            umask: inner.umask.or(self.umask),
            nice: inner.nice.or(self.nice),
            limits,
            new_session: inner.new_session.or(self.new_session),
            own_group: inner.own_group.or(self.own_group),
            descriptors: outer.chain(&inner.descriptors).cloned().collect(),
        }
    }

    pub fn wants_session(&self) -> bool {
        self.new_session == Some(true)
    }

    pub fn wants_group(&self) -> bool {
        self.own_group == Some(true)
    }

    /// Values that cannot be meant are refused before anything starts.
    pub fn check(&self) -> Result<(), Error> {
        match self.problem() {
            Some(problem) => Err(Error::new(ErrorKind::InvalidArgument, problem)),
            None => Ok(()),
        }
    }

    fn problem(&self) -> Option<String> {
        let groups = self.groups.iter().flatten();
        let mut ids = self.uid.iter().chain(&self.gid).chain(groups);
        if ids.any(|id| *id == u32::MAX) {
            // To the system that is "leave it as it is".
            return Some(format!("{} is no user or group: the largest id is {}", u32::MAX, u32::MAX - 1));
        }
        match (self.umask, self.nice) {
            (Some(umask), _) if umask > 0o777 => {
                return Some(format!("0o{umask:o} is no umask: it is a number from 0 to 0o777"));
            }
            (_, Some(nice)) if !(-20..=19).contains(&nice) => {
                return Some(format!("{nice} is no niceness: it is a number from -20 to 19"));
            }
            _ => {}
        }
        self.limits.iter().find_map(NamedLimit::problem).or_else(|| super::descriptor::problem(&self.descriptors))
    }

    /// What the child has to do, but for the descriptors.
    pub fn setup(&self) -> ChildSetup {
        let drops_groups = self.uid.is_some() && os::is_root();
        ChildSetup {
            new_session: self.wants_session(),
            descriptors: Vec::new(),
            // All known: checked before.
            limits: self.limits.iter().filter_map(NamedLimit::to_limit).collect(),
            nice: self.nice,
            umask: self.umask,
            groups: self.groups.clone().or_else(|| drops_groups.then(Vec::new)),
            gid: self.gid,
            uid: self.uid,
        }
    }

    /// What failed, when it was one of these settings.
    pub fn explain(&self, failure: &StartFailure) -> Option<Error> {
        let what = match failure.step {
            Step::Start => return None,
            Step::Session => "cannot start a new session".to_string(),
            Step::Descriptor(index) => {
                let number = self.descriptors.get(index).map_or(0, |(number, _)| *number);
                format!("cannot make descriptor {number}")
            }
            Step::Limit(index) => format!("cannot set the limit {}", self.limits.get(index)?.shown()),
            Step::Nice => format!("cannot change the niceness by {}", self.nice?),
            Step::Groups => match self.groups.as_deref() {
                None | Some([]) => "cannot drop the supplementary groups".to_string(),
                Some(groups) => format!("cannot set the supplementary groups {groups:?}"),
            },
            Step::Group => format!("cannot set the group id {}", self.gid?),
            Step::User => format!("cannot set the user id {}", self.uid?),
        };
        let kind = match failure.error.raw_os_error() {
            Some(os::EAGAIN | os::ENOMEM | os::EMFILE | os::ENFILE) => ErrorKind::Resource,
            _ => ErrorKind::SpawnFailed,
        };
        Some(Error::from_io(kind, what, &failure.error))
    }

    /// Who the program runs as, when that is somebody else.
    pub fn identity(&self) -> Option<String> {
        match (self.uid, self.gid) {
            (Some(uid), _) => Some(format!("the user {uid}")),
            (None, Some(gid)) => Some(format!("the group {gid}")),
            (None, None) => None,
        }
    }
}

impl NamedLimit {
    fn to_limit(&self) -> Option<Limit> {
        Limit::new(&self.name, self.soft, self.hard)
    }

    fn problem(&self) -> Option<String> {
        let Self { name, soft, hard } = self;
        if self.to_limit().is_none() {
            let known = os::resource_names().collect::<Vec<_>>();
            let names = known.iter().map(|name| name.to_string());
            let hint = match super::nearest_name(name, names) {
                Some(similar) => format!("did you mean `{similar}`?"),
                None => format!("there are {}", known.join(", ")),
            };
            return Some(format!("there is no resource `{name}` to limit; {hint}"));
        }
        let is_more = match (soft, hard) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(soft), Some(hard)) => soft > hard,
        };
        is_more.then(|| format!("the soft limit of `{name}` is above the hard one: {} > {}", show(*soft), show(*hard)))
    }

    fn shown(&self) -> String {
        format!("`{}` to {} (hard: {})", self.name, show(self.soft), show(self.hard))
    }
}

fn show(limit: Option<u64>) -> String {
    limit.map_or("unlimited".to_string(), |limit| limit.to_string())
}
