//! Answers every step of a flow from a store and a table of users, some with errors.

use bytes::Bytes;
use http::Response;
use proofkey_core::{
    Core, Event, Key, MAX_BODY, MAX_OWNERS, Record, Step, StoreError, User, UserAnswer, UserQuestion, Version, Write,
};
use proofkey_tests::{ADA, Fault, PASSWORD, People, Rows, answer};

use crate::source::Source;

/// No request takes so many steps.
const MOST_STEPS: usize = 400;

/// What goes wrong with steps: a byte each, as long as there are bytes.
pub(crate) struct Faults<'a, 'b>(pub(crate) &'a mut Source<'b>);

enum Reaction {
    Decline,
    Do(Fault),
    User(u8),
}

/// How a flow ended.
pub(crate) struct Driven {
    pub(crate) response: Response<Bytes>,
    pub(crate) events: Vec<Event>,
    /// Whether anything went wrong that was not asked for by the request.
    pub(crate) faulted: bool,
}

pub(crate) fn drive(core: &Core, mut step: Step, rows: &Rows, people: &People, faults: &mut Faults<'_, '_>) -> Driven {
    let mut faulted = false;
    for _ in 0..MOST_STEPS {
        let reaction = match step {
            Step::Done(_) => Reaction::Do(Fault::None),
            _ => faults.next(),
        };
        faulted |= !matches!(reaction, Reaction::Do(Fault::None));
        if let Step::Put(put) = &step {
            assert_write(core, put.write());
        }
        step = match (step, reaction) {
            (Step::Done(reply), _) => {
                let (response, events) = reply.into_parts();
                return Driven { response, events, faulted };
            }
            (step, Reaction::Decline) => step.decline(),
            (Step::User(user), Reaction::User(how)) => user.answer(strange(how)),
            (Step::User(user), Reaction::Do(Fault::None)) if is_authentication(user.question()) => {
                let known = authenticated(user.question());
                user.answer(Ok(known))
            }
            (step, Reaction::Do(fault)) => answer(rows, people, step, fault),
            (step, Reaction::User(_)) => answer(rows, people, step, Fault::None),
        };
    }
    panic!("a flow that does not end");
}

impl Faults<'_, '_> {
    fn next(&mut self) -> Reaction {
        match self.0.byte() {
            200..=209 => Reaction::Do(Fault::Fail),
            210..=219 => Reaction::Do(Fault::Conflict),
            220..=229 => Reaction::Do(Fault::Lost),
            230..=239 => Reaction::Decline,
            how @ 240..=255 => Reaction::User(how),
            _ => Reaction::Do(Fault::None),
        }
    }
}

const fn is_authentication(question: &UserQuestion) -> bool {
    matches!(question, UserQuestion::Authenticate { .. })
}

fn authenticated(question: &UserQuestion) -> UserAnswer {
    match question {
        UserQuestion::Authenticate { name, password } => {
            let known = name == "ada@example.com" && password.expose() == PASSWORD.as_bytes();
            if known { UserAnswer::Found(User::new(ADA).with_username(name.as_str())) } else { UserAnswer::Absent }
        }
        _ => UserAnswer::Absent,
    }
}

/// What a host might answer that is not quite right.
fn strange(how: u8) -> Result<UserAnswer, StoreError> {
    Ok(match how % 8 {
        0 => UserAnswer::Absent,
        1 => UserAnswer::Dismissed,
        2 => UserAnswer::Stored,
        3 => UserAnswer::Found(User::new("")),
        4 if how < 248 => UserAnswer::Found(User::new("u-<i9 x=\"\n")),
        4 => UserAnswer::Found(User::new("u-<i9 x=\"\n".repeat(60))),
        5 => UserAnswer::Found(User::new(ADA).with_password_hash("$2b$31$notahash").with_username("<i9 \u{202e}\r\n")),
        6 => UserAnswer::Found(User::new("u-bob").with_claim("name", "<i9>").with_claim("sub", "forged")),
        _ => return Err(StoreError::new("the users' table was told to fail")),
    })
}

/// What a store is asked to keep is within the contract, sealed, and reads back as it was written.
fn assert_write(core: &Core, write: &Write) {
    assert!(write.body().len() <= MAX_BODY && write.owners().len() <= MAX_OWNERS, "within the contract");
    assert!(Key::parse(write.key().as_str()).is_ok() && Version::parse(write.version().as_str()).is_ok());
    assert!(write.expect() != Some(write.version()), "each write has a version of its own");
    let record = Record::new(*write.version(), write.body().clone());
    let plain = core.unsealed(write.key(), &record).unwrap_or_else(|| panic!("what is written opens"));
    assert_eq!(core.rewritten(write.key(), &plain).as_ref(), Some(&plain), "what is written is read as it was meant");
}
