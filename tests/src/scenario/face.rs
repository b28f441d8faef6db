//! The drivers under which scenarios are replayed.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use proofkey::store::Store;
use proofkey::{AsyncServer, Builder, Server};
use tokio::runtime::Runtime;

use crate::surroundings::Surroundings;
use crate::world_file::world_file;
use crate::{Reply, Scenario};

/// What a scenario needs of a server: an answer, and the two calls of a host that signs somebody out.
pub(super) trait Face {
    /// Answers a request.
    fn send(&self, request: http::Request<Bytes>, peer: Option<IpAddr>) -> Reply;
    /// Signs a user out everywhere.
    fn sign_out(&self, subject: &str);
    /// Ends every grant of a client.
    fn sign_out_client(&self, client_id: &str);
}

/// Which driver answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "tests name all of them")]
pub enum Driver {
    /// [`Server`].
    Blocking,
    /// [`AsyncServer`].
    Tokio,
}

impl Driver {
    /// A server of the world, set as the scenario says, with the surroundings to move.
    pub(super) fn server(self, scenario: &Scenario, store: Arc<dyn Store>) -> (Box<dyn Face>, Surroundings) {
        match self {
            Self::Blocking => {
                let (builder, surroundings) = Surroundings::of(Server::builder(&world_file().issuer), store);
                let server = set(builder, scenario)
                    .users(surroundings.people.clone())
                    .build()
                    .unwrap_or_else(|misuse| panic!("{misuse}"));
                (Box::new(server), surroundings)
            }
            Self::Tokio => {
                let (builder, surroundings) = Surroundings::of(AsyncServer::builder(&world_file().issuer), store);
                let server = set(builder, scenario)
                    .users(surroundings.people.clone())
                    .build()
                    .unwrap_or_else(|misuse| panic!("{misuse}"));
                (Box::new(OnTokio::new(server)), surroundings)
            }
        }
    }
}

fn set<S>(builder: Builder<S>, scenario: &Scenario) -> Builder<S> {
    scenario.settings.iter().fold(builder, |builder, (name, text)| builder.set(name, text))
}

impl Face for Server {
    fn send(&self, request: http::Request<Bytes>, peer: Option<IpAddr>) -> Reply {
        self.handle(request, peer).into()
    }

    fn sign_out(&self, subject: &str) {
        self.revoke_all(subject).unwrap_or_else(|refusal| panic!("{subject}: {refusal}"));
    }

    fn sign_out_client(&self, client_id: &str) {
        self.revoke_client(client_id).unwrap_or_else(|refusal| panic!("{client_id}: {refusal}"));
    }
}

/// An [`AsyncServer`] with a runtime of its own.
struct OnTokio {
    server: AsyncServer,
    runtime: Runtime,
}

impl OnTokio {
    fn new(server: AsyncServer) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        Self { server, runtime: runtime.unwrap_or_else(|error| panic!("a runtime: {error}")) }
    }
}

impl Face for OnTokio {
    fn send(&self, request: http::Request<Bytes>, peer: Option<IpAddr>) -> Reply {
        self.runtime.block_on(self.server.handle(request, peer)).into()
    }

    fn sign_out(&self, subject: &str) {
        let done = self.runtime.block_on(self.server.revoke_all(subject));
        done.unwrap_or_else(|refusal| panic!("{subject}: {refusal}"));
    }

    fn sign_out_client(&self, client_id: &str) {
        let done = self.runtime.block_on(self.server.revoke_client(client_id));
        done.unwrap_or_else(|refusal| panic!("{client_id}: {refusal}"));
    }
}
