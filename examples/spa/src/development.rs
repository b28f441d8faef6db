//! What makes a first start easy, and has no place in production: keys in a file, and a user whose password is known.

use std::error::Error;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use proofkey::{AsyncServer, Keys, Secret, User};

pub(crate) const USERNAME: &str = "ada@example.com";
pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// The keys of the file in `directory`, one for records and one for browser sessions; it is made at the first start.
pub(crate) fn keys(directory: &Path) -> Result<Keys, Box<dyn Error>> {
    let path = directory.join("development.key");
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let keys = Keys::generate()?;
            let mut options = OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let mut file = options.open(path)?;
            file.write_all(keys.encryption_text().expose())?;
            file.write_all(b"\n")?;
            file.write_all(keys.session_text().expose())?;
            return Ok(keys);
        }
        Err(error) => return Err(error.into()),
    };
    let (encryption, session) = text.split_once('\n').ok_or("development.key holds no two keys; delete it")?;
    let (encryption, session) = (Secret::from(encryption), Secret::from(session));
    Ok(Keys::parse(&encryption)?.with_session(&session)?)
}

/// The user in the server's own store, if she is not there yet.
pub(crate) async fn create_user(server: &AsyncServer) -> Result<(), Box<dyn Error>> {
    if server.stored_user(USERNAME).await?.is_none() {
        let user = User::new(USERNAME).with_claim("name", "Ada L.");
        server.create_user(user, Secret::from(PASSWORD)).await?;
    }
    Ok(())
}
