//! What flows ask, by what they were answered.
//!
//! A flow is a function of its request, its time, its entropy and its answers. So what it asks next is found out once
//! for each sequence of answers, by running it anew with the recorded ones, and looked up ever after.

use std::collections::HashMap;

use proofkey_core::{Core, Entropy, Key, Request, Requirement, Step, StoreError, UnixTime, User, UserAnswer};

use super::stores::{Content, Row, Stores};
use super::wire::{Answered, CLIENT, ISSUER, REDIRECT_URI, Replies, STRANGER, Token, VERIFIER, form, guarded};

pub(super) const SUBJECT: &str = "ada";

/// What a client or an owner wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Wanted {
    Access(Token),
    Redeem,
    RedeemAsStranger,
    /// With a verifier that does not match.
    RedeemWrongly,
    Refresh(Token),
    RefreshAsStranger(Token),
    /// For one of the audiences.
    RefreshForOne(Token),
    /// Less than what was granted.
    RefreshNarrower(Token),
    /// More than what was granted.
    RefreshWider(Token),
    Revoke(Token),
    RevokeAsStranger(Token),
    RevokeGrant,
}

/// A flow before it begins: all that it is a function of, but its answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Call {
    pub(super) wanted: Wanted,
    pub(super) at: UnixTime,
    pub(super) seed: u8,
}

/// A flow after some answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Point(usize);

/// What a flow does next.
#[derive(Clone, Debug)]
pub(super) enum Ask {
    Done(Answered),
    Get(Key),
    Put(Row),
    User,
}

/// What it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Answer {
    Failed,
    Found(Option<Row>),
    Stored(bool),
    User,
}

struct Passed {
    call: Call,
    ask: Ask,
    answers: Vec<Answer>,
    marks: Marks,
    next: HashMap<Answer, Point>,
}

/// What can be told of a flow at the border of the store.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Marks {
    /// Calls of the store that were answered.
    pub(super) calls: usize,
    /// Whether what it read last is what the store held at the start.
    pub(super) read_start: bool,
    /// Whether it handed over a write that follows from what the store held at the start.
    pub(super) wrote_first: bool,
    /// Whether it handed over a write that follows from what another flow wrote.
    pub(super) wrote_again: bool,
    /// How often it was told that another write came first.
    pub(super) lost: usize,
    /// How often it was told of an error by a read or by the host.
    pub(super) failed_reads: usize,
    /// How often it was told of an error by a write: so many outcomes it does not know.
    pub(super) failed_writes: usize,
    /// Whether one of those writes follows from what the store held at the start.
    pub(super) unsure: bool,
}

impl Marks {
    pub(super) const fn with_write(mut self) -> Self {
        if self.read_start {
            self.wrote_first = true;
        } else {
            self.wrote_again = true;
        }
        self
    }
}

/// What a client holds beside its tokens.
#[derive(Clone, Default)]
pub(super) struct Held {
    pub(super) code: String,
    pub(super) grant: String,
}

/// The flows of one small world, and the store that they meet at.
pub(super) struct Flows {
    core: Core,
    pub(super) stores: Stores,
    pub(super) replies: Replies,
    pub(super) held: Held,
    /// What the store holds when the operations begin.
    pub(super) start: Content,
    begun: HashMap<Call, Point>,
    points: Vec<Passed>,
    ends: HashMap<(Call, Content), (Answered, Content)>,
}

impl Flows {
    pub(super) fn new(core: Core) -> Self {
        Self {
            core,
            stores: Stores::new(),
            replies: Replies::default(),
            held: Held::default(),
            start: Stores::EMPTY,
            begun: HashMap::new(),
            points: Vec::new(),
            ends: HashMap::new(),
        }
    }

    /// Where a flow is before its first answer.
    pub(super) fn begin(&mut self, call: Call) -> Point {
        match self.begun.get(&call) {
            Some(point) => *point,
            None => {
                let point = self.reach(call, Vec::new(), Marks::default());
                self.begun.insert(call, point);
                point
            }
        }
    }

