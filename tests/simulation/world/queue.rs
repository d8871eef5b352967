//! A queue on which suspects wait, as SQS delivers it: at least once, in any order, not before the
//! delay of a message is over.

use std::cell::RefCell;
use std::future::pending;
use std::rc::Rc;

use referee::runtime::queue::Queue;

use crate::broken::Part;
use crate::sky::Environment;

/// How long a message is invisible after a failed delivery, in milliseconds.
const INVISIBLE_MS: i64 = 30_000;

/// A message, and the true time from which it may be delivered.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) text: Rc<str>,
    visible_ms: i64,
}

/// A queue.
#[derive(Debug)]
pub(super) struct Waiting {
    environment: Rc<Environment>,
    messages: RefCell<Vec<Message>>,
}

impl Waiting {
    pub(super) fn new(environment: Rc<Environment>) -> Self {
        Self { environment, messages: RefCell::default() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.messages.borrow().is_empty()
    }

    /// The places of the messages that can be delivered now.
    pub(super) fn ready(&self) -> Vec<usize> {
        let now_ms = self.environment.now_ms.get();
        let messages = self.messages.borrow();
        let placed = messages.iter().enumerate();
        placed.filter(|(_, it)| it.visible_ms <= now_ms).map(|(place, _)| place).collect()
    }

    /// The time at which the next message can be delivered.
    pub(super) fn next_ms(&self) -> Option<i64> {
        self.messages.borrow().iter().map(|message| message.visible_ms).min()
    }

    /// Takes a message for a delivery. It may stay on the queue, to be delivered once more.
    pub(super) fn take(&self, place: usize) -> Message {
        let message = self.messages.borrow_mut().remove(place);
        if self.environment.happens(self.environment.rates.get().repeats) {
            self.environment.count_event("messages delivered twice");
            self.messages.borrow_mut().push(message.clone());
        }
        message
    }

    /// Puts a message back whose delivery failed.
    pub(super) fn put_back(&self, message: Message) {
        if self.environment.broken == Some(Part::Redelivery) {
            return;
        }
        self.environment.count_event("messages returned");
        let visible_ms = self.environment.now_ms.get() + INVISIBLE_MS;
        self.messages.borrow_mut().push(Message { visible_ms, ..message });
    }
}

impl Queue for Waiting {
    async fn send(&self, message: String, delay_seconds: u32) -> Result<(), String> {
        let Self { environment, messages } = self;
        environment.take_turns().await;
        let rates = environment.rates.get();
        let is_stored = !environment.happens(rates.refusals);
        if is_stored && environment.broken != Some(Part::Queue) {
            environment.count_event("messages sent");
            let visible_ms = environment.now_ms.get() + i64::from(delay_seconds) * 1_000;
            messages.borrow_mut().push(Message { text: message.into(), visible_ms });
        }
        if environment.happens(rates.crashes) {
            environment.has_crashed.set(true);
            environment.count_event("crashes");
            pending::<()>().await;
        }
        if !is_stored {
            environment.count_event("messages refused");
            return Err("the queue is down".to_owned());
        }
        if environment.happens(rates.refusals) {
            environment.count_event("messages whose acceptance was lost");
            return Err("the request timed out".to_owned());
        }
        Ok(())
    }
}
