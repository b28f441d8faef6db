//! A request under way in one process.

use proofkey_core::{
    AccessToken, Core, Entropy, Key, Memo, Refusal, Reply, Request, Requirement, Step, StoreError, UnixTime,
    UserAnswer, UserQuestion, Write,
};

use crate::answer::{Answer, Body, checked};
use crate::call::Call;
use crate::house::{AT_HOME, CLIENTS, Houses, RESOURCES};
use crate::model::FlightNumber;
use crate::wallet::Wallet;

/// Who waits for the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sender {
    Attacker,
    /// A tab of a browser, by the numbers of both.
    Browser(usize, usize),
    /// A session of a client, by its number.
    Client(usize),
    /// Nobody: the network made a second one of somebody's request.
    Network,
    Operator,
}

/// The step that a flow waits at, whatever it will answer.
pub(crate) enum Running {
    Checked(Step<Result<AccessToken, Refusal>>),
    Ended(Step<Result<usize, Refusal>>),
    Http(Step),
    Revoked(Step<Result<bool, Refusal>>),
}

pub(crate) struct Flight {
    pub(crate) number: FlightNumber,
    pub(crate) process: usize,
    /// The stage of its keys.
    pub(crate) stage: usize,
    pub(crate) sender: Sender,
    pub(crate) call: Call,
    pub(crate) running: Running,
    /// When it was sent, in milliseconds of the world.
    pub(crate) sent: u64,
    pub(crate) calls: u32,
    /// A host callback failed it.
    pub(crate) callback_failed: bool,
}

/// What a flow asks next.
pub(crate) enum Next<'a> {
    Delete,
    Done,
    Find,
    Get(&'a Key),
    Put(&'a Write),
    User(&'a UserQuestion),
    Work,
}

/// The answer to what it asked.
pub(crate) enum Given<'a> {
    /// The store does what it is asked.
    Done(&'a mut crate::rows::Rows),
    Failed,
    User(Result<UserAnswer, StoreError>),
    Work(&'a mut Memo),
    /// To a write: stored or not; nothing means that it is not known.
    Written(Option<bool>),
}

impl Running {
    pub(crate) fn begin(call: Call, core: &Core, houses: &Houses, wallet: &Wallet, now: u64, entropy: Entropy) -> Self {
        let now = UnixTime::from_seconds(now);
        if let Some(request) = call.request(houses, wallet) {
            return Self::Http(core.begin(request, now, entropy));
        }
        match call {
            Call::Check { token, resource } => {
                let requirement = Requirement::any();
                let requirement = match resource {
                    Some(at) => requirement.for_resource(RESOURCES[at]),
                    None => requirement,
                };
                let request = http::Request::get("/api/things");
                let request = request.header(http::header::AUTHORIZATION, format!("Bearer {}", wallet.text(token)));
                let request = Request::new(request.body(bytes::Bytes::new()).unwrap_or_default(), Some(AT_HOME));
                Self::Checked(core.check_access(request, requirement, now, entropy))
            }
            Call::RevokeGrant { of } => Self::Revoked(core.revoke_grant(&grant_id(wallet.text(of)), now, entropy)),
            Call::SignOutClient { client } => Self::Ended(core.revoke_client(CLIENTS[client].client_id, now, entropy)),
            Call::SignOutUser { user } => Self::Ended(core.revoke_all(format!("u-{user}"), now, entropy)),
            // All others are requests over HTTP.
            _ => Self::Revoked(core.revoke_grant("", now, entropy)),
        }
    }

    pub(crate) fn next(&self) -> Next<'_> {
        match self {
            Self::Checked(step) => next(step),
            Self::Ended(step) => next(step),
            Self::Http(step) => next(step),
            Self::Revoked(step) => next(step),
        }
    }

    pub(crate) fn give(self, given: Given<'_>) -> Self {
        match self {
            Self::Checked(step) => Self::Checked(give(step, given)),
            Self::Ended(step) => Self::Ended(give(step, given)),
            Self::Http(step) => Self::Http(give(step, given)),
            Self::Revoked(step) => Self::Revoked(give(step, given)),
        }
    }

    /// The answer, once there is one.
    pub(crate) fn answer(&self, call: Call, wallet: &mut Wallet) -> Option<Answer> {
        fn done<T>(step: &Step<T>) -> Option<&Reply<T>> {
            match step {
                Step::Done(reply) => Some(reply),
                _ => None,
            }
        }
        match self {
            Self::Checked(step) => done(step).map(|reply| Answer::typed(reply.value(), checked)),
            Self::Ended(step) => done(step).map(|reply| Answer::typed(reply.value(), |_| Body::None)),
            Self::Http(step) => done(step).map(|reply| Answer::read(call, reply.value(), wallet)),
            Self::Revoked(step) => done(step).map(|reply| Answer::typed(reply.value(), |_| Body::None)),
        }
    }
}

fn next<T>(step: &Step<T>) -> Next<'_> {
    match step {
        Step::Delete(_) => Next::Delete,
        Step::Find(_) => Next::Find,
        Step::Get(get) => Next::Get(get.key()),
        Step::Put(put) => Next::Put(put.write()),
        Step::User(user) => Next::User(user.question()),
        Step::Work(_) => Next::Work,
        _ => Next::Done,
    }
}

fn give<T>(step: Step<T>, given: Given<'_>) -> Step<T> {
    match (step, given) {
        (Step::Delete(delete), Given::Done(rows)) => {
            let removed = rows.delete(delete.key(), delete.expect());
            delete.answer(Ok(removed))
        }
        (Step::Delete(delete), _) => delete.answer(Err(failed())),
        (Step::Find(find), Given::Done(rows)) => {
            let found = rows.find(find.query());
            find.answer(Ok(found))
        }
        (Step::Find(find), _) => find.answer(Err(failed())),
        (Step::Get(get), Given::Done(rows)) => {
            let found = rows.get(get.key());
            get.answer(Ok(found))
        }
        (Step::Get(get), _) => get.answer(Err(failed())),
        (Step::Put(put), Given::Written(Some(stored))) => put.answer(Ok(stored)),
        (Step::Put(put), _) => put.answer(Err(failed())),
        (Step::User(user), Given::User(answer)) => user.answer(answer),
        (Step::Work(work), Given::Work(memo)) => {
            let (job, waiting) = work.detach();
            waiting.answer(job.recall(memo))
        }
        (step, _) => step.decline(),
    }
}

pub(crate) fn failed() -> StoreError {
    StoreError::new("the world is out of order")
}

/// The identifier of the grant that stands in a code or token.
fn grant_id(text: &str) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let body = text.len().checked_sub(64).and_then(|at| text.get(at..)).unwrap_or_default();
    let bytes = URL_SAFE_NO_PAD.decode(body).unwrap_or_default();
    URL_SAFE_NO_PAD.encode(bytes.get(..16).unwrap_or_default())
}
