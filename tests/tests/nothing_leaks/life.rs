//! What clients, people and operators do with one server, by the dice.

mod dice;

use std::sync::Arc;

use http::Method;
use proofkey::core::{Entropy, FernetKey, FernetRing, KeyRing};
use proofkey::store::Store;
use proofkey::{
    AdminError, Client, ClientCredentials, ClientSecret, CodeExchange, GrantType, Keys, Refusal, Requirement, Secret,
    User, UserChange,
};
use proofkey_tests::{
    Fault, Held, Overheard, REDIRECT_URI, Recorder, Reply, THIRD_URI, VERIFIER, Visit, World, authorization, code_in,
    encode, secret_of,
};
use serde_json::json;

use self::dice::Dice;

pub(crate) struct Person {
    name: String,
    password: String,
    cookies: String,
}

/// What clients and people do with one server.
pub(crate) struct Life {
    pub(crate) world: World,
    pub(crate) recorder: Recorder,
    dice: Dice,
    people: Vec<Person>,
    /// Refresh tokens of the client `web`, used or not, and access tokens.
    refresh: Vec<String>,
    access: Vec<String>,
    codes: Vec<String>,
    ring: Vec<String>,
    sessions: Vec<String>,
    pub(crate) issued: usize,
    passwords: usize,
}

impl Life {
    pub(crate) fn new(store: Arc<dyn Store>, seed: u64) -> Self {
        let recorder = Recorder::default();
        let overheard = Arc::new(Overheard::around(store, recorder.clone()));
        let mut dice = Dice(seed);
        let (ring, sessions) = (vec![dice.key()], vec![dice.key()]);
        let keys = keys(&ring, &sessions);
        let world = World::with_own_users(overheard, |builder| {
            Held::with_all_endpoints(builder).keys(keys).limit_user("100000/1m").limit_address("100000/1m")
        });
        let heard = recorder.clone();
        world.listen(move |request, reply| heard.exchange(request, reply));
        for client in ["portal", "service", "inspector"] {
            recorder.secret("client secret", &secret_of(client));
        }
        let mut life = Self {
            world,
            recorder,
            dice,
            people: Vec::new(),
            refresh: Vec::new(),
            access: Vec::new(),
            codes: Vec::new(),
            ring,
            sessions,
            issued: 0,
            passwords: 0,
        };
        for at in 0..4 {
            let (name, password) = (format!("person-{at}"), life.new_password());
            life.world.server.create_user(User::new(&name), Secret::from(&*password)).unwrap();
            life.people.push(Person { name, password, cookies: String::new() });
        }
        life.note_keys();
        life
    }

    fn note_keys(&self) {
        for key in self.ring.iter().chain(&self.sessions) {
            self.recorder.secret("key", key);
        }
    }

    fn new_password(&mut self) -> String {
        self.passwords += 1;
        let password = format!("a phrase of theirs, {:016x} {}", self.dice.next(), self.passwords);
        self.recorder.secret("password", &password);
        password
    }

    fn refused(&self, refusal: &Refusal) {
        self.recorder.printed(refusal);
        self.recorder.error(refusal);
        if let Some(detail) = refusal.private_detail() {
            self.recorder.said("errors", detail.as_bytes());
        }
        let page: Reply = self.world.server.refused_page(refusal).into();
        self.recorder.said("answers", &page.body);
    }

    pub(crate) fn told<T>(&self, outcome: Result<T, AdminError>) {
        if let Err(error) = outcome {
            self.recorder.printed(&error);
            self.recorder.error(&error);
        }
    }

    fn one(&mut self, list: &[String]) -> Option<String> {
        list.get(self.dice.below(list.len())).cloned()
    }

    /// Keeps the tokens of an answer, if it has any.
    fn tokens(&mut self, reply: &Reply) {
        if reply.status != 200 {
            return;
        }
        let body = reply.json();
        for (name, kept) in [("access_token", &mut self.access), ("refresh_token", &mut self.refresh)] {
            kept.extend(body[name].as_str().map(str::to_owned));
        }
        self.issued += 1;
    }

