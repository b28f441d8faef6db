//! Whoever tries a password pays the same number of rounds of bcrypt, whether the name is unknown, the password wrong,
//! the user disabled or gone, or the hash malformed or cheaper than it should be: by JSON, on the page where people sign
//! in, and where they change a password (invariant I21).

use proofkey::core::{Core, Entropy, Step, UnixTime, UserSource};
use proofkey::{Request, Secret, User, UserChange};
use proofkey_tests::{
    ADA, CHALLENGE, Fault, Keeper, NEW_PASSWORD, PASSWORD, People, REDIRECT_URI, Reply, Rows, START, answer,
    authorization, core_with, hidden,
};
use serde_json::json;

const COST: u32 = 6;
const ADA_NAME: &str = "ada@example.com";
const WRONG: &str = "a wrong one, this";

/// Who keeps the users, and a browser.
struct Place {
    core: Core,
    rows: Rows,
    people: People,
    seed: std::cell::Cell<u64>,
    cookies: std::cell::RefCell<Vec<(String, String)>>,
}

/// An answer, and the rounds of each job; none for one that makes a hash.
type Paid = (Reply, Vec<Option<u64>>);

impl Place {
    fn new(keeper: Keeper) -> Self {
        let source = if keeper == Keeper::Host { UserSource::Find } else { UserSource::BuiltIn };
        // Limits are off: they count attempts, and are not what is measured.
        let off = [("limit_user", "off"), ("limit_address", "off")];
        let core = core_with(source, COST, &off);
        let place =
            Self { core, rows: Rows::default(), people: People::default(), seed: 1.into(), cookies: Vec::new().into() };
        if keeper == Keeper::Server {
            let user = User::new(ADA).with_username(ADA_NAME);
            place.operate(|core, now, entropy| core.create_user(user, Secret::from(PASSWORD), now, entropy));
        }
        place
    }

    fn entropy(&self) -> Entropy {
        self.seed.set(self.seed.get() + 1);
        Entropy::from_seed(self.seed.get())
    }

    fn operate<T, E: std::fmt::Debug, F: std::fmt::Debug>(
        &self,
        begin: impl FnOnce(&Core, UnixTime, Entropy) -> Step<Result<Result<T, E>, F>>,
    ) {
        let step = begin(&self.core, UnixTime::from_seconds(START), self.entropy());
        self.drive(step).0.unwrap().unwrap();
    }

    fn drive<T>(&self, mut step: Step<T>) -> (T, Vec<Option<u64>>) {
        let mut paid = Vec::new();
        loop {
            step = match step {
                Step::Done(reply) => return (reply.into_value(), paid),
                Step::Work(work) => {
                    let (job, waiting) = work.detach();
                    let worked = job.run();
                    paid.push(worked.rounds());
                    waiting.answer(worked)
                }
                other => answer(&self.rows, &self.people, other, Fault::None),
            };
        }
    }

    fn send(&self, request: http::request::Builder, body: String) -> Paid {
        let cookies: Vec<_> = self.cookies.borrow().iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = request.header("cookie", cookies.join("; ")).header("sec-fetch-site", "same-origin");
        let request = Request::new(request.body(body.into()).unwrap(), None);
        let (response, paid) = self.drive(self.core.begin(request, UnixTime::from_seconds(START), self.entropy()));
        let reply = Reply::from(response);
        for line in reply.headers.get_all("set-cookie") {
            let (name, value) = line.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.borrow_mut().retain(|(one, _)| one != name);
            self.cookies.borrow_mut().push((name.to_owned(), value.to_owned()));
        }
        (reply, paid)
    }

    fn get(&self, path: &str) -> Reply {
        self.send(http::Request::get(path), String::new()).0
    }

    fn post(&self, path: &str, fields: &[(&str, &str)]) -> Paid {
        let request = http::Request::post(path).header("content-type", "application/x-www-form-urlencoded");
        self.send(request, proofkey_tests::encode(fields))
    }

    fn json(&self, name: &str, password: &str) -> Paid {
        let body = json!({
            "client_id": "web", "redirect_uri": REDIRECT_URI, "code_challenge": CHALLENGE,
            "code_challenge_method": "S256", "scope": "read", "username": name, "password": password,
        });
        let request = http::Request::post("/auth/authorize").header("content-type", "application/json");
        self.send(request, body.to_string())
    }

    fn page(&self, name: &str, password: &str) -> Paid {
        let sealed = hidden(&self.get(&authorization("web", REDIRECT_URI)), "request");
        self.post("/auth/login", &[("request", &sealed), ("username", name), ("password", password)])
    }

    fn change(&self, current: &str) -> Paid {
        let token = hidden(&self.get("/auth/password"), "form_token");
        let fields = [("form_token", &*token), ("current_password", current), ("new_password", NEW_PASSWORD)];
        self.post("/auth/password", &fields)
    }
}

/// What is wrong with an attempt at Ada's password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    CheaperHash,
    Disabled,
    EmptyHash,
    Gone,
    MalformedHash,
    Name,
    Password,
}

impl Wrong {
    const ALL: [Self; 7] = [
        Self::CheaperHash,
        Self::Disabled,
        Self::EmptyHash,
        Self::Gone,
        Self::MalformedHash,
        Self::Name,
        Self::Password,
    ];

