//! How a server is put together: every setting has a method of its name, and everything that is wrong is told at once.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use proofkey_core::{
    ApiMisuse, Client, Config, Event, KeyRing, Logo, Pages, Problem, ScopeText, Settings, Texts, UserSource,
};

#[cfg(feature = "tokio")]
use crate::async_server::{AsyncDirectory, AsyncParts, AsyncServer, StoreCalls};
use crate::clock::{Clock, SystemClock};
use crate::entropy::EntropySource;
use crate::keys::Keys;
use crate::server::{Directory, Parts, Server};
use crate::shared::{OnEvent, Shared};
#[cfg(feature = "tokio")]
use crate::store::AsyncStore;
use crate::store::{self, Store};
#[cfg(feature = "tokio")]
use crate::users::{AsyncAuthenticator, AsyncUsers};
use crate::users::{Authenticator, Users};

enum GivenStore {
    #[cfg(feature = "tokio")]
    Async(Arc<dyn AsyncStore>),
    Blocking(Arc<dyn Store>),
}

enum GivenUsers {
    #[cfg(feature = "tokio")]
    Async(Arc<dyn AsyncUsers>),
    #[cfg(feature = "tokio")]
    AsyncAuthenticator(Arc<dyn AsyncAuthenticator>),
    Blocking(Directory),
}

/// A server in the making; `S` is [`Server`] or [`crate::AsyncServer`].
///
/// A setting that is out of range is remembered, and `build` tells of it with all the others.
#[must_use = "a builder does nothing until it is built"]
pub struct Builder<S> {
    settings: Settings,
    problems: Vec<Problem>,
    keys: Option<Keys>,
    clients: Vec<Client>,
    texts: Vec<Texts>,
    store: Option<GivenStore>,
    users: GivenUsers,
    clock: Arc<dyn Clock>,
    entropy: EntropySource,
    on_event: Option<OnEvent>,
    server: PhantomData<S>,
}

/// A value that a setting takes, as the text that the table of settings describes.
trait SettingText {
    fn setting_text(self) -> String;
}

impl SettingText for Duration {
    fn setting_text(self) -> String {
        format!("{}s", self.as_secs_f64())
    }
}

impl SettingText for bool {
    fn setting_text(self) -> String {
        if self { "on".to_owned() } else { "off".to_owned() }
    }
}

impl SettingText for usize {
    fn setting_text(self) -> String {
        self.to_string()
    }
}

impl SettingText for &str {
    fn setting_text(self) -> String {
        self.to_owned()
    }
}