    fn redeem(&mut self, code: &str) {
        let reply = self.world.redeem(code);
        self.tokens(&reply);
    }

    pub(crate) fn act(&mut self) {
        let who = self.dice.below(self.people.len());
        match self.dice.below(24) {
            0..=2 => self.sign_in_by_json(who),
            3 => {
                let wrong = self.new_password();
                self.world.authorize(&json!({"username": self.people[who].name, "password": wrong}));
                self.world.authorize(&json!({"username": "nobody", "password": wrong}));
            }
            4..=6 => self.refresh(),
            7 => {
                if let Some(code) = self.one(&self.codes.clone()) {
                    self.redeem(&code);
                }
            }
            8 => self.show_tokens(),
            9 => {
                let tokens = if self.dice.below(2) == 0 { self.access.clone() } else { self.refresh.clone() };
                if let Some(token) = self.one(&tokens) {
                    self.world.revoke(&token);
                }
            }
            10..=12 => self.sign_in_on_the_page(who),
            13 => self.change_password(who),
            14 => self.reset_password(who),
            15..=16 => self.client_with_a_secret(),
            17 => self.rotate(),
            18 => {
                let at = self.dice.below(12);
                let fault = [Fault::Fail, Fault::Lost, Fault::Late][self.dice.below(3)];
                self.world.store.plan([vec![Fault::None; at], vec![fault; 1 + self.dice.below(40)]].concat());
            }
            19 => {
                self.world.json("/auth/challenge", &json!({}));
                self.world.form("/auth/forgot", &[("username", &self.people[who].name)]);
            }
            20 => self.typed_calls(),
            21 => self.operate(who),
            22 => self.look_around(who),
            _ => self.misplace(),
        }
        self.world.wait(self.dice.next() % 20);
        let events = self.world.take_full_events();
        self.recorder.events(&events);
    }

    fn sign_in_by_json(&mut self, who: usize) {
        let Person { name, password, .. } = &self.people[who];
        let reply = self.world.authorize(&json!({"username": name, "password": password}));
        if reply.status == 200 {
            let code = reply.text("code");
            if self.dice.below(4) == 0 {
                self.world.redeem_with(&code, &[("code_verifier", &VERIFIER.replace('d', "e"))]);
                self.world.redeem_with(&code, &[("redirect_uri", "https://elsewhere.example/cb")]);
                self.world.redeem_with(&format!("{code}x"), &[]);
            }
            self.redeem(&code);
            self.codes.push(code);
        }
    }

    fn refresh(&mut self) {
        let latest = self.refresh.len().saturating_sub(6);
        let recent = self.dice.below(4) != 0;
        let from = if recent { self.refresh[latest..].to_vec() } else { self.refresh.clone() };
        if let Some(token) = self.one(&from) {
            for _ in 0..=self.dice.below(2) {
                let reply = self.world.refresh(&token);
                self.tokens(&reply);
            }
        }
    }

    fn show_tokens(&mut self) {
        let Some(token) = self.one(&self.access.clone()) else { return };
        self.world.get("/auth/userinfo", &token);
        self.world.get("/auth/me", &format!("{token}x"));
        self.world.introspect("inspector", &token);
        let guess = self.new_password();
        let header = proofkey_tests::basic("inspector", &guess);
        self.world.form_with("/auth/introspect", &[("authorization", &header)], &[("token", &token)]);
    }

    fn sign_in_on_the_page(&mut self, who: usize) {
        let (name, password) = (self.people[who].name.clone(), self.people[who].password.clone());
        let wrong = self.new_password();
        let visit = Visit::new(&self.world);
        let page = visit.get(&authorization("web", REDIRECT_URI));
        let Some(request) = hidden(&page, "request") else { return };
        let fields = |password: &str| {
            [("request", request.clone()), ("username", name.clone()), ("password", password.to_owned())]
        };
        let mut code = None;
        for password in [wrong, password] {
            let fields = fields(&password);
            let reply = visit.post("/auth/login", &fields.each_ref().map(|(name, value)| (*name, &**value)));
            code = code_in(&reply);
        }
        let page = visit.get(&authorization("third", THIRD_URI));
        if let (Some(request), Some(token)) = (hidden(&page, "request"), hidden(&page, "form_token")) {
            let decision = if self.dice.below(3) == 0 { "deny" } else { "allow" };
            visit.post("/auth/consent", &[("request", &request), ("form_token", &token), ("decision", decision)]);
        }
        self.people[who].cookies = visit.cookies();
        if let Some(code) = code {
            self.redeem(&code);
        }
    }