    /// Makes it so; nothing where it cannot be.
    fn prepare(self, place: &Place, keeper: Keeper) -> Option<(&'static str, &'static str)> {
        match (self, keeper) {
            (Self::Password, _) => return Some((ADA_NAME, WRONG)),
            (Self::Name, _) => return Some(("nobody@example.com", PASSWORD)),
            // The table of the tests holds hashes of cost 4.
            (Self::CheaperHash, Keeper::Host) => {
                place.people.set_hash(ADA, &People::default().hash_of(ADA).unwrap());
                return Some((ADA_NAME, WRONG));
            }
            (Self::Disabled, Keeper::Host) => place.people.dismiss(ADA),
            (Self::EmptyHash, Keeper::Host) => place.people.set_hash(ADA, ""),
            (Self::Gone, Keeper::Host) => place.people.remove(ADA),
            (Self::MalformedHash, Keeper::Host) => place.people.set_hash(ADA, "$2b$99$not.a.hash"),
            (Self::Disabled, Keeper::Server) => {
                place.operate(|core, now, entropy| core.change_user(ADA_NAME, UserChange::Disable, now, entropy));
            }
            (Self::Gone, Keeper::Server) => {
                place.operate(|core, now, entropy| core.delete_user(ADA_NAME, now, entropy));
            }
            (Self::CheaperHash | Self::EmptyHash | Self::MalformedHash, Keeper::Server) => return None,
        }
        Some((ADA_NAME, PASSWORD))
    }
}

/// An answer without what is new each time, and without the name that was typed.
fn seen(reply: &Reply, name: &str) -> (u16, String) {
    let text = String::from_utf8_lossy(&reply.body).replace(name, "NAME");
    let sealed = text.split("name=\"request\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
    (reply.status.as_u16(), text.replace(sealed.unwrap_or("nothing"), "SEALED"))
}

fn each_costs_the_same(door: fn(&Place, &str, &str) -> Paid, status: u16) {
    let mut attempts = 0;
    for keeper in Keeper::BOTH {
        let mut first = None;
        for wrong in Wrong::ALL {
            let place = Place::new(keeper);
            let Some((name, password)) = wrong.prepare(&place, keeper) else { continue };
            let (reply, paid) = door(&place, name, password);
            assert_eq!(paid, [Some(1 << COST)], "{wrong:?} {keeper:?}");
            let seen = seen(&reply, name);
            assert_eq!(seen.0, status, "{wrong:?} {keeper:?}");
            assert_eq!(first.get_or_insert_with(|| seen.clone()), &seen, "{wrong:?} {keeper:?}");
            attempts += 1;
        }
    }
    assert_eq!(attempts, 11);
}

#[test]
fn a_sign_in_by_json_costs_the_same_whatever_is_wrong() {
    let _rows = proofkey_conformance::shows(&["passwords-login-1", "passwords-login-2"]);
    each_costs_the_same(Place::json, 400);
}

#[test]
fn a_sign_in_on_the_page_costs_the_same_whatever_is_wrong() {
    let _rows = proofkey_conformance::shows(&["passwords-login-1", "passwords-login-2"]);
    each_costs_the_same(Place::page, 403);
}

/// Who is signed in is known here; what has become of the user since is not to be told by the time.
#[test]
fn showing_the_current_password_again_costs_the_same_whatever_is_wrong() {
    let _rows = proofkey_conformance::shows(&["passwords-login-1"]);
    for wrong in Wrong::ALL.into_iter().filter(|wrong| *wrong != Wrong::Name) {
        let place = Place::new(Keeper::Host);
        assert_eq!(place.page(ADA_NAME, PASSWORD).0.status, 303, "{wrong:?}");
        let (_, password) = wrong.prepare(&place, Keeper::Host).unwrap();
        let (reply, paid) = place.change(password);
        assert_eq!((reply.status.as_u16(), paid), (403, vec![Some(1 << COST)]), "{wrong:?}");
    }
    let place = Place::new(Keeper::Server);
    assert_eq!(place.page(ADA_NAME, PASSWORD).0.status, 303);
    let (reply, paid) = place.change(WRONG);
    assert_eq!((reply.status.as_u16(), paid), (403, vec![Some(1 << COST)]));
    let (reply, paid) = place.change(PASSWORD);
    assert_eq!((reply.status.as_u16(), paid), (303, vec![Some(1 << COST), None]), "the right one, and the new hash");
}

/// The right password costs no less than a wrong one, but for the hash that replaces an outdated one.
#[test]
fn the_right_password_costs_what_a_wrong_one_does() {
    for keeper in Keeper::BOTH {
        let place = Place::new(keeper);
        let outdated = keeper == Keeper::Host;
        let (reply, paid) = place.json(ADA_NAME, PASSWORD);
        assert_eq!(reply.status, 200);
        let expected: &[_] = if outdated { &[Some(1 << COST), None] } else { &[Some(1 << COST)] };
        assert_eq!(paid, expected, "{keeper:?}");
        assert_eq!(place.json(ADA_NAME, PASSWORD).1, [Some(1 << COST)], "{keeper:?}");
    }
}
