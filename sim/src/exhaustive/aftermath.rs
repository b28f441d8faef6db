//! What must hold when nothing more happens: whoever comes now finds the grant as the answers said.

use std::time::Duration;

use proofkey_core::UnixTime;

use super::flows::{Call, Wanted};
use super::model::{Broken, Model, SEEDS, Seen};
use super::start::{Judgement, LEEWAY, MARGIN, Operation, Presented};
use super::stores::{Content, Row};
use super::wire::{Reply, Token};

impl Model<'_> {
    /// What does not hold when nothing more happens, but for the writes that may still land.
    pub(super) fn afterwards(mut self, landing: &[Row]) -> Vec<Broken> {
        if self.start.over {
            self.revocation(landing);
            return self.broken;
        }
        self.code(landing);
        self.leaves();
        self.thefts(landing);
        self.revocation(landing);
        if !self.may_have_ended() {
            self.retries(landing);
            self.successor_used();
            self.family_end();
            self.strangers();
            self.one_access_token();
            self.one_audience();
        }
        self.broken
    }

    pub(super) fn known(&self) -> Vec<(Token, Token)> {
        self.start.tokens.iter().copied().chain(self.given()).collect()
    }

    fn land(&mut self, content: Content, landing: &[Row]) -> Content {
        landing.iter().fold(content, |content, row| self.start.flows.stores.put(content, *row).1)
    }

    fn all_dead(&mut self, invariant: &'static str, content: Content, landing: &[Row], after: &str) {
        let (known, landed) = (self.known(), self.land(content, landing));
        for content in [content, landed] {
            if let Some(what) = self.alive(&known, content) {
                return self.breaks(invariant, format!("{what} works after {after}"));
            }
        }
    }

    /// The code, presented once more.
    fn code(&mut self, landing: &[Row]) {
        let (reply, next) = self.tell(Wanted::Redeem, self.start.later, self.content);
        let redeems: Vec<Seen> = self.seen.iter().copied().filter(|seen| seen.operation == Operation::Redeem).collect();
        let wrote = redeems.iter().any(Self::wrote);
        let given = self.start.spent || redeems.iter().any(|seen| self.status(seen) == 200);
        match reply.status {
            200 if given => self.breaks("I1", "the code is redeemed once more"),
            200 => {
                let landed = self.land(next, landing);
                let tokens = reply.access.map(|access| self.access_works(access, landed));
                if tokens != Some(true) && !self.may_have_ended() {
                    self.breaks("I16", "the tokens of a repeated redemption do not work");
                }
            }
            400 => {
                self.all_dead("I3", next, landing, "a replay of the code");
                if self.may_have_ended() || self.start.spent {
                    return;
                }
                if !wrote {
                    self.breaks("I16", "the code is gone, and nobody has redeemed it");
                }
                // Whoever is told to try again has not redeemed it.
                let invited = |seen: &Seen| {
                    seen.answered.is_some_and(|answered| {
                        let reply = self.start.flows.replies.reply(answered);
                        reply.status == 503 && reply.retry
                    })
                };
                let others = redeems.iter().filter(|seen| Self::wrote(seen)).count();
                if redeems.iter().any(|seen| invited(seen) && others <= usize::from(Self::wrote(seen))) {
                    self.breaks("I17", "a retry was invited, and it is a replay");
                }
            }
            other => self.breaks("I17", format!("a fresh redemption is answered {other}")),
        }
    }

    /// Refresh tokens that rotate: their successor is another each time.
    fn leaves(&mut self) {
        let mut known: Vec<Token> = self.known().into_iter().map(|(_, refresh)| refresh).collect();
        let (mut next, mut leaves) = (0, 0);
        while next < known.len() {
            let at = next;
            next += 1;
            if known[..at].contains(&known[at]) {
                continue;
            }
            let wanted = Wanted::Refresh(known[at]);
            let (later, content) = (self.start.later, self.content);
            let successors = SEEDS.map(|seed| {
                let (answered, _) = self.start.flows.end(Call { wanted, at: later, seed }, content);
                self.start.flows.replies.reply(answered).refresh
            });
            match successors {
                [Some(one), Some(other)] if one == other => known.push(one),
                [Some(_), Some(_)] => leaves += 1,
                _ => {}
            }
        }
        if leaves > 1 {
            self.breaks("I7", format!("{leaves} refresh tokens rotate"));
        }
    }

    /// Refresh tokens that were retired long ago.
    fn thefts(&mut self, landing: &[Row]) {
        let judged = |judgement| move |one: &&Presented| one.judgement == judgement;
        let mut stolen: Vec<(Token, UnixTime)> = self
            .start
            .refreshes
            .iter()
            .filter(judged(Judgement::Theft))
            .map(|one| (one.token, self.start.later))
            .collect();
        let rotated = self.any(|seen| self.judged(seen, Judgement::Current) && self.status(seen) == 200);
        if rotated && self.start.end.is_none() {
            let current = self.start.refreshes.iter().find(judged(Judgement::Current));
            let leeway = if self.start.strict { 0 } else { LEEWAY + MARGIN + 1 };
            stolen.extend(current.map(|one| (one.token, self.start.now.after(Duration::from_secs(leeway)))));
        }
        for (token, at) in stolen {
            let (reply, next) = self.tell(Wanted::Refresh(token), at, self.content);
            if reply.status != 400 {
                self.breaks("I8", format!("a stolen {} is answered {}", token.name(), reply.status));
            }
            self.all_dead("I8", next, landing, "a stolen token was presented");
        }
    }

    /// A revocation that nothing stands beside.
    fn revocation(&mut self, landing: &[Row]) {
        for wanted in self.start.revocations.clone() {
            let (reply, next) = self.tell(wanted, self.start.later, self.content);
            if reply.status != 200 {
                self.breaks("I13", format!("a revocation is answered {}", reply.status));
            }
            self.all_dead("I12", next, landing, "a revocation");
        }
    }

    /// Everybody keeps the last answer, or what was presented if there was none, and goes on with it.
    fn retries(&mut self, landing: &[Row]) {
        let rotated = self.rotated();
        let given = self.given();
        let kept = given.iter().map(|(_, refresh)| (*refresh, true));
        let presented = self.start.refreshes.clone().into_iter().filter_map(|one| match one.judgement {
            Judgement::Current => Some((one.token, !(self.start.strict && rotated))),
            Judgement::Repeat => Some((one.token, !rotated)),
            Judgement::Stale | Judgement::Theft => None,
        });
        let all: Vec<(Token, bool)> = kept.chain(presented).collect();
        for (token, must) in all {
            if self.start.strict && !must {
                continue; // it would be a theft
            }
            let (reply, next) = self.tell(Wanted::Refresh(token), self.start.later, self.content);
            if reply.status != 200 {
                if must || reply.status != 400 {
                    self.breaks("I9", format!("{} is kept, and answered {}", token.name(), reply.status));
                }
                continue;
            }
            let landed = self.land(next, landing);
            if !reply.access.is_some_and(|access| self.access_works(access, landed)) {
                self.breaks("I16", "the tokens of a repeated refresh do not work");
            }
            let told =
                self.seen.iter().filter(|seen| self.presented(seen.operation).is_some_and(|one| one.token == token));
            let before: Vec<Reply> = told
                .filter_map(|seen| seen.answered)
                .map(|answered| self.start.flows.replies.reply(answered).clone())
                .filter(|before| before.status == 200)
                .collect();
            if before.iter().any(|before| before.refresh != reply.refresh) {
                self.breaks("I6", "a repeated refresh gets another successor");
            }
        }
    }

    /// Once the successor was used, its predecessor is refused, and nothing else happens.
    fn successor_used(&mut self) {
        let Some(current) = self.start.refreshes.iter().find(|one| one.judgement == Judgement::Current).copied() else {
            return;
        };
        let given = self
            .given()
            .into_iter()
            .map(|(_, refresh)| refresh)
            .find(|refresh| self.start.tokens.iter().all(|(_, known)| known != refresh));
        let Some(successor) = given.filter(|_| !self.start.strict) else { return };
        let later = self.start.later;
        let (used, next) = self.tell(Wanted::Refresh(successor), later, self.content);
        let Some(leaf) = used.refresh else { return };
        let (late, next) = self.tell(Wanted::Refresh(current.token), later, next);
        if late.status != 400 {
            self.breaks("I8", format!("a token is answered {} after its successor was used", late.status));
        }
        if !self.is_granted(Wanted::Refresh(leaf), later, next) {
            self.breaks("I9", "a slow duplicate ended the grant");
        }
    }

    /// However often it was refreshed.
    fn family_end(&mut self) {
        let Some(end) = self.start.end else { return };
        let wanted =
            self.known().into_iter().flat_map(|(access, refresh)| [Wanted::Access(access), Wanted::Refresh(refresh)]);
        for wanted in wanted.collect::<Vec<_>>() {
            if self.is_granted(wanted, end, self.content) {
                self.breaks("I11", "a token works beyond the end of its grant");
            }
        }
    }
}