macro_rules! setting_methods {
    ($($(#[$doc:meta])+ $name:ident: $value:ty;)+) => {
        #[cfg(test)]
        const SETTING_METHODS: &[&str] = &[$(stringify!($name)),+];

        impl<S> Builder<S> {
            $($(#[$doc])+
            pub fn $name(self, $name: $value) -> Self {
                self.set(stringify!($name), &$name.setting_text())
            })+
        }
    };
}

setting_methods! {
    /// The path that requests carry instead of the issuer's, behind a proxy that strips prefixes.
    mounted_at: &str;
    /// Tells tenants apart in one store.
    key_prefix: &str;
    /// The longest that one store call may take; enforced by [`crate::AsyncServer`].
    store_timeout: Duration;
    /// Lost races before a 503.
    store_attempts: usize;
    /// `auto` or `manual`.
    sweep: &str;
    /// How long a code works.
    code_lifetime: Duration;
    /// How long an access token works.
    access_token_lifetime: Duration;
    /// How long a refresh token works unused; zero for none at all.
    refresh_token_lifetime: Duration;
    /// How long a grant lasts in all, however often it is refreshed.
    grant_lifetime: Duration;
    /// How long a refresh may be repeated with the same answer; zero is strict.
    reuse_leeway: Duration;
    /// The longest that one request may take; enforced by [`crate::AsyncServer`].
    flow_deadline: Duration;
    /// `always` or `public_clients`.
    rotation: &str;
    /// Whether a refresh asks for the user.
    refresh_checks_user: bool;
    /// The scope of a request that names none.
    default_scope: &str;
    /// The endpoints that are switched on, separated by blanks.
    endpoints: &str;
    /// The cost of bcrypt.
    password_cost: usize;
    /// The fewest characters of a new password.
    password_min_length: usize;
    /// Password hashes at once.
    work_limit: usize;
    /// Failures per user and address, as `10/15m` or `off`.
    limit_user: &str;
    /// Failed client authentications, as `30/1m` or `off`.
    limit_client: &str;
    /// Failures of one address, as `100/15m` or `off`.
    limit_address: &str;
    /// The proxies whose `X-Forwarded-For` counts, in CIDR notation.
    trusted_proxies: &str;
    /// The largest body of a request, in bytes.
    max_body: usize;
    /// How long a browser stays signed in, in all.
    session_lifetime: Duration;
    /// How long a browser stays signed in unused.
    session_idle: Duration;
    /// How long the page where people sign in may stay open.
    pending_lifetime: Duration;
    /// The host's own login page, instead of the built-in pages: a path, or a URL on the issuer's host.
    login_url: &str;
    /// The name of the cookie of a browser's sign-in.
    cookie_name: &str;
    /// Whose pages these are, as people read it.
    page_name: &str;
    /// The image above the pages: an https URL, a path on the issuer's host, or `file:` and the path of an image.
    page_logo: &str;
    /// The colour of buttons and links, as CSS hex.
    page_colour: &str;
    /// The language of the pages, or `auto`.
    page_language: &str;
}

impl<S> Builder<S> {
    pub(crate) fn new(issuer: &str) -> Self {
        Self {
            settings: Settings::new(),
            problems: Vec::new(),
            keys: None,
            clients: Vec::new(),
            texts: Vec::new(),
            store: None,
            users: GivenUsers::Blocking(Directory::BuiltIn),
            clock: Arc::new(SystemClock),
            entropy: EntropySource::system(),
            on_event: None,
            server: PhantomData,
        }
        .set("issuer", issuer)
    }

    /// Sets one setting of the table by its name and text, as it stands in a file or a variable.
    pub fn set(mut self, name: &str, text: &str) -> Self {
        if let Err(problem) = self.settings.set(name, text) {
            self.problems.push(problem);
        }
        self
    }

    /// Takes over settings that were collected elsewhere, the issuer among them.
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// The keys that seal records and make tokens.
    pub fn keys(mut self, keys: Keys) -> Self {
        self.keys = Some(keys);
        self
    }

    /// A scope, with the text that explains it to people. What is not listed does not exist.
    pub fn scope(mut self, name: &str, text: &str) -> Self {
        self.settings.scope(name, ScopeText::new(name, text));
        self
    }

    /// A scope with all that can be said of it.
    pub fn scope_text(mut self, name: &str, scope: ScopeText) -> Self {
        self.settings.scope(name, scope);
        self
    }

    /// A client, configured rather than stored.
    pub fn client(mut self, client: Client) -> Self {
        self.clients.push(client);
        self
    }

    /// The texts of the pages in a further language.
    pub fn texts(mut self, texts: Texts) -> Self {
        self.texts.push(texts);
        self
    }

    /// Where records are kept. [`crate::AsyncServer`] calls it where blocking is fine.
    pub fn store(mut self, store: impl Store + 'static) -> Self {
        self.store = Some(GivenStore::Blocking(Arc::new(store)));
        self
    }

    /// The host's table of users; without it, users are records of proofkey's own.
    pub fn users(mut self, users: impl Users + 'static) -> Self {
        self.users = GivenUsers::Blocking(Directory::Users(Arc::new(users)));
        self
    }

    /// A host that verifies passwords itself.
    pub fn authenticator(mut self, host: impl Authenticator + 'static) -> Self {
        self.users = GivenUsers::Blocking(Directory::Authenticator(Arc::new(host)));
        self
    }

    /// Another clock than the system's.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Is called with each event of each flow, after it, on the thread that answered; for log, metrics and audit. It
    /// must not block.
    pub fn on_event(mut self, on_event: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.on_event = Some(Arc::new(on_event));
        self
    }

    /// Entropy from a seed: the same calls give the same bytes.
    #[cfg(feature = "testing")]
    pub fn seed(mut self, seed: u64) -> Self {
        self.entropy = EntropySource::Seeded(seed.into());
        self
    }

    /// No entropy at all, as on a machine whose generator fails.
    #[cfg(feature = "testing")]
    pub fn without_entropy(mut self) -> Self {
        self.entropy = EntropySource::Dry;
        self
    }

    /// A cost of bcrypt below the floor.
    #[cfg(feature = "testing")]
    pub fn password_cost_for_tests(mut self, cost: u32) -> Self {
        self.settings.password_cost_for_tests(cost);
        self
    }

    /// Checks everything that both servers need.
    fn check(self) -> Result<Checked, ApiMisuse> {
        let Self { settings, mut problems, keys, clients, texts, store, users, clock, entropy, on_event, .. } = self;
        let store = match (store, settings.store_url()) {
            (Some(store), _) => Some(store),
            (None, Some(url)) => match store::open(url) {
                Ok(store) => Some(GivenStore::Blocking(store)),
                Err(error) => {
                    problems.push(Problem::new("store", error.to_string()));
                    None
                }
            },
            (None, None) => {
                problems.push(Problem::new("store", "it is missing: a URL such as sqlite:///auth.db, or an object"));
                None
            }
        };
        let ring = match keys.as_ref().map(Keys::ring) {
            Some(Ok(ring)) => Some(ring),
            Some(Err(error)) => {
                problems.push(Problem::new("encryption_keys", error.to_string()));
                None
            }
            None => {
                problems
                    .push(Problem::new("encryption_keys", "they are missing: give `keys`, as from Keys::from_env()"));
                None
            }
        };
        let source = match &users {
            #[cfg(feature = "tokio")]
            GivenUsers::AsyncAuthenticator(_) => UserSource::Authenticate,
            GivenUsers::Blocking(Directory::Authenticator(_)) => UserSource::Authenticate,
            #[cfg(feature = "tokio")]
            GivenUsers::Async(_) => UserSource::Find,
            GivenUsers::Blocking(Directory::Users(_)) => UserSource::Find,
            GivenUsers::Blocking(Directory::BuiltIn) => UserSource::BuiltIn,
        };
        let mut pages = Pages::default();
        pages.texts = texts;
        if let Some(path) = settings.logo_file() {
            let read = std::fs::read(path).map_err(|error| format!("{path} cannot be read: {error}"));
            match read.and_then(|bytes| Logo::new(bytes).map_err(|problem| format!("{path}: {problem}"))) {
                Ok(logo) => pages.logo = Some(logo),
                Err(problem) => problems.push(Problem::new("page_logo", problem)),
            }
        }
        pages.session_keys = match keys.as_ref().and_then(Keys::session_ring).transpose() {
            Ok(keys) => keys,
            Err(error) => {
                problems.push(Problem::new("session_keys", error.to_string()));
                None
            }
        };
        let known = ring.is_some();
        // Without keys the rest is checked all the same, under a ring that nothing is ever sealed with.
        let ring =
            ring.or_else(|| KeyRing::new(&[std::array::from_fn(|at| u8::try_from(at).unwrap_or(0)).into()]).ok());
        let config = ring.map(|ring| Config::new(settings, ring, source, clients, pages));
        match (config, store) {
            (Some(Ok(config)), Some(store)) if problems.is_empty() && known => {
                Ok(Checked { shared: Shared::new(config, clock, entropy, on_event), store, users })
            }
            (Some(Err(misuse)), _) => {
                problems.extend(misuse.problems().iter().cloned());
                Err(ApiMisuse::new(problems))
            }
            _ => Err(ApiMisuse::new(problems)),
        }
    }
}

struct Checked {
    shared: Shared,
    store: GivenStore,
    users: GivenUsers,
}

impl Builder<Server> {
    /// Builds the server.
    ///
    /// # Errors
    /// [`ApiMisuse`] with everything that is missing, out of range or contradictory, and the remedies.
    pub fn build(self) -> Result<Server, ApiMisuse> {
        let Checked { shared, store, users } = self.check()?;
        match (store, users) {
            (GivenStore::Blocking(store), GivenUsers::Blocking(directory)) => {
                Ok(Server::new(Parts { shared, store, directory }))
            }
            #[cfg(feature = "tokio")]
            _ => Err(Problem::new("store", "asynchronous parts need an AsyncServer").into()),
        }
    }
}

#[cfg(feature = "tokio")]
impl Builder<AsyncServer> {
    /// A store whose calls are futures.
    pub fn async_store(mut self, store: impl AsyncStore + 'static) -> Self {
        self.store = Some(GivenStore::Async(Arc::new(store)));
        self
    }

    /// A table of users whose look-ups are futures.
    pub fn async_users(mut self, users: impl AsyncUsers + 'static) -> Self {
        self.users = GivenUsers::Async(Arc::new(users));
        self
    }

    /// A host that verifies passwords itself, by futures.
    pub fn async_authenticator(mut self, host: impl AsyncAuthenticator + 'static) -> Self {
        self.users = GivenUsers::AsyncAuthenticator(Arc::new(host));
        self
    }

    /// Builds the server. It needs a tokio runtime with time enabled when it is called, not before.
    ///
    /// # Errors
    /// [`ApiMisuse`] with everything that is missing, out of range or contradictory, and the remedies.
    pub fn build(self) -> Result<AsyncServer, ApiMisuse> {
        let Checked { shared, store, users } = self.check()?;
        let core = shared.core();
        let settings = core.config().settings();
        let store = match store {
            GivenStore::Async(store) => StoreCalls::Async(store),
            GivenStore::Blocking(store) if store.blocks() => StoreCalls::Blocking(store),
            GivenStore::Blocking(store) => StoreCalls::Inline(store),
        };
        let directory = match users {
            GivenUsers::Async(users) => AsyncDirectory::Async(users),
            GivenUsers::AsyncAuthenticator(host) => AsyncDirectory::AsyncAuthenticator(host),
            GivenUsers::Blocking(directory) => AsyncDirectory::Blocking(Arc::new(directory)),
        };
        Ok(AsyncServer::new(AsyncParts {
            turns: tokio::sync::Semaphore::new(shared.queue.limit()),
            store_timeout: settings.store_timeout(),
            flow_deadline: settings.flow_deadline(),
            shared,
            store,
            directory,
        }))
    }
}

impl<S> fmt::Debug for Builder<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("settings", &self.settings).field("keys", &self.keys).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_has_a_method_of_its_name() {
        // The issuer begins the builder, a store is an object, and scopes come one by one.
        let elsewhere = ["issuer", "store", "scopes"];
        let methods = elsewhere.iter().chain(SETTING_METHODS);
        let settings: Vec<&str> = proofkey_core::SETTINGS.iter().map(proofkey_core::Setting::name).collect();
        let missing: Vec<&&str> =
            settings.iter().filter(|name| !methods.clone().any(|method| method == *name)).collect();
        assert!(missing.is_empty(), "settings without a method: {missing:?}");
        assert!(SETTING_METHODS.iter().all(|method| settings.contains(method)), "a method without a setting");
    }
}
