//! State with one owner, among tasks that interleave.

use std::cell::RefCell;

/// State owned by one shard. The closure is synchronous, so it cannot suspend while borrowing, and nothing it returns
/// can point back inside.
#[derive(Default)]
pub struct Owned<T>(RefCell<T>);

impl<T> Owned<T> {
    /// Takes `value` in.
    pub const fn new(value: T) -> Self {
        Self(RefCell::new(value))
    }

    /// Gives the state to `f` for as long as it runs. Do not call it on the same state within.
    pub fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        f(&mut self.0.borrow_mut())
    }
}
