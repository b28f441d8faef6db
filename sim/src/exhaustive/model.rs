//! What must hold, by the answers that clients got and by what a fresh flow is told on a copy of the store. Records of
//! the core are not looked at.

use proofkey_core::UnixTime;

use super::flows::{Call, Marks, Wanted};
use super::start::{Judgement, Operation, Presented, Start};
use super::stores::Content;
use super::wire::{Answered, Reply, Token};

/// Calls of the store that an operation may take (invariant I19): it reads and writes once; each other operation, of
/// which none writes more than once with effect, and each fault may cost it two more.
const fn most_calls(others: usize, faults: usize) -> usize {
    2 + 2 * (others + faults)
}

/// One operation as it can be seen from outside.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) operation: Operation,
    pub(super) answered: Option<Answered>,
    /// Operations, one bit each, that had been answered when this one began.
    pub(super) after: u8,
    pub(super) marks: Marks,
}

/// An invariant that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Broken {
    pub(super) invariant: &'static str,
    pub(super) text: String,
}

/// One state of a small world, and what is wrong with it.
pub(super) struct Model<'a> {
    pub(super) start: &'a mut Start,
    pub(super) seen: &'a [Seen],
    pub(super) content: Content,
    most_calls: usize,
    /// How many faults there were.
    faults: usize,
    pub(super) broken: Vec<Broken>,
}

/// How many lost races end an operation in a 503 (the default of `store_attempts`).
const ATTEMPTS: usize = 4;
/// The entropy of fresh flows: what differs by it is fresh too.
pub(super) const SEEDS: [u8; 2] = [90, 91];
const WHOLE: &str = "read write";

impl<'a> Model<'a> {
    /// `faults`: how many there were so far; `at_most`: how many there could have been.
    pub(super) const fn new(
        start: &'a mut Start,
        seen: &'a [Seen],
        content: Content,
        faults: usize,
        at_most: usize,
    ) -> Self {
        let most_calls = most_calls(seen.len().saturating_sub(1), at_most);
        Self { start, seen, content, most_calls, faults, broken: Vec::new() }
    }

    /// What does not hold, whatever happens next.
    pub(super) fn now(mut self) -> Vec<Broken> {
        for at in 0..self.seen.len() {
            if self.seen[at].marks.calls > self.most_calls {
                self.breaks("I19", format!("an operation makes {} calls of the store", self.seen[at].marks.calls));
            }
            if let Some(reply) = self.reply(at) {
                self.answer(at, &reply);
            }
        }
        self.successors();
        self.lives();
        self.broken
    }

    pub(super) fn breaks(&mut self, invariant: &'static str, text: impl Into<String>) {
        self.broken.push(Broken { invariant, text: text.into() });
    }

    fn reply(&self, at: usize) -> Option<Reply> {
        self.seen[at].answered.map(|answered| self.start.flows.replies.reply(answered).clone())
    }

    pub(super) fn status(&self, seen: &Seen) -> u16 {
        seen.answered.map_or(0, |answered| self.start.flows.replies.reply(answered).status)
    }

    pub(super) fn presented(&self, operation: Operation) -> Option<Presented> {
        match operation {
            Operation::Refresh(which) => Some(self.start.refreshes[which]),
            _ => None,
        }
    }

    pub(super) fn judged(&self, seen: &Seen, judgement: Judgement) -> bool {
        self.presented(seen.operation).is_some_and(|presented| presented.judgement == judgement)
    }

    pub(super) const fn wrote(seen: &Seen) -> bool {
        seen.marks.wrote_first || seen.marks.wrote_again
    }

    pub(super) fn any(&self, is: impl Fn(&Seen) -> bool) -> bool {
        self.seen.iter().any(is)
    }

    /// Whether an operation may have ended the grant by now.
    pub(super) fn may_have_ended(&self) -> bool {
        // The second redemption, and without leeway the second refresh: not one that knows of the first by its own
        // write, whose outcome it does not know.
        let second = |seen: &Seen| seen.marks.wrote_again && !seen.marks.unsure;
        self.any(|seen| match seen.operation {
            Operation::Redeem if self.start.spent => Self::wrote(seen),
            Operation::Redeem => second(seen),
            Operation::Refresh(_) if self.judged(seen, Judgement::Theft) => Self::wrote(seen),
            Operation::Refresh(_) => self.start.strict && second(seen),
            Operation::Revoke(_) => Self::wrote(seen),
            Operation::Sweep(_) => false,
        })
    }

