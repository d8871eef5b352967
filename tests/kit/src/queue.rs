//! A queue in memory, which delivers nothing by itself.

use std::cell::{Cell, RefCell};

use referee::runtime::queue::Queue;

/// A queue that keeps its messages, each with its delay in seconds.
#[derive(Debug, Default)]
pub struct Shelf {
    messages: RefCell<Vec<(String, u32)>>,
    /// Whether it refuses messages.
    pub is_down: Cell<bool>,
    /// How many messages were sent, including refused ones.
    pub attempts: Cell<usize>,
}

impl Shelf {
    /// Takes all messages off the queue.
    pub fn take(&self) -> Vec<(String, u32)> {
        self.messages.take()
    }
}

impl Queue for Shelf {
    async fn send(&self, message: String, delay_seconds: u32) -> Result<(), String> {
        self.attempts.set(self.attempts.get() + 1);
        if self.is_down.get() {
            return Err("the queue is down".to_owned());
        }
        self.messages.borrow_mut().push((message, delay_seconds));
        Ok(())
    }
}
