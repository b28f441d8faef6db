//! A step as people read it, with secrets shortened beyond use.

use std::fmt;

use serde_json::Value;

use super::exchange::Step;

/// Fields whose value must not be shown whole.
const SECRETS: [&str; 6] = ["access_token", "client_secret", "code", "code_verifier", "refresh_token", "token"];
/// Every code and token begins so, whatever the field is called.
const PREFIX: &str = "pfk_";
/// What is left of a secret at either end: enough to see that two are the same, and no use to anybody.
const KEPT: usize = 4;

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:2}. {}", self.number, self.title)?;
        writeln!(f, "    {} {}", self.method, self.url)?;
        if let Some(authorization) = &self.authorization {
            writeln!(f, "        authorization          {authorization}")?;
        }
        write_fields(f, &self.request)?;
        writeln!(f, "    answer {}", self.status)?;
        write_fields(f, &self.answer)?;
        match &self.cost {
            None => {}
            Some(cost) if cost.store_calls == 1 => writeln!(f, "    the server's log says: 1 store call")?,
            Some(cost) => writeln!(f, "    the server's log says: {} store calls", cost.store_calls)?,
        }
        match &self.expected {
            None => writeln!(f, "    as it should be"),
            Some(expected) => writeln!(f, "    NOT as it should be; expected: {expected}"),
        }
    }
}

fn write_fields(f: &mut fmt::Formatter<'_>, fields: &Value) -> fmt::Result {
    let Value::Object(fields) = fields else { return Ok(()) };
    for (name, value) in fields {
        match value {
            Value::String(text) => writeln!(f, "        {name:22} {text}")?,
            other => writeln!(f, "        {name:22} {other}")?,
        }
    }
    Ok(())
}

/// A value as it may be shown.
pub(super) fn shortened(name: &str, value: &str) -> String {
    if name == "password" {
        return "********".to_owned();
    }
    if SECRETS.contains(&name) || value.starts_with(PREFIX) { cut(value) } else { value.to_owned() }
}

/// All members of an object as they may be shown.
pub(super) fn shortened_fields(value: &Value) -> Value {
    let Value::Object(fields) = value else { return value.clone() };
    let shown = fields.iter().map(|(name, value)| match value {
        Value::String(text) => (name.clone(), shortened(name, text).into()),
        other => (name.clone(), other.clone()),
    });
    Value::Object(shown.collect())
}

/// An `Authorization` header as it may be shown.
pub(super) fn shortened_header(value: &str) -> String {
    value.split_once(' ').map_or_else(|| cut(value), |(scheme, rest)| format!("{scheme} {}", cut(rest)))
}

/// `pfk_access_AbCd...wxyz`
fn cut(secret: &str) -> String {
    // The alphabet of the rest holds the underscore too: the kind is the first two words.
    let second = secret.match_indices('_').nth(1).filter(|_| secret.starts_with(PREFIX));
    let start = second.map_or(0, |(at, _)| at + 1);
    let (kind, rest) = secret.split_at(start);
    let characters: Vec<char> = rest.chars().collect();
    if characters.len() < 4 * KEPT {
        return format!("{kind}...");
    }
    let head: String = characters.iter().take(KEPT).collect();
    let tail: String = characters.iter().skip(characters.len() - KEPT).collect();
    format!("{kind}{head}...{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_keep_their_kind_and_a_few_characters() {
        let token = format!("pfk_access_{}_{}", "a".repeat(30), "b".repeat(33));
        assert_eq!(shortened("access_token", &token), "pfk_access_aaaa...bbbb");
        assert_eq!(shortened("code_verifier", "short"), "...");
        assert_eq!(shortened("authorization_code", &token), "pfk_access_aaaa...bbbb");
        assert_eq!(shortened("password", "anything"), "********");
        assert_eq!(shortened("scope", "read write"), "read write");
        assert_eq!(shortened_header(&format!("Bearer {token}")), "Bearer pfk_access_aaaa...bbbb");
        let nested = serde_json::json!({ "code": "c".repeat(43), "expires_in": 3600 });
        assert_eq!(shortened_fields(&nested), serde_json::json!({ "code": "cccc...cccc", "expires_in": 3600 }));
    }
}