    pub(super) fn ask(&self, point: Point) -> &Ask {
        &self.points[point.0].ask
    }

    pub(super) fn marks(&self, point: Point) -> Marks {
        self.points[point.0].marks
    }

    /// Where a flow is after one more answer.
    pub(super) fn answer(&mut self, point: Point, answer: Answer) -> Point {
        let passed = &self.points[point.0];
        if let Some(next) = passed.next.get(&answer) {
            return *next;
        }
        let mut marks = passed.marks;
        marks.calls += usize::from(!matches!(passed.ask, Ask::User));
        match (&passed.ask, answer) {
            (Ask::Put(_), answer) => {
                marks = marks.with_write();
                marks.lost += usize::from(answer == Answer::Stored(false));
                marks.failed_writes += usize::from(answer == Answer::Failed);
                marks.unsure |= answer == Answer::Failed && marks.read_start;
            }
            (_, Answer::Failed) => marks.failed_reads += 1,
            (_, Answer::Found(found)) => {
                marks.read_start = found.is_some_and(|row| self.stores.rows(self.start).contains(&row));
            }
            _ => {}
        }
        let answers = passed.answers.iter().copied().chain([answer]).collect();
        let next = self.reach(passed.call, answers, marks);
        self.points[point.0].next.insert(answer, next);
        next
    }

    /// Runs a flow to its end at a store that does not fail.
    pub(super) fn end(&mut self, call: Call, content: Content) -> (Answered, Content) {
        if let Some(known) = self.ends.get(&(call, content)) {
            return *known;
        }
        let (mut point, mut now) = (self.begin(call), content);
        let end = loop {
            let answer = match self.ask(point).clone() {
                Ask::Done(answered) => break (answered, now),
                Ask::Get(key) => Answer::Found(self.stores.get(now, &key)),
                Ask::Put(row) => {
                    let (stored, next) = self.stores.put(now, row);
                    now = next;
                    Answer::Stored(stored)
                }
                Ask::User => Answer::User,
            };
            point = self.answer(point, answer);
        };
        self.ends.insert((call, content), end);
        end
    }

    /// How many sequences of answers flows were run with.
    pub(super) fn len(&self) -> usize {
        self.points.len()
    }

    fn reach(&mut self, call: Call, answers: Vec<Answer>, marks: Marks) -> Point {
        let ask = self.run(call, &answers);
        self.points.push(Passed { call, ask, answers, marks, next: HashMap::new() });
        Point(self.points.len() - 1)
    }

    fn run(&mut self, call: Call, answers: &[Answer]) -> Ask {
        let Call { wanted, at, seed } = call;
        let (entropy, text) = (Entropy::from_driver([seed; 32]), |token| self.replies.text(token));
        let request = match wanted {
            Wanted::Access(token) => {
                let step = self.core.check_access(guarded(text(token)), Requirement::any(), at, entropy);
                return match replay(&mut self.stores, step, answers) {
                    Ok(outcome) => {
                        let scope =
                            outcome.map(|access| format!("{} for {}", access.scope(), access.audience().join(" ")));
                        Ask::Done(self.replies.called(&scope))
                    }
                    Err(ask) => ask,
                };
            }
            Wanted::RevokeGrant => {
                let step = self.core.revoke_grant(&self.held.grant, at, entropy);
                return match replay(&mut self.stores, step, answers) {
                    Ok(outcome) => Ask::Done(self.replies.called(&outcome.map(|_| String::new()))),
                    Err(ask) => ask,
                };
            }
            Wanted::Redeem => self.redeem(CLIENT, VERIFIER),
            Wanted::RedeemAsStranger => self.redeem(STRANGER, VERIFIER),
            Wanted::RedeemWrongly => self.redeem(CLIENT, &VERIFIER.to_uppercase()),
            Wanted::Refresh(token) => refresh(CLIENT, text(token), &[]),
            Wanted::RefreshAsStranger(token) => refresh(STRANGER, text(token), &[]),
            Wanted::RefreshForOne(token) => refresh(CLIENT, text(token), &[("resource", ISSUER)]),
            Wanted::RefreshNarrower(token) => refresh(CLIENT, text(token), &[("scope", "read")]),
            Wanted::RefreshWider(token) => refresh(CLIENT, text(token), &[("scope", "read write more")]),
            Wanted::Revoke(token) => form("/revoke", &[("client_id", CLIENT), ("token", text(token))]),
            Wanted::RevokeAsStranger(token) => form("/revoke", &[("client_id", STRANGER), ("token", text(token))]),
        };
        match replay(&mut self.stores, self.core.begin(request, at, entropy), answers) {
            Ok(response) => Ask::Done(self.replies.read(&response)),
            Err(ask) => ask,
        }
    }

