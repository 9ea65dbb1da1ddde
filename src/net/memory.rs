//! Giving memory back to the system.

/// Lets go of what this thread's part of the allocator keeps of memory that is free. It looks at every page of it: for
/// moments in which much has been freed and the rush is over.
///
/// Justification: without being asked, the allocator of a thread that has become idle keeps what a burst has left.
/// Safety: it takes no pointer, and may be called at any time on any thread; where another allocator is in use it finds
/// nothing to do.
#[allow(unsafe_code, reason = "see above")]
pub fn give_back() {
    unsafe { libmimalloc_sys::mi_collect(true) }
}
