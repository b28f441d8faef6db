//! A store whose index of tags is wrong, or was edited: every row carries every tag. What a tag leads to is believed only
//! where the record itself says so: nobody is shown what is another's, and nobody's goes with it (invariants I13, I22).

use std::sync::Arc;

use proofkey::{Client, Secret, User, UserChange};
use proofkey_tests::{PASSWORD, REDIRECT_URI, Rows, SignedIn, THIRD_URI, Visit, World, authorization, hidden};
use serde_json::json;

/// Ada and Bob: each with tokens of two clients and one of those in a browser, and having agreed to what a third asks for.
struct Scene {
    world: World,
    ada: Person,
    bob: Person,
}

struct Person {
    name: &'static str,
    subject: String,
    web: SignedIn,
    stored: SignedIn,
    of_browser: SignedIn,
    cookies: String,
}

impl Person {
    fn of(world: &World, name: &'static str) -> Self {
        let subject = world.server.create_user(User::new(name), Secret::from(PASSWORD)).unwrap();
        let sign_in = |client_id: &str| {
            let code = world.code_with(&json!({"username": name, "client_id": client_id}));
            SignedIn::of(&world.redeem_with(&code, &[("client_id", client_id)]))
        };
        let visit = Visit::new(world);
        let of_browser = visit.sign_in_to_web(name, PASSWORD);
        let page = visit.get(&authorization("third", THIRD_URI));
        let [request, token] = ["request", "form_token"].map(|name| hidden(&page, name));
        let fields = [("request", &*request), ("form_token", &token), ("decision", "allow")];
        assert_eq!(visit.post("/auth/consent", &fields).status, 303);
        Self { name, subject, web: sign_in("web"), stored: sign_in("stored"), of_browser, cookies: visit.cookies() }
    }

    fn visit<'a>(&self, world: &'a World) -> Visit<'a> {
        Visit::with_cookies(world, &self.cookies)
    }
}

impl Scene {
    fn new() -> Self {
        let rows = Arc::new(Rows::default());
        let world = World::with_own_users(rows.clone(), |builder| builder);
        let client = Client::public("stored").redirect_uri(REDIRECT_URI).first_party();
        world.server.create_client(client).unwrap();
        let (ada, bob) = (Person::of(&world, "ada@example.com"), Person::of(&world, "bob"));
        rows.tag_all_with_all();
        Self { world, ada, bob }
    }

    fn works(&self, tokens: &SignedIn) -> bool {
        self.world.works(&tokens.access)
    }

    /// That nothing of Ada's is gone.
    fn assert_ada_is_well(&self, context: &str) {
        for tokens in [&self.ada.web, &self.ada.stored, &self.ada.of_browser] {
            assert!(self.works(tokens), "{context}");
        }
        assert!(self.ada.visit(&self.world).is_signed_in(), "{context}");
        // She is not asked again.
        assert_eq!(self.ada.visit(&self.world).get(&authorization("third", THIRD_URI)).status, 303, "{context}");
    }
}

#[test]
fn listings_show_what_is_ones_own() {
    let scene = Scene::new();
    let (server, bob) = (&scene.world.server, &scene.bob);
    let grants = server.grants_of(&bob.subject).unwrap();
    // Of the client `third`, a code that nobody has redeemed.
    assert_eq!(grants.len(), 4);
    assert!(grants.iter().all(|grant| grant.subject() == Some(&*bob.subject)), "{grants:?}");
    let grants = server.grants_of_client("stored").unwrap();
    assert_eq!(grants.len(), 2);
    assert!(grants.iter().all(|grant| grant.client_id() == "stored"), "{grants:?}");
    assert_eq!(server.sessions_of(&bob.subject).unwrap().len(), 1);
    let page = bob.visit(&scene.world).get("/auth/applications");
    let html = String::from_utf8_lossy(&page.body).into_owned();
    assert_eq!(html.matches("name=\"session\"").count(), 0, "his only sign-in is this one: {html}");
    assert!(server.grants_of("nobody").unwrap().is_empty());
}

