//! What a server of the tests is built on, whichever driver it has.

use std::sync::{Arc, Mutex, PoisonError};

use proofkey::store::Store;
use proofkey::testing::FakeClock;
use proofkey::{Builder, Event};

use crate::world::configure;
use crate::world_file::world_file;
use crate::{Faulty, People};

/// The parts of the world that a test moves by hand.
pub(crate) struct Surroundings {
    pub(crate) store: Arc<Faulty>,
    pub(crate) clock: FakeClock,
    pub(crate) people: People,
    pub(crate) events: Events,
}

/// The events that a server told of; clones share them.
#[derive(Clone, Default)]
pub(crate) struct Events(Arc<Mutex<Vec<Event>>>);

impl Surroundings {
    /// Fresh surroundings over a store, and the builder of a server that lives in them; its users are not set yet.
    pub(crate) fn of<S>(builder: Builder<S>, store: Arc<dyn Store>) -> (Builder<S>, Self) {
        let file = world_file();
        let (clock, people, events) = (FakeClock::at(file.start), People::default(), Events::default());
        let store = Arc::new(Faulty::around(store));
        let noted = events.clone();
        let builder = configure(builder)
            .store(Arc::clone(&store))
            .clock(clock.clone())
            .seed(file.seed)
            .on_event(move |event| noted.0.lock().unwrap_or_else(PoisonError::into_inner).push(event.clone()));
        (builder, Self { store, clock, people, events })
    }
}

impl Events {
    /// The events since the last time this was asked.
    pub(crate) fn take(&self) -> Vec<Event> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
