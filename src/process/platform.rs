//! The options of a process as data: who it is, what it may use, whose group it is in.

use std::os::fd::RawFd;
use std::sync::Arc;

use super::descriptor::FdTarget;
use super::error::{Error, ErrorKind};
use super::os::{self, ChildSetup, Limit, StartFailure, Step};

/// These settings of one node of an expression. `None` leaves the choice to the pipeline around it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Platform {
    pub uid: Option<u32>,
    pub gid: Option<u32>,
    pub groups: Option<Vec<u32>>,
    pub umask: Option<u32>,
    pub nice: Option<i32>,
    pub limits: Vec<NamedLimit>,
    pub new_session: Option<bool>,
    pub group: Option<Group>,
    /// Each number once.
    pub descriptors: Vec<(RawFd, Arc<FdTarget>)>,
}

/// The process group that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    /// One of the command's own.
    Own,
    /// One that is there already.
    Joined(u32),
}

/// A limit as it was written.
#[derive(Debug, Clone)]
pub(crate) struct NamedLimit {
    pub name: String,
    pub soft: Option<u64>,
    pub hard: Option<u64>,
}

/// The last limit on a resource is the one that counts.
pub(super) fn put_limit(limits: &mut Vec<NamedLimit>, limit: NamedLimit) {
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
            group: inner.group.or(self.group),
            descriptors: outer.chain(&inner.descriptors).cloned().collect(),
        }
    }

    pub fn wants_session(&self) -> bool {
        self.new_session == Some(true)
    }

    /// The group of somebody else that it joins.
    pub fn joined_group(&self) -> Option<u32> {
        match self.group {
            Some(Group::Joined(group)) => Some(group),
            Some(Group::Own) | None => None,
        }
    }

    /// Values that cannot be meant are refused before anything starts.
    pub fn check(&self) -> Result<(), Error> {
        match self.problem() {
            Some(problem) => Err(Error::new(ErrorKind::InvalidArgument, problem)),
            None => Ok(()),
        }
    }

    /// The first of them.
    pub fn problem(&self) -> Option<String> {
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
        if let Some(problem) = self.joined_group().and_then(|group| group_problem(group, self.wants_session())) {
            return Some(problem);
        }
        self.limits.iter().find_map(NamedLimit::problem).or_else(|| super::descriptor::problem(&self.descriptors))
    }

    /// Why the group cannot be joined, as things are now.
    pub fn group_refusal(&self) -> Option<Error> {
        let group = self.joined_group()?;
        let (why, errno) = os::group_refusal(group)?;
        let error = Error::new(ErrorKind::SpawnFailed, format!("cannot join the process group {group}: {why}"));
        let help = "a group lasts as long as there is a process in it, and is joined within its session only";
        Some(error.with_errno(errno).with_help(help))
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

fn group_problem(group: u32, wants_session: bool) -> Option<String> {
    match i32::try_from(group) {
        // To the system that is "one of its own".
        Ok(0) => Some("0 is no process group that can be joined; one of its own is own_group".to_string()),
        Ok(_) if wants_session => {
            Some(format!("new_session and the process group {group} exclude each other: a session has its own groups"))
        }
        Ok(_) => None,
        Err(_) => Some(format!("{group} is no process group: the largest number is {}", i32::MAX)),
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
