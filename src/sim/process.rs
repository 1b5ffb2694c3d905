//! A process on a simulated host: it goes on where its client goes away, as a remote one does (edge).

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::runtime::Handle;

/// What a host does for a client that waits for it.
pub(super) struct Process<T: Send + 'static>(Option<Pin<Box<dyn Future<Output = T> + Send>>>);

impl<T: Send + 'static> Process<T> {
    pub(super) fn new(work: impl Future<Output = T> + Send + 'static) -> Self {
        Self(Some(Box::pin(work)))
    }
}

impl<T: Send + 'static> Future for Process<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let Some(work) = &mut self.0 else { return Poll::Pending };
        let answer = work.as_mut().poll(context);
        if answer.is_ready() {
            self.0 = None;
        }
        answer
    }
}

/// Nobody waits for it any more, and nobody tells it.
impl<T: Send + 'static> Drop for Process<T> {
    fn drop(&mut self) {
        if let (Some(work), Ok(world)) = (self.0.take(), Handle::try_current()) {
            world.spawn(work);
        }
    }
}
