//! Every public type either prints nothing, or holds nothing that could be a secret, or is printed here with a secret in
//! every field that can hold one (invariant I20). A type that is added has to be put into one of the three lists.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proofkey::core::{
    Delete, Entropy, FernetKey, FernetRing, Find, Get, Job, KeyRing, Pages, Put, Reply, SessionKeys, Step, UserStep,
    Waiting, Work, Worked,
};
use proofkey::store::MemoryStore;
use proofkey::{
    AsyncServer, Authentication, Client, ClientCredentials, ClientSecret, CodeExchange, Keys, Request, Requirement,
    Secret, Server, UnixTime, User, UserAnswer, UserChange, UserQuestion,
};
use proofkey_tests::{
    Fault, ISSUER, KEY, People, REDIRECT_URI, Rows, START, Scanner, SignedIn, VERIFIER, Visit, World, answer,
    authorization, configure, core, form_request, keys, secret_of,
};

/// Printed below.
const PRINTED: [&str; 35] = [
    "AccessToken",
    "AdminError",
    "AsyncServer",
    "Authentication",
    "Builder",
    "Client",
    "ClientCredentials",
    "ClientSecret",
    "CodeExchange",
    "Config",
    "Core",
    "Entropy",
    "Event",
    "FernetKey",
    "FernetRing",
    "Introspection",
    "KeyRing",
    "Keys",
    "Pages",
    "Pending",
    "Pkce",
    "RecordView",
    "Refusal",
    "Reply",
    "Request",
    "Secret",
    "SecretDigest",
    "Server",
    "SessionKeys",
    "Tokens",
    "User",
    "UserAnswer",
    "UserChange",
    "UserQuestion",
    "UserSummary",
];

/// They cannot be printed.
const SILENT: [&str; 10] = ["Delete", "Find", "Get", "Job", "Put", "Step", "UserStep", "Waiting", "Work", "Worked"];

/// They hold names, kinds, limits and texts, sealed bytes, or the host's own error; some are traits. A `Response` is of the
/// crate `http`, and prints what is sent: whoever prints it prints that.
const PLAIN: [&str; 51] = [
    "Alias",
    "ApiMisuse",
    "ApplicationType",
    "AsyncAuthenticator",
    "AsyncUsers",
    "AuthMethod",
    "Authenticator",
    "BoxFuture",
    "Clock",
    "ErrorCode",
    "EventKind",
    "GrantSummary",
    "GrantType",
    "InvalidClient",
    "InvalidFernetKey",
    "InvalidFernetToken",
    "InvalidField",
    "InvalidRedirectUri",
    "InvalidScope",
    "InvalidText",
    "Key",
    "KeyError",
    "KeyId",
    "Limit",
    "Logo",
    "Memo",
    "NoEntropy",
    "Owner",
    "PasswordError",
    "Problem",
    "Query",
    "Record",
    "RedirectUri",
    "Requirement",
    "Response",
    "Rotation",
    "Scope",
    "ScopeText",
    "SessionSummary",
    "Setting",
    "Settings",
    "StoreCalls",
    "StoreError",
    "SystemClock",
    "Texts",
    "Unit",
    "UnixTime",
    "UserSource",
    "Users",
    "Version",
    "Write",
];

/// The types that the roots of the two crates name.
fn public() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for root in ["core/src/lib.rs", "host/src/lib.rs"] {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(root)).unwrap();
        for exported in text.split("pub use ").skip(1).filter_map(|rest| rest.split(';').next()) {
            let words = exported.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
            let types = words.filter(|word| {
                word.starts_with(|first: char| first.is_ascii_uppercase())
                    && word.contains(|one: char| one.is_lowercase())
            });
            names.extend(types.map(str::to_owned));
        }
    }
    names
}

#[test]
fn every_public_type_is_in_one_of_the_lists() {
    let lists: Vec<&str> = [&PRINTED[..], &SILENT, &PLAIN].concat();
    let listed: BTreeSet<String> = lists.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(listed.len(), lists.len(), "no type is in two");
    assert_eq!(public(), listed);
}

/// Fails to compile where `$type` can be printed: then two implementations fit and none can be chosen.
macro_rules! prints_nothing {
    ($($type:ty),+) => {$({
        trait Ambiguous<A> {
            fn chosen() {}
        }
        impl<T: ?Sized> Ambiguous<()> for T {}
        struct Implements;
        impl<T: ?Sized + Debug> Ambiguous<Implements> for T {}
        <$type as Ambiguous<_>>::chosen();
    })+};
}

#[test]
fn steps_and_jobs_cannot_be_printed() {
    prints_nothing!(Delete, Find, Get, Job, Put, Step, UserStep, Waiting, Work, Worked);
    let answers: [&str; 10] = ["Delete", "Find", "Get", "Job", "Put", "Step", "UserStep", "Waiting", "Work", "Worked"];
    assert_eq!(answers, SILENT);
}