    fn redeem(&self, client_id: &str, verifier: &str) -> Request {
        form(
            "/token",
            &[
                ("grant_type", "authorization_code"),
                ("client_id", client_id),
                ("code", &self.held.code),
                ("redirect_uri", REDIRECT_URI),
                ("code_verifier", verifier),
            ],
        )
    }

    /// Runs something that only prepares a world: with all that a store can do, and no record of it.
    pub(super) fn prepare<T>(&mut self, begin: impl FnOnce(&Core) -> Step<T>) -> T {
        let mut step = begin(&self.core);
        loop {
            step = match step {
                Step::Done(reply) => return reply.into_value(),
                Step::Find(find) => {
                    let keys = self.stores.find(self.start, find.query().owner());
                    find.answer(Ok(keys))
                }
                Step::Get(get) => {
                    let found = self.stores.get(self.start, get.key()).map(|row| self.stores.record(row));
                    get.answer(Ok(found))
                }
                Step::Put(put) => {
                    let row = self.stores.row(put.write());
                    let (stored, next) = self.stores.put(self.start, row);
                    self.start = next;
                    put.answer(Ok(stored))
                }
                Step::User(user) => user.answer(Ok(found())),
                other => other.decline(),
            };
        }
    }
}

fn refresh(client_id: &str, token: &str, further: &[(&str, &str)]) -> Request {
    let fields = [("grant_type", "refresh_token"), ("client_id", client_id), ("refresh_token", token)];
    form("/token", &[fields.as_slice(), further].concat())
}

fn found() -> UserAnswer {
    UserAnswer::Found(User::new(SUBJECT).with_username(SUBJECT))
}

/// Answers the steps of a flow with what was recorded: its end, or what it asks then. A step that no operation on a
/// grant takes is declined.
fn replay<T>(stores: &mut Stores, mut step: Step<T>, answers: &[Answer]) -> Result<T, Ask> {
    let mut answers = answers.iter();
    let failed = || StoreError::new("the store was told to fail");
    loop {
        let answer = match &step {
            Step::Done(_) | Step::Get(_) | Step::Put(_) | Step::User(_) => answers.next(),
            _ => None,
        };
        step = match (step, answer) {
            (Step::Done(reply), _) => return Ok(reply.into_value()),
            (Step::Get(get), None) => return Err(Ask::Get(get.key().clone())),
            (Step::Get(get), Some(Answer::Found(row))) => get.answer(Ok(row.map(|row| stores.record(row)))),
            (Step::Get(get), Some(_)) => get.answer(Err(failed())),
            (Step::Put(put), None) => return Err(Ask::Put(stores.row(put.write()))),
            (Step::Put(put), Some(Answer::Stored(stored))) => put.answer(Ok(*stored)),
            (Step::Put(put), Some(_)) => put.answer(Err(failed())),
            (Step::User(_), None) => return Err(Ask::User),
            (Step::User(user), Some(Answer::User)) => user.answer(Ok(found())),
            (Step::User(user), Some(_)) => user.answer(Err(failed())),
            (other, _) => other.decline(),
        };
    }
}
