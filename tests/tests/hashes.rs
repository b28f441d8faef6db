//! Verifying a password: at a cost that tells nothing, and when its hash is replaced.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::header::CONTENT_TYPE;
use proofkey::core::{Core, Entropy, Step, UnixTime, UserSource};
use proofkey::store::Store as _;
use proofkey::{EventKind, Request, Secret, User, UserChange, UserQuestion, Users as _};
use proofkey_tests::{ADA, CHALLENGE, Fault, PASSWORD, People, REDIRECT_URI, Reply, Rows, START, World, core_with};
use serde_json::json;

/// bcrypt of [`PASSWORD`] at cost 4, in the forms that its makers wrote.
const FORMS: [&str; 3] = ["$2a$", "$2b$", "$2y$"];
const HASH: &str = "04$aFHtZ0XpXVirbETxbFKrKOk08erjTx2yXazEO4NAf.YQCHYW/L6sC";

/// A login that is driven by hand.
struct Driven {
    reply: Reply,
    /// Rounds of bcrypt of each job; none for one that makes a hash.
    jobs: Vec<Option<u64>>,
    calls: Vec<&'static str>,
}

fn authorize(name: &str, password: &str) -> Request {
    let body = json!({
        "client_id": "web", "redirect_uri": REDIRECT_URI, "code_challenge": CHALLENGE, "code_challenge_method": "S256",
        "scope": "read", "username": name, "password": password,
    });
    let request = http::Request::post("/auth/authorize").header(CONTENT_TYPE, "application/json");
    Request::new(request.body(body.to_string().into()).unwrap(), None)
}

/// Answers the steps of a flow. `meanwhile` runs before the second job, which makes a hash, and says whether to run it.
fn drive<T>(rows: &Rows, people: &People, mut step: Step<T>, meanwhile: &dyn Fn() -> bool) -> (T, Driven) {
    let mut driven = Driven { reply: http::Response::default().into(), jobs: Vec::new(), calls: Vec::new() };
    loop {
        step = match step {
            Step::Delete(delete) => {
                driven.calls.push("delete");
                let removed = rows.delete(delete.key(), delete.expect());
                delete.answer(removed)
            }
            Step::Find(find) => {
                let keys = rows.find(find.query());
                find.answer(keys)
            }
            Step::Get(get) => {
                driven.calls.push("get");
                let found = rows.get(get.key());
                get.answer(found)
            }
            Step::Put(put) => {
                driven.calls.push("put");
                let stored = rows.put(put.write());
                put.answer(stored)
            }
            Step::User(user) => {
                driven.calls.push("user");
                let answer = match user.question() {
                    UserQuestion::FindByName { name } => people.find_by_name(name),
                    UserQuestion::StorePasswordHash { subject, hash, replaces } => {
                        let kept = people.store_password_hash(subject, hash, replaces.as_deref());
                        kept.map(|kept| if kept { proofkey::UserAnswer::Stored } else { proofkey::UserAnswer::Absent })
                    }
                    other => panic!("{other:?}"),
                };
                user.answer(answer)
            }
            Step::Work(work) => {
                driven.calls.push("work");
                let is_run = driven.jobs.len() != 1 || meanwhile();
                let (job, waiting) = work.detach();
                if is_run {
                    let worked = job.run();
                    driven.jobs.push(worked.rounds());
                    waiting.answer(worked)
                } else {
                    waiting.decline()
                }
            }
            Step::Done(reply) => break (reply.into_value(), driven),
            other => other.decline(),
        }
    }
}

fn now() -> UnixTime {
    UnixTime::from_seconds(START)
}

fn login(core: &Core, rows: &Rows, people: &People, name: &str, password: &str) -> Driven {
    let (response, driven) =
        drive(rows, people, core.begin(authorize(name, password), now(), Entropy::from_seed(7)), &|| true);
    Driven { reply: response.into(), ..driven }
}

