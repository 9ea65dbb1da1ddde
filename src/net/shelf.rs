//! Things kept for their next use, the hottest first.

use std::cell::{Cell, RefCell};

/// What is free now. What a while did not need is let go by [`Shelf::trim`].
pub struct Shelf<T> {
    free: RefCell<Vec<T>>,
    /// How many were free at every moment since the last trim.
    unneeded: Cell<usize>,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self { free: RefCell::default(), unneeded: Cell::new(0) }
    }
}

impl<T> Shelf<T> {
    /// The one that was put here last.
    pub fn take(&self) -> Option<T> {
        let mut free = self.free.borrow_mut();
        let taken = free.pop();
        self.unneeded.set(self.unneeded.get().min(free.len()));
        taken
    }

    /// Keeps one for the next.
    pub fn put(&self, thing: T) {
        self.free.borrow_mut().push(thing);
    }

    /// How many are here.
    pub fn len(&self) -> usize {
        self.free.borrow().len()
    }

    /// Whether none is here.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Lets those go that nobody needed since the last call; says how many they were.
    pub fn trim(&self) -> usize {
        let mut free = self.free.borrow_mut();
        let unneeded = self.unneeded.get();
        free.drain(..unneeded);
        free.shrink_to_fit();
        self.unneeded.set(free.len());
        unneeded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_one_put_is_the_first_one_taken() {
        let shelf = Shelf::default();
        shelf.put(1);
        shelf.put(2);
        assert_eq!([shelf.take(), shelf.take(), shelf.take()], [Some(2), Some(1), None]);
    }

    #[test]
    fn what_was_needed_since_the_last_trim_stays() {
        let shelf = Shelf::default();
        (0..10).for_each(|thing| shelf.put(thing));
        assert_eq!(shelf.trim(), 0, "they have not been here for a while yet");
        let taken = [shelf.take(), shelf.take(), shelf.take()];
        taken.into_iter().flatten().for_each(|thing| shelf.put(thing));
        assert_eq!((shelf.trim(), shelf.len()), (7, 3));
        assert_eq!((shelf.trim(), shelf.len()), (3, 0));
        assert_eq!((shelf.trim(), shelf.take()), (0, None));
    }
}
