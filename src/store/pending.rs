//! The answer of the store's thread: awaited by those who can, waited for by the others.

use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use super::error::StoreError;

/// What was asked of the store and is under way. Dropping it does not call it off.
#[must_use = "nothing says yet whether it succeeds"]
pub struct Pending<T>(Arc<Seat<T>>);

/// The other end. Dropped without an answer, it says that the store has stopped.
pub(super) struct Answer<T>(Arc<Seat<T>>);

struct Seat<T> {
    state: Mutex<State<T>>,
    answered: Condvar,
}

struct State<T> {
    answer: Option<Result<T, StoreError>>,
    waker: Option<Waker>,
}

pub(super) fn pending<T>() -> (Answer<T>, Pending<T>) {
    let state = Mutex::new(State { answer: None, waker: None });
    let seat = Arc::new(Seat { state, answered: Condvar::new() });
    (Answer(seat.clone()), Pending(seat))
}

impl<T> Seat<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn give(&self, answer: Result<T, StoreError>) {
        let waker = {
            let mut state = self.lock();
            state.answer = Some(answer);
            state.waker.take()
        };
        self.answered.notify_one();
        waker.inspect(Waker::wake_by_ref);
    }
}

impl<T> Answer<T> {
    pub(super) fn give(self, answer: Result<T, StoreError>) {
        self.0.give(answer);
    }
}

impl<T> Drop for Answer<T> {
    fn drop(&mut self) {
        let is_open = Arc::strong_count(&self.0) > 1 && self.0.lock().answer.is_none();
        if is_open {
            self.0.give(Err(StoreError::Stopped));
        }
    }
}

impl<T> Pending<T> {
    /// Blocks this thread until the answer is there. Not for a thread that runs tasks.
    ///
    /// # Errors
    /// Those of what was asked.
    pub fn wait(self) -> Result<T, StoreError> {
        let mut state = self.0.lock();
        loop {
            if let Some(answer) = state.answer.take() {
                return answer;
            }
            state = self.0.answered.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl<T> Future for Pending<T> {
    type Output = Result<T, StoreError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.0.lock();
        if let Some(answer) = state.answer.take() {
            return Poll::Ready(answer);
        }
        state.waker = Some(context.waker().clone());
        Poll::Pending
    }
}