const PASSWORD: &str = "a passphrase that is sung to nobody";
const HASH: &str = "$2b$04$aFHtZ0XpXVirbETxbFKrKOk08erjTx2yXazEO4NAf.YQCHYW/L6sC";
const SESSION_KEY: &str = "bWdJ3q0vXH0cQ1bqkq3c2yS7mVnq2o0u4cW8rXx1T9s=";

/// What was printed, and of which type.
#[derive(Default)]
struct Printer {
    scanner: Scanner,
    printed: Vec<(&'static str, String)>,
}

impl Printer {
    fn print(&mut self, name: &'static str, value: &dyn Debug) {
        self.printed.push((name, format!("{value:?}\n{value:#?}")));
    }

    fn secret(&mut self, secret: &str) -> Secret {
        self.scanner.add("secret", secret);
        Secret::from(secret)
    }
}

/// The end of a flow, as a driver gets it.
fn end<T>(mut step: Step<T>, rows: &Rows) -> Reply<T> {
    loop {
        match step {
            Step::Done(reply) => return reply,
            other => step = answer(rows, &People::default(), other, Fault::None),
        }
    }
}

#[test]
fn nothing_that_can_be_printed_prints_a_secret() {
    let _rows = proofkey_conformance::shows(&["secrets-mem-1", "secrets-log-1"]);
    let mut printer = Printer::default();
    for secret in [PASSWORD, HASH, SESSION_KEY, KEY, VERIFIER] {
        printer.secret(secret);
    }
    what_clients_present(&mut printer);
    what_a_host_configures(&mut printer);
    what_comes_of_calls(&mut printer);
    let names: BTreeSet<&str> = printer.printed.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, PRINTED.into(), "each is printed");
    for (name, printed) in &printer.printed {
        assert_eq!(printer.scanner.find(printed.as_bytes()), None, "{name}: {printed}");
    }
}

fn what_clients_present(printer: &mut Printer) {
    let text = secret_of("service");
    let secret = printer.secret(&text);
    let kept = ClientSecret::from_text(&secret);
    printer.print("ClientSecret", &kept);
    printer.print("Client", &Client::confidential("c", kept).redirect_uri(REDIRECT_URI));
    printer.print("SecretDigest", &secret.digest());
    printer.scanner.add("digest", &STANDARD.encode(secret.digest().as_bytes()));
    printer.print("Secret", &secret);
    printer.print("ClientCredentials", &ClientCredentials::secret("c", secret));
    printer.print("CodeExchange", &CodeExchange::new(Secret::from(&*text), Secret::from(VERIFIER)));
    let named = |hash: &str| User::new("ada").with_username("ada").with_password_hash(hash);
    printer.print("User", &named(HASH));
    printer.print("UserAnswer", &UserAnswer::Found(named(HASH)));
    printer.print("UserChange", &UserChange::Password(Secret::from(PASSWORD)));
    let (name, password) = ("ada".to_owned(), Secret::from(PASSWORD));
    printer.print("UserQuestion", &UserQuestion::Authenticate { name, password });
    let (subject, hash, replaces) = ("ada".to_owned(), HASH.to_owned(), Some(HASH.to_owned()));
    printer.print("UserQuestion", &UserQuestion::StorePasswordHash { subject, hash, replaces });
    let request = http::Request::post(format!("/auth/token?code={text}")).header("authorization", &text);
    let request = request.header("cookie", format!("a={text}")).body(bytes::Bytes::from(text.clone())).unwrap();
    printer.print("Request", &Request::new(request, None));
}

fn what_a_host_configures(printer: &mut Printer) {
    let (key, session) = (Secret::from(KEY), Secret::from(SESSION_KEY));
    printer.print("KeyRing", &KeyRing::parse(&key).unwrap());
    printer.print("FernetKey", &FernetKey::parse(KEY).unwrap());
    printer.print("FernetRing", &FernetRing::new(FernetKey::parse(KEY).unwrap(), Vec::new()));
    printer.print("Keys", &Keys::parse(&key).unwrap().with_session(&session).unwrap());
    printer.print("SessionKeys", &SessionKeys::parse(&session).unwrap());
    let mut pages = Pages::default();
    pages.session_keys = SessionKeys::parse(&session).ok();
    printer.print("Pages", &pages);
    let seed = [0x5a_u8; 32];
    printer.scanner.add("entropy", &STANDARD.encode(seed));
    printer.print("Entropy", &Entropy::from_driver(seed));
    printer.print("Core", &core());
    printer.print("Config", core().config());
    let builder = configure(Server::builder(ISSUER)).keys(keys(KEY)).store(MemoryStore::new()).users(People::default());
    printer.print("Builder", &builder);
    printer.print("Server", &builder.build().unwrap());
    let builder = configure(AsyncServer::builder(ISSUER)).store(MemoryStore::new()).users(People::default());
    printer.print("AsyncServer", &builder.build().unwrap());
}