/// A store in which grace has a password at this cost.
fn with_grace(cost: u32, seed: u64) -> Rows {
    let (rows, core) = (Rows::default(), core_with(UserSource::BuiltIn, cost, &[]));
    let user = User::new("grace").with_username("grace");
    let step = core.create_user(user, Secret::from(PASSWORD), now(), Entropy::from_seed(seed));
    drive(&rows, &People::default(), step, &|| true).0.unwrap().unwrap();
    rows
}

/// The password hash in grace's record.
fn hash_of(rows: &Rows) -> String {
    let users: Vec<_> = rows.all().into_iter().filter(|(key, _)| key.as_str().starts_with("u.")).collect();
    let plain = core_with(UserSource::BuiltIn, 4, &[]).unsealed(&users[0].0, &users[0].1).unwrap();
    let text = String::from_utf8_lossy(&plain).into_owned();
    text[text.find("$2").unwrap()..][..60].to_owned()
}

#[test]
fn unknown_disabled_and_wrong_are_one_answer_at_one_cost() {
    let _rows = proofkey_conformance::shows(&["passwords-login-1", "passwords-login-2"]);
    let (core, rows) = (core_with(UserSource::BuiltIn, 7, &[]), with_grace(7, 1));
    let attempt = |name, password| login(&core, &rows.clone(), &People::default(), name, password);
    let wrong = attempt("grace", "a wrong one, this");
    assert_eq!(wrong.reply.outcome(), (400, "access_denied".to_owned()));
    let unknown = attempt("nobody", "a wrong one, this");
    let disable = core.change_user("grace", UserChange::Disable, now(), Entropy::from_seed(2));
    drive(&rows, &People::default(), disable, &|| true).0.unwrap().unwrap();
    for other in [unknown, attempt("grace", "a wrong one, this"), attempt("grace", PASSWORD)] {
        assert_eq!((other.reply.status, &other.reply.headers), (wrong.reply.status, &wrong.reply.headers));
        assert_eq!(other.reply.body, wrong.reply.body);
        assert_eq!(other.jobs, [Some(1 << 7)]);
        assert_eq!(other.calls, wrong.calls);
    }
    assert_eq!(wrong.jobs, [Some(1 << 7)]);
}

#[test]
fn a_user_whom_the_host_dismissed_is_as_unknown() {
    let _rows = proofkey_conformance::shows(&["passwords-login-2"]);
    let world = World::new();
    let wrong = world.authorize(&json!({ "password": "a wrong one, this" }));
    world.people.dismiss(ADA);
    for password in [PASSWORD, "a wrong one, this"] {
        assert_eq!(world.authorize(&json!({ "password": password })).body, wrong.body);
    }
}

#[test]
fn a_cheaper_hash_and_a_broken_one_cost_what_is_configured() {
    let _rows = proofkey_conformance::shows(&["passwords-login-1", "passwords-hash-8"]);
    let (core, people) = (core_with(UserSource::Find, 8, &[]), People::default());
    let cost_of = |name: &str, password: &str| login(&core, &Rows::default(), &people, name, password).jobs[0];
    assert_eq!(cost_of("ada@example.com", "a wrong one, this"), Some(1 << 8));
    assert_eq!(cost_of("nobody", "a wrong one, this"), Some(1 << 8));
    people.set_hash(ADA, "not a hash");
    assert_eq!(cost_of("ada@example.com", PASSWORD), Some(1 << 8));
}

