//! The operator: sweeps, rotates keys, revokes, signs people out, dismisses them.

use std::collections::VecDeque;

use crate::answer::Answer;
use crate::call::Call;
use crate::fault::Fault;
use crate::flight::Sender;
use crate::house::{STAGES, USERS};
use crate::wallet::Kind;
use crate::world::{Process, World};

/// What is still to be done, and how far the keys are.
#[derive(Default)]
pub(crate) struct Operator {
    to_do: VecDeque<Call>,
    /// The stage of the rotation that processes take over when they next look.
    stage: usize,
}

impl Operator {
    /// The stage that a process takes over, one after the other, and the last only when all have the one before.
    pub(crate) fn newest(&self, processes: &[Process], has: usize) -> usize {
        let slowest = processes.iter().map(|process| process.stage).min().unwrap_or(0);
        self.stage.min(has + 1).min(slowest + 1)
    }

    pub(crate) fn hears(&mut self, call: Call, answer: &Answer) {
        // What could not be done is done again, as the documentation says.
        if answer.is_unavailable() {
            self.to_do.push_back(call);
        }
    }

    pub(crate) fn misses(&mut self, call: Call) {
        self.to_do.push_back(call);
    }
}

impl World<'_> {
    pub(crate) fn operator_moves(&mut self) {
        if let Some(call) = self.operator.to_do.pop_front() {
            self.send(Sender::Operator, call);
            return;
        }
        match self.dice.below(20) {
            0..3 => {
                let back = self.dice.below(self.wallet.len().max(1));
                if let Some(of) = self.wallet.get(back).filter(|paper| paper.kind != Kind::Forged) {
                    self.send(Sender::Operator, Call::RevokeGrant { of });
                }
            }
            3..6 => {
                let user = self.dice.below(USERS);
                self.send(Sender::Operator, Call::SignOutUser { user });
            }
            6 => {
                let client = self.dice.below(self.clients());
                self.send(Sender::Operator, Call::SignOutClient { client });
            }
            7 => self.dismiss(),
            _ => self.maintain(),
        }
    }

    /// The host will not have a user any more, and signs the user out.
    fn dismiss(&mut self) {
        let user = self.dice.below(USERS);
        if self.dismissed.iter().filter(|dismissed| **dismissed).count() + 1 >= USERS {
            return;
        }
        self.dismissed[user] = true;
        self.model.dismissed(user);
        self.story.tell(self.clock, || format!("the host dismisses user{user}"));
        self.operator.to_do.push_back(Call::SignOutUser { user });
    }

    fn maintain(&mut self) {
        if self.weather.rate(Fault::Sweep) > 0 {
            self.sweep();
        }
        if self.weather.rate(Fault::KeyRotation) == 0 {
            return;
        }
        // What began before all had the new key may not know it yet: the operator waits before the next stage.
        let stage = self.operator.stage;
        let all_have = self.processes.iter().all(|process| process.stage == stage);
        if all_have && self.flights.iter().all(|flight| flight.stage == stage) {
            self.operator.stage = (self.operator.stage + 1).min(STAGES - 1);
        }
        for at in 0..self.processes.len() {
            let newest = self.operator.newest(&self.processes, self.processes[at].stage);
            if newest != self.processes[at].stage && self.dice.below(4) > 0 {
                self.processes[at].stage = newest;
                self.story.tell(self.clock, || format!("process {at} reads the keys of stage {newest}"));
            }
        }
    }

    /// All processes have the newest keys.
    pub(crate) fn all_read_keys(&mut self) {
        let stage = self.operator.stage;
        for process in &mut self.processes {
            process.stage = process.stage.max(stage);
        }
    }
}
