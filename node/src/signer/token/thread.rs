//! A thread that answers one question at a time, and may take any time for it; whoever asks waits
//! for a bounded time.

use std::{
    io, mem,
    sync::{
        Mutex, PoisonError,
        mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel},
    },
    thread,
    time::Duration,
};

/// How long the end of a thread may take that is asked nothing.
const FAREWELL: Duration = Duration::from_secs(1);

/// Answers questions, one after the other.
pub type Answers<Q, A> = Box<dyn FnMut(Q) -> A + Send>;

/// Why there is no answer.
#[derive(Debug)]
pub enum Silence {
    /// It took longer than it may, for this question or for one before. It is not asked again until
    /// it has answered.
    Late,
    /// It panicked. Another one is started for the next question.
    Failed,
    /// The system gives no thread.
    NoThread(io::Error),
}

/// A thread that is started for the first question.
pub struct Thread<Q, A> {
    name: &'static str,
    make: Box<dyn Fn() -> Answers<Q, A> + Send + Sync>,
    running: Mutex<Option<Running<Q, A>>>,
}

struct Running<Q, A> {
    questions: Sender<Q>,
    answers: Receiver<A>,
    /// Whether the last question was not answered in time.
    is_late: bool,
}

/// What a thread holds is given back before it is gone: not while the process ends, when the
/// library that it calls may be gone. One that is late is left alone.
impl<Q, A> Drop for Running<Q, A> {
    fn drop(&mut self) {
        drop(mem::replace(&mut self.questions, channel().0));
        if !self.is_late {
            let _ = self.answers.recv_timeout(FAREWELL);
        }
    }
}

impl<Q: Send + 'static, A: Send + 'static> Thread<Q, A> {
    /// What `make` makes answers, in a thread of this name.
    pub fn new(
        name: &'static str,
        make: impl Fn() -> Answers<Q, A> + Send + Sync + 'static,
    ) -> Self {
        Thread {
            name,
            make: Box::new(make),
            running: Mutex::default(),
        }
    }

    /// Asks, and waits for the answer no longer than `patience`. An answer that comes later is
    /// dropped.
    pub fn ask(&self, question: Q, patience: Duration) -> Result<A, Silence> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let mut one = match running.take() {
            Some(one) => one,
            None => self.start().map_err(Silence::NoThread)?,
        };
        if one.is_late {
            match one.answers.try_recv() {
                Ok(_) => one.is_late = false,
                Err(TryRecvError::Disconnected) => return Err(Silence::Failed),
                Err(TryRecvError::Empty) => {
                    *running = Some(one);
                    return Err(Silence::Late);
                }
            }
        }
        // One that ended does not answer, either.
        let _ = one.questions.send(question);
        match one.answers.recv_timeout(patience) {
            Ok(answer) => {
                *running = Some(one);
                Ok(answer)
            }
            Err(RecvTimeoutError::Disconnected) => Err(Silence::Failed),
            Err(RecvTimeoutError::Timeout) => {
                one.is_late = true;
                *running = Some(one);
                Err(Silence::Late)
            }
        }
    }

    fn start(&self) -> io::Result<Running<Q, A>> {
        let (questions, asked) = channel();
        let (answer, answers) = channel();
        let mut make = (self.make)();
        let run = move || {
            for question in asked {
                if answer.send(make(question)).is_err() {
                    break;
                }
            }
            drop(make);
            drop(answer);
        };
        let builder = thread::Builder::new().name(self.name.into());
        builder.spawn(run)?;
        Ok(Running {
            questions,
            answers,
            is_late: false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    };

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn who_is_late_is_asked_again_when_it_has_answered() {
        let (go_on, wait) = channel::<()>();
        let (asked, is_asked) = channel();
        let wait = Mutex::new(Some(wait));
        let thread = Thread::new("test", move || {
            let wait = wait.lock().unwrap().take().unwrap();
            let asked = asked.clone();
            Box::new(move |question: u32| {
                asked.send(question).unwrap();
                if question < 3 {
                    wait.recv().unwrap();
                }
                question * 2
            })
        });
        let late = thread.ask(1, Duration::ZERO);
        assert!(matches!(late, Err(Silence::Late)), "{late:?}");
        assert_eq!(is_asked.recv(), Ok(1));
        // Not asked, and not waited for.
        let late = thread.ask(2, LONG);
        assert!(matches!(late, Err(Silence::Late)), "{late:?}");
        go_on.send(()).unwrap();
        // The answer to the first question is none to this one.
        let answer = loop {
            match thread.ask(3, LONG) {
                Err(Silence::Late) => thread::yield_now(),
                answer => break answer,
            }
        };
        assert_eq!(answer.unwrap(), 6);
        assert_eq!(is_asked.recv(), Ok(3));
    }

    /// Says when it is dropped.
    struct Told(Arc<AtomicBool>);

    impl Drop for Told {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }

    #[test]
    fn what_a_thread_holds_is_given_back_before_it_is_gone() {
        let is_gone = Arc::new(AtomicBool::new(false));
        let shared = is_gone.clone();
        let thread = Thread::new("test", move || {
            let told = Told(shared.clone());
            Box::new(move |question: u32| {
                let _held = &told;
                question
            })
        });
        assert_eq!(thread.ask(1, LONG).unwrap(), 1);
        assert!(!is_gone.load(Ordering::SeqCst));
        drop(thread);
        assert!(is_gone.load(Ordering::SeqCst));
    }

    #[test]
    fn after_a_panic_another_thread_is_started() {
        let thread = Thread::new("test", || {
            Box::new(|question: u32| {
                assert!(question != 1, "this panic is the test");
                question
            })
        });
        assert_eq!(thread.ask(2, LONG).unwrap(), 2);
        let failed = thread.ask(1, LONG);
        assert!(matches!(failed, Err(Silence::Failed)), "{failed:?}");
        assert_eq!(thread.ask(3, LONG).unwrap(), 3);
    }
}