    /// The invariant by which an answer says that the grant has ended.
    fn says_ended(&self, seen: &Seen) -> Option<&'static str> {
        match (seen.operation, self.status(seen)) {
            (Operation::Revoke(_), 200) => Some("I12"),
            (Operation::Redeem, 400) => Some("I3"),
            (Operation::Refresh(_), 400) => match self.presented(seen.operation)?.judgement {
                Judgement::Theft => Some("I8"),
                Judgement::Current => Some("I17"),
                Judgement::Repeat | Judgement::Stale => None,
            },
            _ => None,
        }
    }

    pub(super) fn rotated(&self) -> bool {
        self.any(|seen| self.judged(seen, Judgement::Current) && Self::wrote(seen))
    }

    /// Each answer by itself.
    fn answer(&mut self, at: usize, reply: &Reply) {
        let seen = self.seen[at];
        let ended = self.start.over || self.may_have_ended();
        let began_after = |other: usize| seen.after & (1 << other) != 0;
        match (reply.status, &*reply.error) {
            (200, _) => {}
            (400, "invalid_grant") => {
                let may = match (seen.operation, self.presented(seen.operation).map(|one| one.judgement)) {
                    (Operation::Redeem, _) | (_, Some(Judgement::Current)) => ended,
                    (_, Some(Judgement::Repeat)) => ended || self.rotated(),
                    (_, judgement) => judgement.is_some(),
                };
                if !may {
                    self.breaks("I17", "a good code or token is refused, or a revocation");
                }
                return;
            }
            (503, "temporarily_unavailable") => {
                let Marks { failed_reads, failed_writes, lost, .. } = seen.marks;
                if failed_reads + failed_writes == 0 && lost < ATTEMPTS {
                    self.breaks("I19", "an operation fails though its store did not");
                }
                // It repeats the write, and finds that out.
                let alone = (0..self.seen.len()).all(|other| other == at || !Self::wrote(&self.seen[other]));
                if alone && failed_writes == 1 && self.faults == 1 {
                    self.breaks("I17", "an operation does not find out what became of its write");
                }
                return;
            }
            other => return self.breaks("I24", format!("an answer that nobody expects: {other:?}")),
        }
        if matches!(seen.operation, Operation::Revoke(_)) {
            return;
        }
        let earlier = (0..self.seen.len()).filter(|other| began_after(*other));
        for invariant in earlier.filter_map(|other| self.says_ended(&self.seen[other])).collect::<Vec<_>>() {
            self.breaks(invariant, "a request that began after the grant was said to have ended is granted");
        }
        if self.start.over {
            self.breaks("I4", "what has expired, or was revoked, is granted");
        }
        let (Some(_), Some(refresh)) = (reply.access, reply.refresh) else {
            return self.breaks("I24", "an answer lacks tokens");
        };
        let Some(presented) = self.presented(seen.operation) else {
            let redeemed = |one: &Seen| one.operation == Operation::Redeem && self.status(one) == 200;
            if self.start.spent || self.seen.iter().filter(|one| redeemed(one)).count() > 1 {
                self.breaks("I1", "a code is redeemed twice");
            }
            return self.scope(reply, WHOLE);
        };
        self.scope(reply, if presented.narrower { "read" } else { WHOLE });
        match presented.judgement {
            Judgement::Current => {}
            Judgement::Repeat => {
                let Some((access, current)) = self.start.tokens.last().copied() else { return };
                if refresh != current {
                    self.breaks("I6", "the predecessor gets another successor");
                }
                if (reply.access == Some(access)) == presented.narrower {
                    self.breaks("I10", "the repeat gets the access token of another request, or another for its own");
                }
                let used = |other: &usize| self.judged(&self.seen[*other], Judgement::Current);
                if (0..self.seen.len())
                    .filter(used)
                    .any(|other| began_after(other) && self.status(&self.seen[other]) == 200)
                {
                    self.breaks("I8", "a token is answered after its successor was used");
                }
            }
            Judgement::Stale | Judgement::Theft => self.breaks("I8", "a token that was retired before is answered"),
        }
    }

    fn scope(&mut self, reply: &Reply, expected: &str) {
        if reply.scope != expected {
            self.breaks("I10", format!("the scope is {:?}, not {expected:?}", reply.scope));
        }
    }

    /// Answers to refreshes of the same token beside each other.
    fn successors(&mut self) {
        let granted = |seen: &Seen| Some((self.presented(seen.operation)?, seen.answered?));
        let all: Vec<(Presented, Reply)> = self
            .seen
            .iter()
            .filter_map(granted)
            .map(|(presented, answered)| (presented, self.start.flows.replies.reply(answered).clone()))
            .filter(|(_, reply)| reply.status == 200)
            .collect();
        for (at, (one, first)) in all.iter().enumerate() {
            for (other, second) in all.iter().skip(at + 1).filter(|(other, _)| other.token == one.token) {
                if first.refresh != second.refresh {
                    self.breaks("I6", "a refresh token has two successors");
                } else if self.start.strict {
                    self.breaks("I8", "a refresh token is answered twice, and there is no leeway");
                }
                if (first.access == second.access) != (one.narrower == other.narrower) {
                    self.breaks("I10", "two requests share an access token, or one gets two");
                }
            }
        }
    }

    /// What is alive, and what is dead.
    fn lives(&mut self) {
        let ended = self.seen.iter().find_map(|seen| self.says_ended(seen));
        let given: Vec<(Token, Token)> = self.given();
        if let Some(invariant) = ended.or_else(|| self.start.over.then_some("I4")) {
            let known: Vec<(Token, Token)> = self.start.tokens.iter().copied().chain(given).collect();
            if let Some(what) = self.alive(&known, self.content) {
                self.breaks(invariant, format!("{what} works after the grant ended"));
            }
            return;
        }
        let start: Vec<Token> = self.start.tokens.iter().map(|(access, _)| *access).collect();
        let begin = self.start.flows.start;
        let mut expected: Vec<Token> = start.into_iter().filter(|token| self.access_works(*token, begin)).collect();
        expected.extend(given.iter().map(|(access, _)| *access));
        let working = expected.iter().filter(|token| self.access_works(**token, self.content)).count();
        let may_have_ended = self.may_have_ended();
        if working < expected.len() && (working > 0 || !may_have_ended) {
            let invariant = if may_have_ended { "I16" } else { "I17" };
            self.breaks(invariant, "an access token that was given out does not work");
        }
        // The refresh token lives and dies with them.
        let protected = given.last().or_else(|| self.start.tokens.last()).map(|(_, refresh)| *refresh);
        if let Some(refresh) = protected.filter(|_| !expected.is_empty() && !self.start.strict) {
            let refreshes = self.tell(Wanted::Refresh(refresh), self.start.later, self.content).0.status == 200;
            if refreshes != (working > 0) {
                self.breaks("I16", "the refresh token works and the access tokens do not, or the other way round");
            }
        }
    }

    /// Access and refresh tokens that operations were answered.
    pub(super) fn given(&self) -> Vec<(Token, Token)> {
        let replies = self.seen.iter().filter_map(|seen| seen.answered);
        replies
            .filter_map(|answered| {
                let reply = self.start.flows.replies.reply(answered);
                reply.access.zip(reply.refresh)
            })
            .collect()
    }

    /// A fresh flow on a copy: what it is told, and what the copy holds then.
    pub(super) fn tell(&mut self, wanted: Wanted, at: UnixTime, content: Content) -> (Reply, Content) {
        let (answered, next) = self.start.flows.end(Call { wanted, at, seed: SEEDS[0] }, content);
        (self.start.flows.replies.reply(answered).clone(), next)
    }

    pub(super) fn is_granted(&mut self, wanted: Wanted, at: UnixTime, content: Content) -> bool {
        let (answered, _) = self.start.flows.end(Call { wanted, at, seed: SEEDS[0] }, content);
        self.start.flows.replies.reply(answered).status == 200
    }

    pub(super) fn access_works(&mut self, token: Token, content: Content) -> bool {
        self.is_granted(Wanted::Access(token), self.start.later, content)
    }

    /// What of the grant works: nothing is as it should be.
    pub(super) fn alive(&mut self, known: &[(Token, Token)], content: Content) -> Option<String> {
        let later = self.start.later;
        let wanted = known.iter().flat_map(|(access, refresh)| [Wanted::Access(*access), Wanted::Refresh(*refresh)]);
        let wanted: Vec<Wanted> = wanted.chain([Wanted::Redeem]).collect();
        let works = wanted.into_iter().find(|wanted| self.is_granted(*wanted, later, content))?;
        Some(match works {
            Wanted::Access(token) => format!("access {}", token.name()),
            Wanted::Refresh(token) => format!("refresh {}", token.name()),
            _ => "the code".to_owned(),
        })
    }
}

/// What all clients can find out at an end: the same with and without a sweep (invariant I18).
pub(super) fn outcome(start: &mut Start, seen: &[Seen], content: Content) -> Vec<Option<Answered>> {
    let flows = seen.iter().filter(|seen| !matches!(seen.operation, Operation::Sweep(_)));
    let mut outcome: Vec<Option<Answered>> = flows.map(|seen| seen.answered).collect();
    let given = seen.iter().filter_map(|seen| seen.answered).filter_map(|answered| {
        let reply = start.flows.replies.reply(answered);
        reply.access.zip(reply.refresh)
    });
    let known: Vec<(Token, Token)> = start.tokens.iter().copied().chain(given).collect();
    let wanted = known.iter().flat_map(|(access, refresh)| [Wanted::Access(*access), Wanted::Refresh(*refresh)]);
    let later = start.later;
    for wanted in wanted.chain([Wanted::Redeem]) {
        outcome.push(Some(start.flows.end(Call { wanted, at: later, seed: SEEDS[0] }, content).0));
    }
    outcome
}
