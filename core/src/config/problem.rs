//! What is wrong with a configuration, in words that name the setting and the remedy.

use std::borrow::Cow;
use std::fmt;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    setting: Cow<'static, str>,
    text: Cow<'static, str>,
}

impl Problem {
    /// A problem of this setting; the text says what is wrong and what to do.
    #[must_use]
    pub fn new(setting: impl Into<Cow<'static, str>>, text: impl Into<Cow<'static, str>>) -> Self {
        Self { setting: setting.into(), text: text.into() }
    }

    /// The setting.
    #[must_use]
    pub fn setting(&self) -> &str {
        &self.setting
    }

    /// What is wrong, and what to do.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.setting, self.text)
    }
}

impl std::error::Error for Problem {}

/// The integrator's mistakes, all of them at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiMisuse(Vec<Problem>);

impl ApiMisuse {
    /// A misuse of these problems.
    #[must_use]
    pub const fn new(problems: Vec<Problem>) -> Self {
        Self(problems)
    }

    /// Everything that is wrong.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.0
    }
}

impl From<Problem> for ApiMisuse {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

impl fmt::Display for ApiMisuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, problem) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for ApiMisuse {}