#[test]
fn what_is_no_hash_of_ours_fails_as_a_wrong_password_and_the_operator_is_told() {
    let _rows = proofkey_conformance::shows(&["passwords-hash-8"]);
    let wrong = World::new().authorize(&json!({ "password": "a wrong one, this" }));
    let digest = HASH.strip_prefix("04$").unwrap();
    for bad in [
        "not a hash".to_owned(),
        String::new(),
        format!("$2x${HASH}"),
        format!("$2${HASH}"),
        format!("$2b$03${digest}"),
        format!("$2b$17${digest}"),
        format!("$2b$99${digest}"),
        format!("$2b$4${digest}"),
        format!("$2b$+4${digest}"),
        format!("$2b${}", &HASH[..50]),
        format!("$2b${HASH}x"),
        format!("$2b${}", HASH.replace("aFHt", "a!Ht")),
        format!("$2b${}", HASH.replace("aFHt", "aéH")),
        "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2g".to_owned(),
    ] {
        let world = World::new();
        world.people.set_hash(ADA, &bad);
        let reply = world.authorize(&json!({}));
        assert_eq!((reply.status, reply.body), (wrong.status, wrong.body.clone()), "{bad}");
        assert!(world.take_events().contains(&EventKind::HashMalformed), "{bad}");
        assert_eq!(world.people.hash_of(ADA), Some(bad));
    }
}

#[test]
fn a_right_password_replaces_a_hash_of_another_cost_or_form() {
    let _rows = proofkey_conformance::shows(&["passwords-hash-7", "passwords-hash-8"]);
    for form in FORMS {
        let world = World::with(|builder| builder.password_cost_for_tests(5));
        let imported = format!("{form}{HASH}");
        world.people.set_hash(ADA, &imported);
        assert_eq!(world.authorize(&json!({ "password": "a wrong one, this" })).status, 400);
        assert_eq!(world.people.hash_of(ADA), Some(imported));
        assert_eq!(world.authorize(&json!({})).status, 200, "{form}");
        let replaced = world.people.hash_of(ADA).unwrap();
        assert!(replaced.starts_with("$2b$05$") && replaced.len() == 60, "{replaced}");
        assert_eq!(world.authorize(&json!({})).status, 200);
        assert_eq!(world.people.hash_of(ADA), Some(replaced));
    }
    let same_cost = World::new();
    same_cost.people.set_hash(ADA, &format!("$2y${HASH}"));
    assert_eq!(same_cost.authorize(&json!({})).status, 200);
    assert!(same_cost.people.hash_of(ADA).unwrap().starts_with("$2b$04$"));
}

#[test]
fn the_servers_own_user_gets_a_new_hash_by_one_swap() {
    let _rows = proofkey_conformance::shows(&["passwords-hash-7"]);
    for cost in [6, 4] {
        let (core, rows, people) = (core_with(UserSource::BuiltIn, cost, &[]), with_grace(5, 1), People::default());
        let old = hash_of(&rows);
        assert_eq!(login(&core, &rows, &people, "grace", "a wrong one, this").reply.status, 400);
        assert_eq!(hash_of(&rows), old);
        let driven = login(&core, &rows, &people, "grace", PASSWORD);
        assert_eq!((driven.reply.status.as_u16(), driven.jobs.len()), (200, 2));
        assert!(hash_of(&rows).starts_with(&format!("$2b$0{cost}$")));
        assert_eq!(login(&core, &rows, &people, "grace", PASSWORD).jobs, [Some(1 << cost)], "once is enough");
    }
}

#[test]
fn a_password_that_is_changed_meanwhile_is_not_changed_back() {
    let _rows = proofkey_conformance::shows(&["passwords-hash-7"]);
    let (core, rows, people) = (core_with(UserSource::BuiltIn, 6, &[]), with_grace(5, 1), People::default());
    let changed = || {
        let change = UserChange::Password(Secret::from("another passphrase of hers"));
        drive(&rows, &people, core.change_user("grace", change, now(), Entropy::from_seed(3)), &|| true)
            .0
            .unwrap()
            .unwrap();
        true
    };
    let step = core.begin(authorize("grace", PASSWORD), now(), Entropy::from_seed(7));
    drive(&rows, &people, step, &changed);
    assert_eq!(login(&core, &rows, &people, "grace", "another passphrase of hers").reply.status, 200);
    assert_eq!(login(&core, &rows, &people, "grace", PASSWORD).reply.status, 400);
}

