//! An attacker who copies every code and token that anybody sees, and has a client of its own.

use crate::call::{ALL_SCOPES, As, Call, Wish};
use crate::flight::Sender;
use crate::house::{USERS, is_public};
use crate::wallet::{Kind, Paper};
use crate::world::World;

impl World<'_> {
    /// One request of the attacker.
    pub(crate) fn attacker_moves(&mut self) {
        let call = match self.stolen() {
            Some(paper) => self.misuse(paper),
            None => self.guess(),
        };
        self.send(Sender::Attacker, call);
    }

    /// Something from the wallet, rather newer than older.
    fn stolen(&mut self) -> Option<Paper> {
        let seen = self.wallet.len();
        if seen == 0 || self.dice.below(12) == 0 {
            return None;
        }
        let among = if self.dice.below(3) == 0 { seen } else { seen.min(6) };
        let back = self.dice.below(among);
        let paper = self.wallet.get(seen - 1 - back)?;
        Some(if self.dice.below(20) == 0 { self.wallet.forge(paper) } else { paper })
    }

    /// Poses as a client: one without a secret, its own, or one whose secret it guesses.
    fn posing(&mut self) -> As {
        let client = self.dice.below(self.clients());
        let proven = is_public(client) || self.dice.below(3) > 0;
        As { client, proven, elsewhere: true }
    }

    fn guess(&mut self) -> Call {
        let by = As { client: 0, proven: true, elsewhere: true };
        let (password, challenge) = if self.dice.below(2) == 0 { (false, true) } else { (true, false) };
        Call::Authorize { by, user: self.dice.below(USERS), password, challenge, pair: 0, scope: 1, resources: 0 }
    }

    fn misuse(&mut self, paper: Paper) -> Call {
        let by = self.posing();
        let wide = Wish { scope: Some(ALL_SCOPES), resources: None };
        let foreign = Wish { scope: None, resources: Some(0b11) };
        match (paper.kind, self.dice.below(10)) {
            (Kind::Code, 0..5) => {
                let pair = self.dice.below(self.houses.pairs.len());
                Call::Redeem { by, code: paper, pair, redirect: Some(by.client), wish: Wish::default() }
            }
            (Kind::Code, 5..9) => {
                // Verifier and redirect URI were stolen as well.
                let (pair, client) = self.model.binding_of(paper).unwrap_or((0, 0));
                let redirect = (self.dice.below(3) > 0).then_some(client);
                Call::Redeem { by, code: paper, pair, redirect, wish: Wish::default() }
            }
            (Kind::Access | Kind::Forged, 0..3) => Call::Check { token: paper, resource: Some(self.dice.below(2)) },
            (Kind::Access | Kind::Forged, 3..6) => Call::Userinfo { token: paper },
            (Kind::Refresh, 0..6) | (Kind::Forged, 6) => {
                let wish = match self.dice.below(4) {
                    0 => wide,
                    1 => foreign,
                    _ => Wish::default(),
                };
                Call::Refresh { by, token: paper, wish }
            }
            (_, 8) => Call::Revoke { by, token: paper },
            (_, 9) => Call::Introspect { by: As { client: 2, ..by }, token: paper },
            _ => Call::Check { token: paper, resource: None },
        }
    }
}
