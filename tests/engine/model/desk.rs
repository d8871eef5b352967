//! A run of the real engine in the form that a model checker needs: a value that can be copied,
//! compared and continued in more than one way.
//!
//! A future cannot be used like this. But the engine's behaviour is determined by the replies that
//! it gets, so a run is represented by the list of those replies. To continue a run, the engine is
//! started anew and given the same replies in the same order. It then makes the same requests as
//! before, followed by new ones.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use kit::requests::{Reply, Request, Requests, Responder};
use referee::engine::{Engine, Outcome};
use referee::runtime::error::Fatal;
use serde_json::value::{RawValue, to_raw_value};

use crate::model::table::Sealed;

/// The progress of a run.
#[expect(clippy::large_enum_variant, reason = "there is only one at a time")]
pub(crate) enum Progress {
    /// The run waits for these requests, each with its number among all requests of the run.
    Asking(Vec<(usize, Sealed<Request>)>),
    /// The run has finished.
    Done(Outcome),
}

/// Runs the engine on a record until it needs a reply that is not among these. Each reply has the
/// number of its request. The replies are in the order of their arrival.
pub(crate) fn run<'r>(
    engine: &Engine,
    record: &serde_json::Value,
    now_ms: i64,
    replies: impl IntoIterator<Item = (usize, &'r Reply)>,
) -> Progress {
    let record = to_raw_value(record).unwrap();
    let batch: [&RawValue; 1] = [&record];
    let requests = Requests::new(Desk::default(), now_ms);
    let mut processing = pin!(engine.process(&batch, &requests, &requests));
    let mut done = poll_until_quiet(processing.as_mut());
    for (number, reply) in replies {
        assert!(done.is_none(), "the engine is not deterministic");
        requests.responder.answer(number, reply.clone());
        done = poll_until_quiet(processing.as_mut());
    }
    done.map_or_else(
        || Progress::Asking(requests.responder.open()),
        |done| Progress::Done(done.unwrap()),
    )
}

fn poll_until_quiet<F>(mut processing: Pin<&mut F>) -> Option<Result<Outcome, Fatal>>
where
    F: Future<Output = Result<Outcome, Fatal>>,
{
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    loop {
        match processing.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(outcome) => return Some(outcome),
            Poll::Pending if woken.0.swap(false, Ordering::Relaxed) => {}
            Poll::Pending => return None,
        }
    }
}

#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Holds the engine's requests until they are answered.
#[derive(Default)]
struct Desk(RefCell<Vec<Call>>);

struct Call {
    request: Request,
    reply: Option<Reply>,
    is_answered: bool,
    waker: Option<Waker>,
}

impl Desk {
    fn answer(&self, number: usize, reply: Reply) {
        let waker = {
            let call = &mut self.0.borrow_mut()[number];
            (call.reply, call.is_answered) = (Some(reply), true);
            call.waker.take()
        };
        waker.expect("the engine waits for the answer").wake();
    }

    fn open(&self) -> Vec<(usize, Sealed<Request>)> {
        let calls = self.0.borrow();
        let open = calls.iter().enumerate().filter(|(_, call)| !call.is_answered);
        open.map(|(number, call)| (number, Sealed::new(call.request.clone()))).collect()
    }
}

impl Responder for Desk {
    async fn reply(&self, request: Request) -> Reply {
        let number = self.0.borrow().len();
        let call = Call { request, reply: None, is_answered: false, waker: None };
        self.0.borrow_mut().push(call);
        poll_fn(|context| {
            let call = &mut self.0.borrow_mut()[number];
            call.waker = Some(context.waker().clone());
            call.reply.take().map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }
}