fn what_comes_of_calls(printer: &mut Printer) {
    let rows = Arc::new(Rows::default());
    let world = World::with_own_users(rows.clone(), |builder| builder);
    world.server.create_user(User::new("ada@example.com"), printer.secret(PASSWORD)).unwrap();
    let sign_in = || world.code_with(&serde_json::json!({ "password": PASSWORD }));
    let (code, again) = (sign_in(), sign_in());
    let exchange = CodeExchange::new(printer.secret(&code), Secret::from(VERIFIER)).redirect_uri(REDIRECT_URI);
    let tokens = world.server.redeem(ClientCredentials::public("web"), exchange).unwrap();
    let access = printer.secret(tokens.access_token().expose_text().unwrap());
    let refresh = printer.secret(tokens.refresh_token().unwrap().expose_text().unwrap());
    printer.print("Tokens", &tokens);
    let pair = world.server.pkce().unwrap();
    printer.secret(pair.code_verifier().expose_text().unwrap());
    printer.print("Pkce", &pair);

    // The reply that a driver gets holds the response, and tokens in it.
    let fields = [
        ("grant_type", "authorization_code"),
        ("client_id", "web"),
        ("code", &*again),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", VERIFIER),
    ];
    printer.secret(&again);
    let now = UnixTime::from_seconds(START);
    let reply = end(core().begin(form_request("/auth/token", &fields), now, Entropy::from_seed(3)), &rows);
    printer.print("Reply", &reply);
    let SignedIn { access: inside, refresh: next, .. } = SignedIn::of(&reply.into_value().into());
    printer.secret(&inside);
    let reply = end(
        core().refresh(ClientCredentials::public("web"), printer.secret(&next), None, now, Entropy::from_seed(4)),
        &rows,
    );
    printer.print("Reply", &reply);
    for secret in reply.into_value().iter().flat_map(|tokens| [Some(tokens.access_token()), tokens.refresh_token()]) {
        printer.secret(secret.and_then(Secret::expose_text).unwrap());
    }

    let request =
        http::Request::get("/things").header("authorization", format!("Bearer {}", access.expose_text().unwrap()));
    let request = Request::new(request.body(bytes::Bytes::new()).unwrap(), None);
    printer.print("AccessToken", &world.server.check_access(request, Requirement::any()).unwrap());
    let portal = || ClientCredentials::secret("inspector", Secret::from(&*secret_of("inspector")));
    printer.print("Introspection", &world.server.introspect(portal(), access).unwrap());
    printer.print("Refusal", &world.server.introspect(ClientCredentials::public("web"), refresh).unwrap_err());
    let wrong = ClientCredentials::secret("service", Secret::from(PASSWORD));
    printer.print("Refusal", &world.server.revoke(wrong, Secret::from(VERIFIER)).unwrap_err());
    for (key, _) in rows.all() {
        printer.print("RecordView", &world.server.record(key.as_str()).unwrap());
    }
    printer.print("UserSummary", &world.server.stored_users().unwrap());
    let change = UserChange::Password(Secret::from("brief"));
    printer.print("AdminError", &world.server.change_user("ada@example.com", change).unwrap_err());
    printer.print(
        "AdminError",
        &world.server.create_user(User::new("ada@example.com"), Secret::from(PASSWORD)).unwrap_err(),
    );
    printer.print("Event", &world.take_full_events());

    let host = World::with(|builder| builder.login_url("/signin"));
    let visit = Visit::new(&host);
    let target = visit.get(&authorization("web", REDIRECT_URI)).header("location").to_owned();
    let request = http::Request::get(&target).header("cookie", visit.cookies()).body(bytes::Bytes::new()).unwrap();
    let pending = host.server.pending(Request::new(request, None)).unwrap();
    printer.secret(pending.request_value());
    printer.print("Pending", &pending);
    printer.print("Authentication", &Authentication::new("ada", now).username("ada").amr(["pwd"]));

    let own = World::new();
    printer.secret(own.server.reset_link("bob").unwrap().unwrap().expose_text().unwrap().rsplit('=').next().unwrap());
    let asking = World::with(|builder| builder.set("endpoints", "authorize token forgot"));
    asking.form("/auth/forgot", &[("username", "bob")]);
    let events = asking.take_full_events();
    let link = events.iter().find_map(proofkey::Event::reset_link).unwrap();
    printer.secret(link.expose_text().unwrap().rsplit('=').next().unwrap());
    printer.print("Event", &events);
}
