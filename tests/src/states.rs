//! Every state that some flows can reach together, for flows of too many steps to walk through each of their orders.
//!
//! A flow is a function of its answers: where all have had the same answers and the store holds the same, whatever
//! follows is the same too. So orders that differ only in what does not matter, as in who of two reads first, are
//! walked once. And where what a flow does next concerns no other flow, nobody has to be let in before it. Every end that
//! any order leads to is shown, but for orders that differ only in steps of flows that never touch the same record.

use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};

use proofkey::core::{Key, Response, Step};
use proofkey::store::Store as _;

use crate::{Fault, People, Reply, Rows, answer};

/// A flow among others, whatever it ends in.
pub trait Party {
    /// What its end says; nothing before.
    fn reply(&self) -> Option<Reply>;
    /// What it is about to do: the kind of the call and its key.
    fn next(&self) -> (&'static str, Option<Key>);
    /// Takes its step.
    fn take(self: Box<Self>, rows: &Rows, people: &People, fault: Fault) -> Box<dyn Party>;
}

struct Walking<T> {
    step: Step<T>,
    end: fn(&T) -> Reply,
}

/// The flow of a request.
#[must_use]
pub fn request(step: Step) -> Box<dyn Party> {
    Box::new(Walking { step, end: |response| response.clone().into() })
}

/// The flow of a typed call: 200 where it was done, 503 where it was not.
#[must_use]
pub fn call<T: 'static, E: 'static>(step: Step<Result<T, E>>) -> Box<dyn Party> {
    fn reply<T, E>(outcome: &Result<T, E>) -> Reply {
        let mut response = Response::default();
        if outcome.is_err() {
            *response.status_mut() = http::StatusCode::SERVICE_UNAVAILABLE;
        }
        response.into()
    }
    Box::new(Walking { step, end: reply })
}

impl<T: 'static> Party for Walking<T> {
    fn reply(&self) -> Option<Reply> {
        match &self.step {
            Step::Done(reply) => Some((self.end)(reply.value())),
            _ => None,
        }
    }

    fn next(&self) -> (&'static str, Option<Key>) {
        match &self.step {
            Step::Delete(delete) => ("delete", Some(delete.key().clone())),
            Step::Find(_) => ("find", None),
            Step::Get(get) => ("get", Some(get.key().clone())),
            Step::Put(put) => ("put", Some(put.write().key().clone())),
            _ => ("other", None),
        }
    }

    fn take(self: Box<Self>, rows: &Rows, people: &People, fault: Fault) -> Box<dyn Party> {
        Box::new(Self { step: answer(rows, people, self.step, fault), end: self.end })
    }
}

/// A step that was taken: by which flow, what it was, on which key, and what the store did to it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Taken {
    /// Which of the flows.
    pub flow: usize,
    /// The call.
    pub call: &'static str,
    /// The key; empty where there is none.
    pub key: String,
}

/// How it ended.
#[non_exhaustive]
pub struct Met {
    /// What each flow answered.
    pub replies: Vec<Reply>,
    /// The store afterwards.
    pub rows: Rows,
    /// The steps that matter, one after the other.
    pub marked: Vec<Taken>,
    /// What happened, one after the other.
    pub moves: Vec<(usize, Fault)>,
}

impl Met {
    /// Whether nothing failed.
    #[must_use]
    pub fn is_faultless(&self) -> bool {
        self.moves.iter().all(|(_, fault)| *fault == Fault::None)
    }
}

/// Flows that meet at one store.
pub struct Meeting<'a> {
    rows: &'a Rows,
    people: &'a People,
    faults: usize,
    matters: fn(&Taken) -> bool,
}

/// What a flow touches, as was seen when the flows ran one after the other.
#[derive(Default)]
struct Touched {
    read: HashSet<String>,
    written: HashSet<String>,
    finds: bool,
}

impl Touched {
    /// Whether a step of another flow may matter to this one, or the other way round.
    fn minds(&self, call: &str, key: &str) -> bool {
        // Counters are found by no listing.
        let listed = |key: &str| !key.starts_with("l.");
        match call {
            "find" => self.written.iter().any(|key| listed(key)),
            "get" => self.written.contains(key),
            "put" | "delete" => self.read.contains(key) || self.written.contains(key) || (self.finds && listed(key)),
            _ => false,
        }
    }
}

struct State {
    flows: Vec<Box<dyn Party>>,
    /// What each flow has been answered.
    answers: Vec<DefaultHasher>,
    rows: Rows,
    marked: Vec<Taken>,
    moves: Vec<(usize, Fault)>,
}

impl<'a> Meeting<'a> {
    /// Each time from a copy of `rows`; the store fails at most `faults` times.
    #[must_use]
    pub const fn new(rows: &'a Rows, people: &'a People, faults: usize) -> Self {
        Self { rows, people, faults, matters: |_| false }
    }

    /// States that differ in the order of these steps are not the same; `check` is shown that order.
    #[must_use]
    pub const fn marking(mut self, matters: fn(&Taken) -> bool) -> Self {
        self.matters = matters;
        self
    }

