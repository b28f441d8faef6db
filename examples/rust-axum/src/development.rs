//! What makes a first start easy, and has no place in production: keys in a file, and a user whose password is known.

use std::error::Error;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};

use proofkey::{AsyncServer, Keys, Secret, User};

const KEY_FILE: &str = "development.key";
const USERNAME: &str = "ada@example.com";
const PASSWORD: &str = "a walk by the sea in May";

/// The keys of the file, one for records and one for browser sessions; it is made at the first start.
pub(crate) fn keys() -> Result<Keys, Box<dyn Error>> {
    let text = match fs::read_to_string(KEY_FILE) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let keys = Keys::generate()?;
            let mut options = OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let mut file = options.open(KEY_FILE)?;
            file.write_all(keys.encryption_text().expose())?;
            file.write_all(b"\n")?;
            file.write_all(keys.session_text().expose())?;
            return Ok(keys);
        }
        Err(error) => return Err(error.into()),
    };
    let (encryption, session) = text.split_once('\n').ok_or("development.key is of another release; delete it")?;
    let (encryption, session) = (Secret::from(encryption), Secret::from(session));
    Ok(Keys::parse(&encryption)?.with_session(&session)?)
}

/// A user in the server's own store. A service with a table of users gives the builder `users` instead.
pub(crate) async fn create_user(server: &AsyncServer) -> Result<(), Box<dyn Error>> {
    if server.stored_user(USERNAME).await?.is_none() {
        let user = User::new(USERNAME).with_claim("name", "Ada L.");
        server.create_user(user, Secret::from(PASSWORD)).await?;
    }
    Ok(())
}

/// The flow as commands of a shell.
pub(crate) fn what_to_try(issuer: &str) -> String {
    let root = issuer.trim_end_matches("/auth");
    format!(
        r#"To try, paste this into a shell (the verifier and challenge are those of RFC 7636 appendix B):

code=$(curl -sS {issuer}/authorize -H 'content-type: application/json' -d '{{
    "client_id": "contacts-web", "redirect_uri": "https://contacts.example/callback", "scope": "contacts:read profile",
    "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method": "S256",
    "username": "{USERNAME}", "password": "{PASSWORD}" }}' | sed -E 's/.*"code":"([^"]*)".*/\1/')
tokens=$(curl -sS {issuer}/token -d grant_type=authorization_code -d client_id=contacts-web -d code=$code \
    -d redirect_uri=https://contacts.example/callback -d code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk)
access=$(echo "$tokens" | sed -E 's/.*"access_token":"([^"]*)".*/\1/')
refresh=$(echo "$tokens" | sed -E 's/.*"refresh_token":"([^"]*)".*/\1/')
curl -sS {root}/contacts -H "authorization: Bearer $access"; echo
curl -sS {issuer}/userinfo -H "authorization: Bearer $access"; echo
curl -sS {issuer}/revoke -d client_id=contacts-web -d token=$refresh
curl -sS {root}/contacts -H "authorization: Bearer $access"; echo
"#
    )
}