    fn change_password(&mut self, who: usize) {
        let (wrong, new) = (self.new_password(), self.new_password());
        let visit = Visit::with_cookies(&self.world, &self.people[who].cookies);
        let Some(token) = hidden(&visit.get("/auth/password"), "form_token") else { return };
        let current = self.people[who].password.clone();
        for (current, new) in [(&*wrong, &*new), (&current, "brief"), (&current, &new)] {
            let fields =
                [("form_token", &*token), ("current_password", current), ("new_password", new), ("end_others", "yes")];
            visit.post("/auth/password", &fields);
        }
        self.find_out(who, new, visit.cookies());
    }

    fn reset_password(&mut self, who: usize) {
        let new = self.new_password();
        let link = self.world.server.reset_link(&self.people[who].name);
        let link = match link {
            Ok(Some(link)) => link,
            Ok(None) => return,
            Err(refusal) => return self.refused(&refusal),
        };
        self.recorder.printed(&link);
        let token = link.expose_text().unwrap().split_once("token=").unwrap().1.to_owned();
        self.recorder.secret("link", &token);
        self.world.get_plain(&format!("/auth/reset?{}", encode(&[("token", &token)])));
        self.world.form("/auth/reset", &[("token", &token), ("new_password", "brief")]);
        for _ in 0..2 {
            self.world.form("/auth/reset", &[("token", &token), ("new_password", &new)]);
        }
        let cookies = self.people[who].cookies.clone();
        self.find_out(who, new, cookies);
    }

    /// Whether a new password was set, where the answer may have been lost.
    fn find_out(&mut self, who: usize, new: String, cookies: String) {
        self.world.store.plan([]);
        self.people[who].cookies = cookies;
        let reply = self.world.authorize(&json!({"username": self.people[who].name, "password": new}));
        if reply.status == 200 {
            self.people[who].password = new;
        }
    }

    fn client_with_a_secret(&mut self) {
        let client_id = format!("client-{}", self.dice.below(6));
        let (kept, secret) = ClientSecret::generate(self.dice.bytes());
        let text = secret.expose_text().unwrap().to_owned();
        self.recorder.secret("client secret", &text);
        let client = Client::confidential(&client_id, kept.clone()).grant_types([GrantType::ClientCredentials]);
        for value in [&client as &dyn std::fmt::Debug, &kept, &secret] {
            self.recorder.printed(value);
        }
        match self.world.server.create_client(client.clone()) {
            Err(AdminError::Exists(_)) => self.told(self.world.server.update_client(client)),
            outcome => self.told(outcome),
        }
        let fields = [("grant_type", "client_credentials"), ("scope", "read")];
        for secret in [&*text, "a guess at a secret", &text[..text.len() - 1]] {
            let header = proofkey_tests::basic(&client_id, secret);
            let reply = self.world.form_with("/auth/token", &[("authorization", &header)], &fields);
            self.tokens(&reply);
            let posted = [fields.as_slice(), &[("client_id", &*client_id), ("client_secret", secret)]].concat();
            self.world.form("/auth/token", &posted);
        }
        if self.dice.below(3) == 0 {
            self.told(self.world.server.delete_client(&client_id));
        }
    }