    /// Walks through every state of the flows that `start` begins, and shows `check` each end. Returns how many ends.
    pub fn run(&self, start: impl Fn() -> Vec<Box<dyn Party>>, mut check: impl FnMut(&Met)) -> usize {
        let touched = self.touched(&start);
        let (mut seen, mut ends) = (HashSet::new(), 0);
        let mut waiting: Vec<Vec<(usize, Fault)>> = vec![Vec::new()];
        while let Some(moves) = waiting.pop() {
            let mut state = self.begin(start());
            for (flow, fault) in moves {
                self.step(&mut state, flow, fault);
            }
            while seen.insert(state.digest()) {
                let mut options = self.options(&state, &touched).into_iter();
                let Some(first) = options.next() else {
                    ends += 1;
                    let replies = state.flows.iter().filter_map(|flow| flow.reply()).collect();
                    check(&Met { replies, rows: state.rows, marked: state.marked, moves: state.moves });
                    break;
                };
                waiting.extend(options.map(|option| state.moves.iter().copied().chain([option]).collect()));
                self.step(&mut state, first.0, first.1);
            }
        }
        ends
    }

    fn begin(&self, flows: Vec<Box<dyn Party>>) -> State {
        let answers = flows.iter().map(|_| DefaultHasher::new()).collect();
        State { flows, answers, rows: self.rows.clone(), marked: Vec::new(), moves: Vec::new() }
    }

    fn step(&self, state: &mut State, at: usize, fault: Fault) {
        let flow = state.flows.remove(at);
        let (call, key) = flow.next();
        let taken = Taken { flow: at, call, key: key.as_ref().map(|key| key.as_str().to_owned()).unwrap_or_default() };
        let version = |rows: &Rows| {
            let found = key.as_ref().and_then(|key| rows.get(key).ok().flatten());
            found.map(|record| *record.version())
        };
        let before = version(&state.rows).map(|version| version.as_str().to_owned());
        let all = if call == "find" { digest(&state.rows) } else { 0 };
        state.flows.insert(at, flow.take(&state.rows, self.people, fault));
        let after = version(&state.rows).map(|version| version.as_str().to_owned());
        (&taken, before, after, all, fault as u8).hash(&mut state.answers[at]);
        if (self.matters)(&taken) {
            state.marked.push(taken);
        }
        state.moves.push((at, fault));
    }

    /// Runs the flows in each order of whole flows, and notes what each touches.
    fn touched(&self, start: &impl Fn() -> Vec<Box<dyn Party>>) -> Vec<Touched> {
        let count = start().len();
        let mut touched: Vec<Touched> = (0..count).map(|_| Touched::default()).collect();
        for first in 0..count {
            let mut state = self.begin(start());
            for at in (0..count).map(|at| (first + at) % count) {
                while state.flows[at].reply().is_none() {
                    let (call, key) = state.flows[at].next();
                    let key = key.map(|key| key.as_str().to_owned()).unwrap_or_default();
                    match call {
                        "find" => touched[at].finds = true,
                        "get" => drop(touched[at].read.insert(key)),
                        "put" | "delete" => drop(touched[at].written.insert(key)),
                        _ => {}
                    }
                    self.step(&mut state, at, Fault::None);
                }
            }
        }
        touched
    }

    fn options(&self, state: &State, touched: &[Touched]) -> Vec<(usize, Fault)> {
        let failed = state.moves.iter().filter(|(_, fault)| *fault != Fault::None).count();
        let open: Vec<usize> = (0..state.flows.len()).filter(|at| state.flows[*at].reply().is_none()).collect();
        let is_alone = |at: usize| {
            let (call, key) = state.flows[at].next();
            let key = key.as_ref().map(Key::as_str).unwrap_or_default();
            open.iter().all(|other| *other == at || !touched[*other].minds(call, key))
        };
        let alone = open.iter().copied().find(|at| is_alone(*at));
        let mut options = Vec::new();
        for at in open.iter().copied().filter(|at| alone.is_none_or(|alone| alone == *at)) {
            options.push((at, Fault::None));
            if failed < self.faults {
                match state.flows[at].next().0 {
                    "delete" | "put" => {
                        options.extend([Fault::Fail, Fault::Conflict, Fault::Lost].map(|one| (at, one)))
                    }
                    "find" | "get" => options.push((at, Fault::Fail)),
                    _ => {}
                }
            }
        }
        options
    }
}

impl State {
    fn digest(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        for answers in &self.answers {
            answers.finish().hash(&mut hasher);
        }
        (digest(&self.rows), &self.marked).hash(&mut hasher);
        hasher.finish()
    }
}

/// What a store holds: a version is written once.
fn digest(rows: &Rows) -> u64 {
    let mut hasher = DefaultHasher::new();
    for (key, record) in rows.all() {
        (key.as_str(), record.version().as_str()).hash(&mut hasher);
    }
    hasher.finish()
}
