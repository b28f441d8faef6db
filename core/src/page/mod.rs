//! stub
use crate::reply::Response;
use http::StatusCode;
pub(crate) struct Frame<'a> {
    pub(crate) theme: &'a Theme,
    pub(crate) texts: &'a Texts,
    pub(crate) base: &'a str,
}
#[derive(Debug)]
pub struct Theme;
impl Theme {
    pub(crate) fn new(_: &str, _: Option<&str>, _: &str) -> Result<Self, String> {
        Ok(Self)
    }
}
#[derive(Debug)]
pub struct Texts;
#[derive(Debug)]
pub struct Languages(Texts);
impl Languages {
    pub(crate) fn new(_: Option<&str>, _: Vec<Texts>) -> Result<Self, String> {
        Ok(Self(Texts))
    }
    pub(crate) fn choose(&self, _: Option<&str>, _: Option<&str>) -> &Texts {
        &self.0
    }
}
pub(crate) struct SignIn<'a> {
    pub(crate) request: &'a str,
    pub(crate) client: Option<&'a str>,
    pub(crate) username: &'a str,
    pub(crate) problem: Option<SignInProblem>,
    pub(crate) may_reset: bool,
}
#[derive(Clone, Copy)]
pub(crate) enum SignInProblem {
    Wrong,
    TooMany { minutes: u64 },
    Busy,
    Missing,
}
pub(crate) fn sign_in(_: &Frame<'_>, p: &SignIn<'_>) -> String {
    format!("<input name=\"request\" value=\"{}\">", p.request)
}
pub(crate) struct ConsentPage<'a> {
    pub(crate) request: &'a str,
    pub(crate) token: &'a str,
    pub(crate) client: &'a str,
    pub(crate) redirect_host: &'a str,
    pub(crate) scopes: &'a [&'a str],
    pub(crate) username: &'a str,
    pub(crate) days: u64,
    pub(crate) loopback_or_private: bool,
}
pub(crate) fn consent(_: &Frame<'_>, _: &ConsentPage<'_>) -> String {
    String::new()
}
pub(crate) enum ProblemKind {
    BadRequest,
    Expired,
    Forged,
    AlreadyUsed,
    Unavailable,
    Failed,
    TooMany,
    NotFound,
    Method,
    NoLongerSignedIn,
}
pub(crate) struct ProblemPage<'a> {
    pub(crate) kind: ProblemKind,
    pub(crate) description: &'a str,
    pub(crate) reference: &'a str,
    pub(crate) back: Option<(&'a str, &'a str)>,
}
pub(crate) fn problem(_: &Frame<'_>, _: &ProblemPage<'_>) -> String {
    String::new()
}
pub(crate) struct SignOut<'a> {
    pub(crate) token: &'a str,
    pub(crate) username: &'a str,
}
pub(crate) fn sign_out(_: &Frame<'_>, _: &SignOut<'_>) -> String {
    String::new()
}
pub(crate) fn signed_out(_: &Frame<'_>) -> String {
    String::new()
}
pub(crate) struct Application<'a> {
    pub(crate) client_id: &'a str,
    pub(crate) name: &'a str,
    pub(crate) redirect_host: Option<&'a str>,
    pub(crate) scopes: Vec<&'a str>,
    pub(crate) since: u64,
}
pub(crate) struct BrowserSession {
    pub(crate) id: String,
    pub(crate) since: u64,
    pub(crate) last_used: u64,
    pub(crate) current: bool,
}
pub(crate) enum Done {
    Withdrawn,
    SessionEnded,
    PasswordChanged,
}
pub(crate) struct ApplicationsPage<'a> {
    pub(crate) token: &'a str,
    pub(crate) username: &'a str,
    pub(crate) applications: &'a [Application<'a>],
    pub(crate) sessions: &'a [BrowserSession],
    pub(crate) done: Option<Done>,
    pub(crate) may_change_password: bool,
}
pub(crate) fn applications(_: &Frame<'_>, p: &ApplicationsPage<'_>) -> String {
    format!("<input name=\"form_token\" value=\"{}\">", p.token)
}
pub(crate) fn respond(s: StatusCode, _: &Theme, html: String, _: &[String]) -> Response {
    let mut response = crate::reply::empty(s);
    *response.body_mut() = html.into();
    response
}
#[derive(Clone, Copy)]
pub(crate) enum PasswordProblem {
    Missing,
    WrongCurrent,
    TooShort,
    TooLong,
    TooCommon,
}
pub(crate) struct PasswordPage<'a> {
    pub(crate) token: &'a str,
    pub(crate) username: &'a str,
    pub(crate) problem: Option<PasswordProblem>,
    pub(crate) min_length: usize,
}
pub(crate) fn password(_: &Frame<'_>, p: &PasswordPage<'_>) -> String {
    format!("<input name=\"form_token\" value=\"{}\">", p.token)
}
pub(crate) struct ResetPage<'a> {
    pub(crate) token: &'a str,
    pub(crate) problem: Option<PasswordProblem>,
    pub(crate) min_length: usize,
}
pub(crate) fn reset(_: &Frame<'_>, p: &ResetPage<'_>) -> String {
    format!("<input name=\"token\" value=\"{}\">", p.token)
}
pub(crate) fn password_set(_: &Frame<'_>) -> String {
    "set".to_owned()
}
pub(crate) struct ForgotPage {
    pub(crate) missing: bool,
}
pub(crate) fn forgot(_: &Frame<'_>, _: &ForgotPage) -> String {
    "<input name=\"username\">".to_owned()
}
pub(crate) fn forgot_sent(_: &Frame<'_>) -> String {
    "sent".to_owned()
}