    /// A new key, which seals from now on; the one before goes as soon as nothing needs it.
    fn rotate(&mut self) {
        if self.ring.len() == 1 {
            self.ring.insert(0, self.dice.key());
            self.sessions.insert(0, self.dice.key());
            self.note_keys();
        }
        let both = keys(&self.ring, &self.sessions);
        self.world.server.replace_keys(&both).unwrap();
        // Whatever was given under it ends.
        for client in ["web", "portal", "third", "service"] {
            if let Err(refusal) = self.world.server.revoke_client(client) {
                self.refused(&refusal);
            }
        }
        let retired = self.world.server.retire_key(both.ids()[1]);
        if retired.is_ok() {
            self.ring.truncate(1);
            self.sessions.truncate(2);
            self.world.server.replace_keys(&keys(&self.ring, &self.sessions)).unwrap();
        }
        self.told(retired);
        let (ring, session) = (Secret::from(&*self.ring[0]), FernetKey::parse(&self.sessions[0]).unwrap());
        for value in [&both as &dyn std::fmt::Debug, &KeyRing::parse(&ring).unwrap(), &session, &self.world.server] {
            self.recorder.printed(value);
        }
        self.recorder.printed(&FernetRing::new(session, Vec::new()));
        self.recorder.printed(&Entropy::from_seed(self.dice.next()));
        let () = self.world.server.with_config(|config| self.recorder.printed(config));
        // No list of keys is told of in an error.
        let broken = format!("{},{}x", self.ring[0], self.ring[0]);
        if let Err(error) = Keys::parse(&Secret::from(&*broken)) {
            self.recorder.printed(&error);
            self.recorder.error(&error);
        }
    }

    fn typed_calls(&mut self) {
        let guess = self.new_password();
        let server = self.world.server.clone();
        let web = || ClientCredentials::public("web");
        let (code, token) =
            (self.one(&self.codes.clone()).unwrap_or_default(), self.one(&self.refresh.clone()).unwrap_or_default());
        let wrong = ClientCredentials::secret("service", Secret::from(&*guess));
        self.recorder.printed(&wrong);
        let exchange = || CodeExchange::new(Secret::from(&*code), Secret::from(VERIFIER));
        self.recorder.printed(&exchange());
        let refused = [
            server.redeem(web(), exchange()).map(|_| ()),
            server.revoke(wrong, Secret::from(&*token)),
            server.introspect(web(), Secret::from(&*token)).map(|view| self.recorder.printed(&view)),
            server.check_access(bearer(&token), Requirement::any()).map(|access| self.recorder.printed(&access)),
        ];
        refused.iter().filter_map(|outcome| outcome.as_ref().err()).for_each(|refusal| self.refused(refusal));
        match server.refresh(web(), Secret::from(&*token), None) {
            Ok(tokens) => {
                self.recorder.printed(&tokens);
                let (access, refresh) = (tokens.access_token(), tokens.refresh_token());
                for (secret, kept) in [(Some(access), &mut self.access), (refresh, &mut self.refresh)] {
                    let text = secret.and_then(Secret::expose_text).map(str::to_owned);
                    text.iter().for_each(|text| self.recorder.secret("token", text));
                    kept.extend(text);
                }
            }
            Err(refusal) => self.refused(&refusal),
        }
        let access = self.one(&self.access.clone()).unwrap_or_default();
        match server.check_access(bearer(&access), Requirement::any()) {
            Ok(access) => self.recorder.printed(&access),
            Err(refusal) => self.refused(&refusal),
        }
        match server.pkce() {
            Ok(pair) => {
                self.recorder.secret("verifier", pair.code_verifier().expose_text().unwrap());
                self.recorder.printed(&pair);
            }
            Err(refusal) => self.refused(&refusal),
        }
    }

