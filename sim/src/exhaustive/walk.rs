//! Every schedule of some operations.
//!
//! Two prefixes of schedules that lead to the same state are gone on from once, and counted each: a state is how far
//! each flow has come (that is, all its answers), what the store holds, which writes may still land, how many faults
//! are left, and what the model knows of the past. All that can follow is a function of these.

use std::collections::{HashMap, HashSet};

use super::Violation;
use super::flows::{Answer, Ask, Point};
use super::model::{self, Broken, Model, Seen};
use super::start::{Operation, Start};
use super::stores::{Content, Row};
use super::wire::Answered;

/// What befalls one step of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// The store says that another write came first, and none did.
    Conflict,
    /// The process ends when the call has taken effect.
    CrashAfter,
    /// The process ends before the call.
    CrashBefore,
    /// The process ends, and the write lands later, or never.
    CrashLate,
    /// An error, and no effect.
    Fail,
    /// An error, and the write lands later, or never.
    Late,
    /// An error, after the call has taken effect.
    Lost,
    None,
}

use Fault::{Conflict, CrashAfter, CrashBefore, CrashLate, Fail, Late, Lost};

impl Fault {
    const fn text(self) -> &'static str {
        match self {
            Conflict => ", told that another came first",
            CrashAfter => ", done, and the process ends",
            CrashBefore => ", not done, for the process ends",
            CrashLate => ", on its way when the process ends",
            Fail => ", an error, and not done",
            Late => ", an error, and on its way",
            Lost => ", an error, and done",
            Self::None => "",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Place {
    Flow(Point),
    /// Its process has ended; whether with a write under way or done.
    Gone(Point, bool),
    Sweep,
    Swept,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Runner {
    place: Place,
    begun: bool,
    after: u8,
}

/// The most operations at once.
const OPERATIONS: usize = 3;
/// The most writes that may still land.
const LANDING: usize = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct State {
    runners: [Option<Runner>; OPERATIONS],
    content: Content,
    landing: [Option<Row>; LANDING],
    faults: usize,
}

#[derive(Clone, Copy)]
enum Move {
    Land(usize),
    Sweep(usize),
    Take(usize, Fault),
}

/// A move as the story tells it.
#[derive(Clone, Copy)]
struct Taken {
    moved: Move,
    call: &'static str,
    answered: Option<Answered>,
}

/// Numbers of schedules.
#[derive(Clone, Copy, Default)]
pub(super) struct Count {
    pub(super) schedules: u64,
    pub(super) broken: u64,
}

/// What clients can find out at each end of some operations.
pub(super) type Outcomes = HashSet<Vec<Option<Answered>>>;

pub(super) struct Walk<'a> {
    start: &'a mut Start,
    operations: &'a [Operation],
    /// What is found out without the sweep.
    without_sweep: Option<&'a Outcomes>,
    counts: HashMap<State, Count>,
    path: Vec<Taken>,
    told: HashSet<Broken>,
    faults: usize,
    end: End,
}

/// What a walk came to.
#[derive(Default)]
pub(super) struct End {
    pub(super) outcomes: Outcomes,
    pub(super) violations: Vec<Violation>,
    pub(super) states: usize,
    /// The states that schedules end in.
    pub(super) ends: usize,
    /// The most calls of the store that a flow made.
    pub(super) calls: usize,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        start: &'a mut Start,
        operations: &'a [Operation],
        faults: usize,
        without_sweep: Option<&'a Outcomes>,
    ) -> Self {
        Self {
            start,
            operations,
            without_sweep,
            counts: HashMap::new(),
            path: Vec::new(),
            told: HashSet::new(),
            faults,
            end: End::default(),
        }
    }

    pub(super) fn end(mut self) -> End {
        self.end.states = self.counts.len();
        self.end
    }

    /// Walks through all schedules.
    pub(super) fn run(&mut self) -> Count {
        let begin = self.begin();
        self.visit(begin)
    }

    fn begin(&mut self) -> State {
        let mut runners = [None; OPERATIONS];
        let mut earlier = Vec::new();
        for (runner, operation) in runners.iter_mut().zip(self.operations) {
            let kind = std::mem::discriminant(operation);
            let nth = earlier.iter().filter(|one| **one == kind).count();
            earlier.push(kind);
            let call = self.start.call(*operation, u8::try_from(nth).unwrap_or(0));
            let place = call.map_or(Place::Sweep, |call| Place::Flow(self.start.flows.begin(call)));
            *runner = Some(Runner { place, begun: false, after: 0 });
        }
        let content = self.start.flows.start;
        State { runners, content, landing: [None; LANDING], faults: self.faults }
    }

    fn visit(&mut self, state: State) -> Count {
        if let Some(count) = self.counts.get(&state) {
            return *count;
        }
        let seen = self.seen(&state);
        self.end.calls = seen.iter().map(|seen| seen.marks.calls).fold(self.end.calls, usize::max);
        let broken = Model::new(self.start, &seen, state.content, self.faults - state.faults, self.faults).now();
        let is_broken = !broken.is_empty();
        self.tell(broken);
        let mut count = Count::default();
        if state.runners.iter().flatten().all(|runner| self.has_ended(runner)) {
            self.end.ends += 1;
            let landing: Vec<Row> = state.landing.into_iter().flatten().collect();
            let mut broken = Model::new(self.start, &seen, state.content, self.faults - state.faults, self.faults)
                .afterwards(&landing);
            let outcome = model::outcome(self.start, &seen, state.content);
            if self.without_sweep.is_some_and(|outcomes| !outcomes.contains(&outcome)) {
                broken.push(Broken { invariant: "I18", text: "a sweep changes what clients find".to_owned() });
            }
            self.end.outcomes.insert(outcome);
            count = Count { schedules: 1, broken: u64::from(!broken.is_empty()) };
            self.tell(broken);
        }
        for moved in self.moves(&state) {
            let next = self.step(state, moved);
            let below = self.visit(next);
            self.path.pop();
            count.schedules += below.schedules;
            count.broken += below.broken;
        }
        if is_broken {
            count.broken = count.schedules;
        }
        self.counts.insert(state, count);
        count
    }

    fn has_ended(&self, runner: &Runner) -> bool {
        match runner.place {
            Place::Flow(point) => matches!(self.start.flows.ask(point), Ask::Done(_)),
            Place::Gone(..) | Place::Swept => true,
            Place::Sweep => false,
        }
    }

    fn moves(&self, state: &State) -> Vec<Move> {
        let mut moves = Vec::new();
        for (at, runner) in state.runners.iter().enumerate() {
            let Some(Runner { place, .. }) = runner else { continue };
            let point = match place {
                Place::Flow(point) => *point,
                Place::Sweep => {
                    moves.push(Move::Sweep(at));
                    continue;
                }
                Place::Gone(..) | Place::Swept => continue,
            };
            let faults: &[Fault] = match self.start.flows.ask(point) {
                Ask::Done(_) => continue,
                Ask::Get(_) | Ask::User => &[Fail, CrashBefore, CrashAfter],
                Ask::Put(_) => &[Conflict, Fail, Late, Lost, CrashBefore, CrashAfter, CrashLate],
            };
            moves.push(Move::Take(at, Fault::None));
            if state.faults > 0 {
                moves.extend(faults.iter().map(|fault| Move::Take(at, *fault)));
            }
        }
        moves.extend((0..LANDING).filter(|at| state.landing[*at].is_some()).map(Move::Land));
        moves
    }

    /// The state after a move, which goes to the end of the path.
    fn step(&mut self, mut state: State, moved: Move) -> State {
        let mut taken = Taken { moved, call: "", answered: None };
        match moved {
            Move::Land(at) => {
                if let Some(row) = state.landing[at].take() {
                    state.content = self.start.flows.stores.put(state.content, row).1;
                }
                state.landing.sort_unstable_by_key(|row| row.is_none());
            }
            Move::Sweep(at) => {
                if let (Some(runner), Operation::Sweep(which)) = (&mut state.runners[at], self.operations[at]) {
                    runner.place = Place::Swept;
                    let clock = self.start.sweeps[which];
                    state.content = self.start.flows.stores.sweep(state.content, clock);
                }
            }
            Move::Take(at, fault) => (taken.call, taken.answered) = self.take(&mut state, at, fault),
        }
        self.path.push(taken);
        state
    }

    fn take(&mut self, state: &mut State, at: usize, fault: Fault) -> (&'static str, Option<Answered>) {
        let before = state.runners.iter().enumerate().filter(|(_, runner)| {
            runner.is_some_and(|runner| matches!(runner.place, Place::Flow(_)) && self.has_ended(&runner))
        });
        let before = before.fold(0, |before, (other, _)| before | 1 << other);
        let flows = &mut self.start.flows;
        let Some(runner) = &mut state.runners[at] else { return ("", None) };
        let Place::Flow(point) = runner.place else { return ("", None) };
        if !runner.begun {
            (runner.begun, runner.after) = (true, before);
        }
        state.faults -= usize::from(fault != Fault::None);
        let (call, answer) = match flows.ask(point).clone() {
            Ask::Done(_) => return ("", None),
            Ask::Get(key) => ("get", Answer::Found(flows.stores.get(state.content, &key))),
            Ask::User => ("user", Answer::User),
            Ask::Put(row) => {
                let stored = match fault {
                    Fault::None | Lost | CrashAfter => {
                        let (stored, next) = flows.stores.put(state.content, row);
                        state.content = next;
                        stored
                    }
                    Late | CrashLate => {
                        if let Some(free) = state.landing.iter_mut().find(|free| free.is_none()) {
                            *free = Some(row);
                        }
                        state.landing.sort_unstable_by_key(|row| (row.is_none(), *row));
                        false
                    }
                    Conflict | CrashBefore | Fail => false,
                };
                ("put", Answer::Stored(stored))
            }
        };
        let is_write = call == "put";
        runner.place = match fault {
            CrashBefore => Place::Gone(point, false),
            CrashAfter | CrashLate => Place::Gone(point, is_write),
            Fail | Late | Lost => Place::Flow(flows.answer(point, Answer::Failed)),
            Conflict | Fault::None => Place::Flow(flows.answer(point, answer)),
        };
        let answered = match runner.place {
            Place::Flow(point) => match flows.ask(point) {
                Ask::Done(answered) => Some(*answered),
                _ => None,
            },
            _ => None,
        };
        (call, answered)
    }

    fn seen(&self, state: &State) -> Vec<Seen> {
        let runners = state.runners.iter().flatten().zip(self.operations);
        runners
            .map(|(runner, operation)| {
                let flows = &self.start.flows;
                let (answered, marks) = match runner.place {
                    Place::Flow(point) => match flows.ask(point) {
                        Ask::Done(answered) => (Some(*answered), flows.marks(point)),
                        _ => (None, flows.marks(point)),
                    },
                    Place::Gone(point, true) => (None, flows.marks(point).with_write()),
                    Place::Gone(point, false) => (None, flows.marks(point)),
                    Place::Sweep | Place::Swept => (None, Default::default()),
                };
                let Runner { after, .. } = *runner;
                Seen { operation: *operation, answered, after, marks }
            })
            .collect()
    }

    /// Notes what is wrong with the state that the path leads to: each thing once, by the first path that was walked.
    fn tell(&mut self, broken: Vec<Broken>) {
        for broken in broken {
            if !self.told.insert(broken.clone()) {
                continue;
            }
            let moves = self.path.iter().map(|taken| self.story(*taken)).collect();
            let operations = self.operations.iter().map(|one| self.start.describe(*one)).collect();
            let Broken { invariant, text } = broken;
            self.end.violations.push(Violation { invariant, text, start: self.start.name, operations, moves });
        }
    }

    fn story(&self, taken: Taken) -> String {
        let who = |at: usize| {
            let operation = self.operations[at];
            format!("{} {}", at + 1, self.start.describe(operation))
        };
        match taken.moved {
            Move::Land(_) => "a write lands".to_owned(),
            Move::Sweep(at) => who(at),
            Move::Take(at, fault) => {
                let told = taken.answered.map(|answered| {
                    let reply = self.start.flows.replies.reply(answered);
                    let tokens = [reply.access, reply.refresh].into_iter().flatten().map(|token| token.name());
                    let tokens: Vec<String> = tokens.collect();
                    format!("; answers {} {}{}", reply.status, reply.error, tokens.join(", "))
                });
                format!("{}: {}{}{}", who(at), taken.call, fault.text(), told.unwrap_or_default())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Walks through every schedule by itself: how many there are, and the states that they end in.
    fn one_by_one(walk: &mut Walk<'_>, state: State, ends: &mut HashSet<State>) -> u64 {
        let mut schedules = 0;
        if state.runners.iter().flatten().all(|runner| walk.has_ended(runner)) {
            ends.insert(state);
            schedules = 1;
        }
        for moved in walk.moves(&state) {
            let next = walk.step(state, moved);
            schedules += one_by_one(walk, next, ends);
        }
        schedules
    }

    #[test]
    fn going_on_from_a_state_once_counts_and_ends_as_walking_each_schedule_by_itself() {
        use Operation::{Redeem, Refresh, Revoke, Sweep};
        for begin in Start::all() {
            let mut start = begin();
            for operations in [vec![Redeem, Revoke(0)], vec![Redeem, Redeem, Sweep(0)], vec![Refresh(0), Revoke(0)]] {
                if start.refreshes.is_empty() && operations.contains(&Refresh(0)) {
                    continue;
                }
                let mut walk = Walk::new(&mut start, &operations, 1, None);
                let (merged, begin, mut ends) = (walk.run(), walk.begin(), HashSet::new());
                let walked = one_by_one(&mut walk, begin, &mut ends);
                assert_eq!((merged.schedules, walk.end.ends), (walked, ends.len()), "{operations:?}");
            }
        }
    }
}
