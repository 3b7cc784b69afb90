//! The connections that plain HTTP has at a time on one worker, and which of them makes way for another.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use tokio::sync::Notify;

/// One worker's places.
pub(super) struct Places {
    max: usize,
    taken: RefCell<Taken>,
}

/// Who is where, by the number of the step since which it is there: the first has waited longest.
#[derive(Default)]
struct Taken {
    step: u64,
    /// They wait for a next request.
    idle: BTreeMap<u64, Rc<Notify>>,
    /// All others.
    busy: BTreeMap<u64, Rc<Notify>>,
}

/// One connection's place; given back when dropped.
pub(super) struct Place {
    places: Rc<Places>,
    step: Cell<u64>,
    lost: Rc<Notify>,
}

impl Places {
    pub(super) fn new(max: usize) -> Rc<Self> {
        Rc::new(Self { max, taken: RefCell::default() })
    }

    /// Takes a place. If there is none, the connection that has been idle for longest goes; and if none is idle, the one
    /// whose client keeps it waiting in the same step for longest.
    pub(super) fn take(self: &Rc<Self>) -> Place {
        let lost = Rc::new(Notify::new());
        let mut taken = self.taken.borrow_mut();
        if taken.idle.len() + taken.busy.len() >= self.max
            && let Some((_, loser)) = taken.idle.pop_first().or_else(|| taken.busy.pop_first())
        {
            loser.notify_one();
        }
        let step = taken.enter(false, lost.clone());
        drop(taken);
        Place { places: self.clone(), step: Cell::new(step), lost }
    }
}

impl Taken {
    fn enter(&mut self, idle: bool, lost: Rc<Notify>) -> u64 {
        self.step += 1;
        if idle { &mut self.idle } else { &mut self.busy }.insert(self.step, lost);
        self.step
    }

    fn leave(&mut self, step: u64) -> Option<Rc<Notify>> {
        self.idle.remove(&step).or_else(|| self.busy.remove(&step))
    }
}

impl Place {
    /// Says that a step of the connection begins, or that it moved in the one in which it is.
    pub(super) fn step(&self, idle: bool) {
        let mut taken = self.places.taken.borrow_mut();
        // Whoever has lost its place does not come back.
        if let Some(lost) = taken.leave(self.step.get()) {
            self.step.set(taken.enter(idle, lost));
        }
    }

    /// Waits until another connection has this place.
    pub(super) async fn lost(&self) {
        self.lost.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.taken.borrow_mut().leave(self.step.get());
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn lost(place: &Place) -> bool {
        place.lost().now_or_never().is_some()
    }

    #[test]
    fn the_oldest_idle_one_goes_and_without_one_who_waits_longest() {
        let places = Places::new(3);
        let (first, second, third) = (places.take(), places.take(), places.take());
        second.step(true);
        first.step(true);
        let fourth = places.take();
        assert!(lost(&second) && !lost(&first) && !lost(&third), "the second was idle before the first");
        first.step(false);
        second.step(false);
        let fifth = places.take();
        assert!(lost(&third) && !lost(&first) && !lost(&fourth), "nobody is idle: the third did not move for longest");
        drop((fourth, fifth));
        let (sixth, seventh) = (places.take(), places.take());
        assert!(!lost(&first) && !lost(&sixth) && !lost(&seventh), "two places had been given back");
    }
}