    fn operate(&mut self, who: usize) {
        let (name, taken) = (self.people[who].name.clone(), self.new_password());
        let server = &self.world.server;
        let change = UserChange::Password(Secret::from("brief one"));
        self.recorder.printed(&change);
        self.told(server.change_user(&name, change));
        self.told(server.create_user(User::new(&name), Secret::from(&*taken)));
        self.told(server.delete_client("nobody"));
        let subject = match server.stored_user(&name) {
            Ok(user) => {
                self.recorder.printed(&user);
                user.map(|user| user.subject().to_owned()).unwrap_or_default()
            }
            Err(refusal) => return self.refused(&refusal),
        };
        let looks: [Result<String, Refusal>; 6] = [
            server.grants_of(&subject).map(|all| format!("{all:?} {}", json!(all))),
            server.sessions_of(&subject).map(|all| format!("{all:?} {}", json!(all))),
            server.stored_clients().map(|all| format!("{all:?}")),
            server.stored_users().map(|all| format!("{all:?} {}", json!(all))),
            server.record(&format!("user:{name}")).map(|view| format!("{view:?} {}", json!(view))),
            server.grants_of_client("web").map(|all| format!("{all:?}")),
        ];
        for look in looks {
            match look {
                Ok(text) => self.recorder.said("printed", text.as_bytes()),
                Err(refusal) => self.refused(&refusal),
            }
        }
        let ended = match self.dice.below(4) {
            0 => server.revoke_all(&subject).map(|_| ()),
            1 => server.revoke_access(&subject, "third").map(|_| ()),
            _ => server.unlock_user(&name),
        };
        if let Err(refusal) = ended {
            self.refused(&refusal);
        }
    }

    fn look_around(&mut self, who: usize) {
        let visit = Visit::with_cookies(&self.world, &self.people[who].cookies);
        let page = visit.get("/auth/applications");
        if let Some(token) = hidden(&page, "form_token") {
            let action = ["withdraw", "end_session", "sign_out_everywhere", "nonsense"][self.dice.below(4)];
            let fields = [("form_token", &*token), ("action", action), ("client_id", "third"), ("session", "b.x")];
            visit.post("/auth/applications", &fields);
        }
        if let Some(token) = hidden(&visit.get("/auth/logout"), "form_token").filter(|_| self.dice.below(3) == 0) {
            visit.post("/auth/logout", &[("form_token", &token)]);
        }
        self.people[who].cookies = visit.cookies();
    }

    /// Secrets at places where they do not belong.
    fn misplace(&mut self) {
        let secret = self.one(&self.access.clone()).unwrap_or_else(|| "pfk_access_none".to_owned());
        let password = self.new_password();
        for path in
            ["/auth/token", "/auth/revoke", "/auth/introspect", "/auth/authorize", "/auth/login", "/auth/consent"]
        {
            let twice = format!("token={secret}&token={secret}&grant_type={}", encode(&[("x", &password)]));
            for method in [Method::POST, Method::GET, Method::PUT] {
                let query = format!("{path}?access_token={secret}&password={}", password.replace(' ', "+"));
                let headers = [("content-type", "application/x-www-form-urlencoded"), ("authorization", &*secret)];
                self.world.request(method, &query, &headers, twice.clone());
            }
            self.world.form(path, &[("client_id", &secret), ("client_secret", &password), ("grant_type", &secret)]);
            self.world.json(path, &json!({"grant_type": 7, "client_id": secret, "password": [password]}));
        }
        let unknown = http::Request::get(format!("/auth/{secret}")).body(bytes::Bytes::new()).unwrap();
        // The path of a request is printed, so it is not heard here.
        let reply: Reply = self.world.server.handle(unknown, None).into();
        self.recorder.said("answers", &reply.body);
        self.world.authorize(&json!({"client_id": secret, "scope": secret, "redirect_uri": secret}));
    }
}

fn keys(ring: &[String], sessions: &[String]) -> Keys {
    let keys = Keys::parse(&Secret::from(&*ring.join(",")));
    keys.and_then(|keys| keys.with_session(&Secret::from(&*sessions.join(",")))).unwrap()
}

fn bearer(token: &str) -> proofkey::Request {
    let request = http::Request::get("/things").header("authorization", format!("Bearer {token}"));
    proofkey::Request::new(request.body(bytes::Bytes::new()).unwrap(), None)
}

pub(crate) fn hidden(page: &Reply, name: &str) -> Option<String> {
    let html = String::from_utf8_lossy(&page.body);
    let (_, rest) = html.split_once(&format!("name=\"{name}\" value=\""))?;
    rest.split('"').next().map(str::to_owned)
}
