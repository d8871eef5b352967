//! The function, as Lambda runs it: one process for each concurrent invocation.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use kit::runtime_api::{Function, Invoked, KillSwitch, Log, Program};

/// The function's default timeout.
const TIMEOUT_MS: u64 = 30_000;

/// A function and its processes.
pub(crate) struct Lambda {
    program: RefCell<Program>,
    timeout: Cell<Duration>,
    idle: RefCell<Vec<Function>>,
    inits: Cell<usize>,
    pub(crate) kill: KillSwitch,
    pub(crate) log: Log,
}

impl Lambda {
    pub(crate) fn new(program: Program) -> Self {
        Self {
            program: RefCell::new(program),
            timeout: Cell::new(Duration::from_millis(TIMEOUT_MS)),
            idle: RefCell::default(),
            inits: Cell::default(),
            kill: KillSwitch::default(),
            log: Log::default(),
        }
    }

    /// Runs one invocation in an idle process, or in a new one if none is idle.
    pub(crate) async fn invoke(&self, payload: String) -> Invoked {
        let idle = self.idle.borrow_mut().pop();
        let mut function = idle.unwrap_or_else(|| {
            let program = self.program.borrow().clone();
            Function::sharing(program, self.kill.clone(), self.log.clone())
        });
        let before = function.inits();
        let invoked = function.invoke(payload, self.timeout.get()).await;
        self.inits.set(self.inits.get() + function.inits() - before);
        self.idle.borrow_mut().push(function);
        invoked
    }

    /// Sets an environment variable for all new processes, and ends the existing processes.
    pub(crate) fn set_env(&self, name: &str, value: &str) {
        self.recycle();
        self.program.replace_with(|program| program.clone().env(name, value));
    }

    /// Ends all processes, as Lambda does when they have been idle for a long time.
    pub(crate) fn recycle(&self) {
        self.idle.borrow_mut().clear();
    }

    pub(crate) fn set_timeout_ms(&self, timeout_ms: u64) {
        self.timeout.set(Duration::from_millis(timeout_ms));
    }

    /// Returns the number of processes that have been started.
    pub(crate) fn inits(&self) -> usize {
        self.inits.get()
    }
}