#[test]
fn a_password_that_the_host_changes_meanwhile_is_not_changed_back() {
    let _rows = proofkey_conformance::shows(&["passwords-hash-7"]);
    let (core, people) = (core_with(UserSource::Find, 6, &[]), People::default());
    let changed = || {
        people.set_hash(ADA, "the hash of another password");
        true
    };
    let step = core.begin(authorize("ada@example.com", PASSWORD), now(), Entropy::from_seed(7));
    let (response, driven) = drive(&Rows::default(), &people, step, &changed);
    assert_eq!((response.status().as_u16(), driven.jobs.len()), (200, 2));
    assert_eq!(people.hash_of(ADA).as_deref(), Some("the hash of another password"));
}

#[test]
fn a_full_work_queue_keeps_the_old_hash_and_does_not_fail_the_login() {
    let _rows = proofkey_conformance::shows(&["passwords-hash-7"]);
    let (core, rows, people) = (core_with(UserSource::BuiltIn, 6, &[]), with_grace(5, 1), People::default());
    let old = hash_of(&rows);
    let step = core.begin(authorize("grace", PASSWORD), now(), Entropy::from_seed(7));
    let (response, driven) = drive(&rows, &people, step, &|| false);
    assert_eq!((response.status().as_u16(), driven.jobs.len()), (200, 1));
    assert_eq!(hash_of(&rows), old);
}

#[test]
fn a_lost_swap_or_a_failed_one_does_not_fail_the_login() {
    let _rows = proofkey_conformance::shows(&["passwords-hash-7"]);
    let rows = with_grace(5, 1);
    let world = || {
        World::with_own_users(Arc::new(rows.clone()), |builder| {
            builder.password_cost_for_tests(6).limit_user("off").limit_address("off")
        })
    };
    let sign_in = |world: &World| world.authorize(&json!({ "username": "grace", "password": PASSWORD })).status;
    let smooth = world();
    assert_eq!(sign_in(&smooth), 200);
    assert!(smooth.take_events().contains(&EventKind::HashReplaced));
    let before = smooth.store.take_calls().iter().position(|call| call.to_string() == "put").unwrap();
    for faults in [vec![Fault::Conflict], vec![Fault::Fail, Fault::Fail]] {
        let world = world();
        world.store.plan(vec![Fault::None; before].into_iter().chain(faults));
        assert_eq!(sign_in(&world), 200);
        assert!(!world.take_events().contains(&EventKind::HashReplaced));
    }
}

#[test]
fn salts_are_fresh_and_follow_from_the_entropy() {
    let _rows = proofkey_conformance::shows(&["passwords-hash-10"]);
    let hash = |seed| hash_of(&with_grace(4, seed));
    let salt = |seed| hash(seed)[7..29].to_owned();
    assert_eq!(hash(1), hash(1));
    assert_ne!(hash(1), hash(2));
    assert_ne!(salt(1), salt(2));
}

/// The cost is counted above; this sees what would be done beside the hash.
#[test]
fn unknown_and_wrong_take_the_same_time() {
    let _rows = proofkey_conformance::shows(&["passwords-login-1"]);
    let (core, rows) = (core_with(UserSource::BuiltIn, 6, &[]), with_grace(6, 1));
    let time = |name: &str| {
        let (rows, people) = (rows.clone(), People::default());
        let since = Instant::now();
        let driven = login(&core, &rows, &people, name, "a wrong one, this");
        assert_eq!(driven.jobs.len(), 1);
        since.elapsed()
    };
    let mut times: [Vec<Duration>; 2] = Default::default();
    for at in 0..400 {
        let who = (at % 4 / 2) ^ (at % 2); // wrong, unknown, unknown, wrong
        times[who].push(time(["grace", "nobody"][who]));
    }
    let [wrong, unknown] = times.map(|mut times| {
        times.sort();
        times[2].as_secs_f64()
    });
    // The row proposes medians within 5 %. Other programs only ever add time, and on a busy machine to most tries, so
    // the quickest tries are compared.
    assert!((wrong / unknown - 1.0).abs() < 0.1, "wrong {wrong} s, unknown {unknown} s");
}
