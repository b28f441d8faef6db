//! What a server keeps before its host or an operator calls it.

use std::sync::{Arc, LazyLock};

use proofkey::{Builder, Client, Secret, User, UserChange};
use serde_json::json;

use crate::visit::authorization;
use crate::world::{KEY, keys};
use crate::{NEW_PASSWORD, PASSWORD, REDIRECT_URI, Rows, SignedIn, Visit, World};

/// A key of the ring that is to go.
pub const OLD_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// Users and clients in the store, and what they hold.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Kept {
    /// Ada's subject.
    pub subject: String,
    /// A code of the client `web` that nobody has redeemed.
    pub code: String,
    /// Her tokens of the client `web`.
    pub web: SignedIn,
    /// The grant that these are of.
    pub grant: String,
    /// Her tokens of the client `portal`.
    pub portal: SignedIn,
    /// Her tokens of the client `stored`.
    pub stored: SignedIn,
    /// What the client `web` got where she signed in in a browser.
    pub of_browser: SignedIn,
    /// That sign-in, as listings name it, and the browser's cookies.
    pub session: String,
    /// The cookies of that browser.
    pub cookies: String,
    /// Bob's tokens of the client `portal`: nobody has anything against Bob.
    pub bobs: SignedIn,
    /// Where a browser came to the host's own page, on the way to the client `web`.
    pub arrived: String,
    /// Where it came to on the way to the client `stored`.
    pub arrived_for_stored: String,
    /// Its cookies.
    pub arriving: String,
}

impl Kept {
    /// What is kept in these rows: made once.
    #[must_use]
    pub fn ready() -> (Rows, Self) {
        static READY: LazyLock<(Rows, Kept)> = LazyLock::new(|| {
            let rows = Arc::new(Rows::default());
            let kept = Kept::prepare(&rows);
            (Rows::clone(&rows), kept)
        });
        READY.clone()
    }

    /// A server over such rows.
    pub fn configure<S>(builder: Builder<S>) -> Builder<S> {
        builder.keys(keys(&format!("{KEY},{OLD_KEY}")))
    }

    /// The same of a host that signs people in on a page of its own.
    pub fn with_own_login<S>(builder: Builder<S>) -> Builder<S> {
        Self::configure(builder).login_url("/signin")
    }

    fn prepare(rows: &Arc<Rows>) -> Self {
        let client = |client_id: &str| Client::public(client_id).redirect_uri(REDIRECT_URI).first_party();
        let before = World::with_own_users(rows.clone(), |builder| builder.keys(keys(&format!("{OLD_KEY},{KEY}"))));
        before.server.create_client(client("kept")).unwrap_or_else(|error| panic!("{error}"));

        let world = World::with_own_users(rows.clone(), |builder| Self::configure(builder).seed(2));
        world.server.create_client(client("stored")).unwrap_or_else(|error| panic!("{error}"));
        let user = |name: &str, password: &str| {
            let created = world.server.create_user(User::new(name), Secret::from(password));
            created.unwrap_or_else(|error| panic!("{error}"))
        };
        let subject = user("ada@example.com", PASSWORD);
        user("bob", "another long passphrase");
        user("eve", NEW_PASSWORD);
        user("locked", NEW_PASSWORD);
        let disabled = world.server.change_user("eve", UserChange::Disable);
        disabled.unwrap_or_else(|error| panic!("{error}"));
        for _ in 0..10 {
            world.authorize(&json!({"username": "locked", "password": "a wrong one"}));
        }

        let web = world.sign_in();
        let grants = world.server.grants_of(&subject).unwrap_or_else(|refusal| panic!("{refusal}"));
        let visit = Visit::new(&world);
        let of_browser = visit.sign_in_to_web("ada@example.com", PASSWORD);
        let sessions = world.server.sessions_of(&subject).unwrap_or_else(|refusal| panic!("{refusal}"));
        let stored = world.redeem_with(&world.code_with(&json!({"client_id": "stored"})), &[("client_id", "stored")]);

        let host = World::with_own_users(rows.clone(), |builder| Self::with_own_login(builder).seed(3));
        let arriving = Visit::new(&host);
        let arrive = |client: &str| arriving.get(&authorization(client, REDIRECT_URI)).header("location").to_owned();
        let (arrived, arrived_for_stored) = (arrive("web"), arrive("stored"));
        Self {
            code: world.code(),
            web,
            grant: grants.first().map(|grant| grant.id().to_owned()).unwrap_or_default(),
            portal: world.sign_in_as("portal", &json!({})),
            stored: SignedIn::of(&stored),
            of_browser,
            session: sessions.first().map(|session| session.id().to_owned()).unwrap_or_default(),
            cookies: visit.cookies(),
            bobs: world.sign_in_as("portal", &json!({"username": "bob", "password": "another long passphrase"})),
            arrived,
            arrived_for_stored,
            arriving: arriving.cookies(),
            subject,
        }
    }
}