type End = fn(&Scene);

#[test]
fn whoever_is_signed_out_takes_nobody_along() {
    let ends: [(&str, End); 6] = [
        ("revoke_all", |scene| assert_eq!(scene.world.server.revoke_all(&scene.bob.subject).unwrap(), 4)),
        ("disable", |scene| scene.world.server.change_user(scene.bob.name, UserChange::Disable).unwrap()),
        ("delete", |scene| assert_eq!(scene.world.server.delete_user(scene.bob.name).unwrap(), 4)),
        ("everywhere", |scene| {
            let fields = [("action", "sign_out_everywhere")];
            let visit = scene.bob.visit(&scene.world);
            assert_eq!(visit.submit("/auth/applications", "form_token", &fields).status, 200);
        }),
        ("reset", |scene| {
            let link = scene.world.server.reset_link(scene.bob.name).unwrap().unwrap();
            let token = link.expose_text().unwrap().split_once("token=").unwrap().1.to_owned();
            let fields = [("token", &*token), ("new_password", "a new passphrase of his")];
            assert_eq!(scene.world.form("/auth/reset", &fields).status, 200);
        }),
        ("nobody", |scene| assert_eq!(scene.world.server.revoke_all("nobody").unwrap(), 0)),
    ];
    for (name, end) in ends {
        let scene = Scene::new();
        end(&scene);
        scene.assert_ada_is_well(name);
        assert_eq!(scene.works(&scene.bob.web), name == "nobody", "{name}");
        assert_eq!(scene.bob.visit(&scene.world).is_signed_in(), name == "nobody", "{name}");
    }
}

#[test]
fn a_browser_that_is_signed_out_takes_no_other_along() {
    let scene = Scene::new();
    let bob = scene.bob.visit(&scene.world);
    assert_eq!(bob.submit("/auth/logout", "form_token", &[]).status, 200);
    assert!(!scene.works(&scene.bob.of_browser) && scene.works(&scene.bob.web));
    scene.assert_ada_is_well("logout");

    let scene = Scene::new();
    let id = scene.world.server.sessions_of(&scene.bob.subject).unwrap()[0].id().to_owned();
    assert!(!scene.world.server.end_session(&scene.ada.subject, &id).unwrap());
    assert!(scene.world.server.end_session(&scene.bob.subject, &id).unwrap());
    scene.assert_ada_is_well("end_session");

    let scene = Scene::new();
    let bob = scene.bob.visit(&scene.world);
    let fields = [("current_password", PASSWORD), ("new_password", "a new passphrase of his"), ("end_others", "yes")];
    assert_eq!(bob.submit("/auth/password", "form_token", &fields).status, 303);
    scene.assert_ada_is_well("end_others");
}

#[test]
fn a_client_that_loses_its_access_takes_no_other_along() {
    let scene = Scene::new();
    assert_eq!(scene.world.server.revoke_access(&scene.bob.subject, "web").unwrap(), 2);
    scene.assert_ada_is_well("revoke_access");
    assert!(!scene.works(&scene.bob.web) && scene.works(&scene.bob.stored));

    for delete in [true, false] {
        let scene = Scene::new();
        let server = &scene.world.server;
        let ended =
            if delete { server.delete_client("stored").unwrap() } else { server.revoke_client("stored").unwrap() };
        assert_eq!(ended, 2);
        assert!(!scene.works(&scene.ada.stored) && !scene.works(&scene.bob.stored));
        for person in [&scene.ada, &scene.bob] {
            assert!(scene.works(&person.web) && scene.works(&person.of_browser), "delete: {delete}");
            let start = person.visit(&scene.world).get(&authorization("third", THIRD_URI));
            assert_eq!(start.status, 303, "what was consented to another client holds, delete: {delete}");
        }
    }
}
