//! What makes a first start easy, and has no place in production: an account whose secrets are known.

use crate::accounts::Account;

pub(crate) const EMAIL: &str = "ada@example.com";
pub(crate) const PASSWORD: &str = "a walk by the sea in May";
pub(crate) const TOTP_SECRET: &[u8] = b"12345678901234567890";
/// The same in base32, as an authenticator app takes it.
const TOTP_TEXT: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

pub(crate) const fn ada() -> Account {
    Account {
        id: "1001",
        email: EMAIL,
        password_hash: "$2b$12$kXo3gkq0VtC1cXl2Yw8uMejuIqSfow.pZss.g1amwOEqSS8thh3ra",
        totp_secret: TOTP_SECRET,
        active: true,
    }
}

pub(crate) fn what_to_open(issuer: &str) -> String {
    // The challenge of RFC 7636 appendix B.
    let query = "response_type=code&client_id=crm&scope=contacts:read\
                 &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";
    format!(
        "Put this account into an authenticator app, as text or as a QR code:

otpauth://totp/Example:{EMAIL}?secret={TOTP_TEXT}&issuer=Example

Then open this and sign in as {EMAIL} with the password \"{PASSWORD}\":

{issuer}/authorize?{query}

The browser ends at crm.example, which is nobody's; the code stands in the address.
"
    )
}
