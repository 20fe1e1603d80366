//! How much memory this process has.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicIsize, Ordering};

/// So much may be held, or given back, by a thread before all are told: what is counted in one place by many is slow.
const ROUGHLY: isize = 64 * 1024;

static HELD: AtomicIsize = AtomicIsize::new(0);

thread_local! {
    /// What this thread has not told yet.
    static UNTOLD: Cell<isize> = const { Cell::new(0) };
}

/// The system's allocator, which knows how much is held, but for some KiB for each thread.
///
/// A program that embeds scripts and bounds their memory makes it its own, so that no script can take much more
/// than its limit before that is noticed:
///
/// ```
/// #[global_allocator]
/// static ALLOCATOR: procscript::process::CountingAllocator = procscript::process::CountingAllocator;
/// ```
#[derive(Debug)]
pub struct CountingAllocator;

/// How many bytes are held; 0 where the [`CountingAllocator`] is not the program's.
pub(crate) fn held_memory() -> usize {
    usize::try_from(HELD.load(Ordering::Relaxed)).unwrap_or(0)
}

fn count(change: isize) {
    // A thread that ends has no variables of its own any more.
    let told = UNTOLD.try_with(|untold| {
        let sum = untold.get() + change;
        let is_much = sum.abs() >= ROUGHLY;
        untold.set(if is_much { 0 } else { sum });
        if is_much { sum } else { 0 }
    });
    match told.unwrap_or(change) {
        0 => {}
        sum => _ = HELD.fetch_add(sum, Ordering::Relaxed),
    }
}

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: as the caller promises.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count(new_size as isize - layout.size() as isize);
        // SAFETY: as the caller promises.
        unsafe { System.realloc(pointer, layout, new_size) }
    }
}

/// Has the system give memory to `room` bytes behind the end of `buffer`, as far as they are reserved, all at once.
/// Systems that cannot do that give it a page at a time, when it is written.
pub(crate) fn populate(buffer: &mut Vec<u8>, room: usize) {
    #[cfg(target_os = "linux")]
    {
        const MADV_POPULATE_WRITE: libc::c_int = 23;
        let spare = buffer.spare_capacity_mut();
        let room = room.min(spare.len());
        // The page that the bytes before it end in has its memory.
        let first = spare.as_mut_ptr().align_offset(page_size());
        if first < room {
            let length = (room - first) / page_size() * page_size();
            // SAFETY: the range is part of the buffer's spare capacity, whose contents nobody has seen.
            unsafe { libc::madvise(spare.as_mut_ptr().add(first).cast(), length, MADV_POPULATE_WRITE) };
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (buffer, room);
}

fn page_size() -> usize {
    // SAFETY: only asks.
    usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096)
}

/// How much memory of this process is in the machine's, in bytes; `None` where the system does not tell.
pub(crate) fn resident_memory() -> Option<usize> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: usize = statm.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some(pages * page_size())
}

/// How much memory the machine, the container that we are in, or this process (`ulimit -v`, `-d`) may have in all, in
/// bytes.
#[cfg(feature = "cli")]
pub(crate) fn total_memory() -> Option<usize> {
    // SAFETY: only asks.
    let pages = unsafe { libc::sysconf(libc::_SC_PHYS_PAGES) };
    let machine = usize::try_from(pages).ok()? * page_size();
    let container = std::fs::read_to_string("/sys/fs/cgroup/memory.max").ok();
    let container = container.and_then(|text| text.trim().parse().ok());
    let own = [super::soft_limit("as"), super::soft_limit("data")].into_iter().flatten();
    let own = own.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX)).min();
    [container, own].into_iter().flatten().chain([machine]).min()
}
