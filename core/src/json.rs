//! JSON bodies in: one object, of which the known members are texts, each at most once.

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use zeroize::Zeroizing;

use crate::refusal::Refusal;
use crate::request::{MAX_PARAMETERS, known};

type Member = (&'static str, Zeroizing<String>);

/// Reads the known members. Depth is bounded by the parser, the number of members by [`MAX_PARAMETERS`].
pub(crate) fn decode(body: &[u8]) -> Result<Vec<Member>, Refusal> {
    let mut parser = serde_json::Deserializer::from_slice(body);
    let members = parser.deserialize_map(Object).and_then(|members| parser.end().map(|()| members));
    members.map_err(|_| Refusal::invalid_request("the body is not a JSON object of texts, each given once"))
}

struct Object;

impl<'de> Visitor<'de> for Object {
    type Value = Vec<Member>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vec<Member>, A::Error> {
        let mut members: Vec<Member> = Vec::new();
        let mut count = 0_usize;
        while let Some(name) = map.next_key::<Box<str>>()? {
            count = count.saturating_add(1);
            if count > MAX_PARAMETERS {
                return Err(A::Error::custom("too many members"));
            }
            match known(&name) {
                None => {
                    map.next_value::<Ignored>()?;
                }
                Some(name) => {
                    let values = map.next_value_seed(Texts)?;
                    if members.iter().any(|(earlier, _)| *earlier == name) || (values.len() > 1 && name != "resource") {
                        return Err(A::Error::custom("repeated member"));
                    }
                    members.extend(values.into_iter().map(|value| (name, value)));
                }
            }
        }
        Ok(members)
    }
}

/// The value of an unknown member. Unlike serde's own `IgnoredAny` it is read by recursion, which the parser bounds.
struct Ignored;

impl<'de> Deserialize<'de> for Ignored {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Ignored {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self, A::Error> {
        while seq.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self, A::Error> {
        while map.next_entry::<Self, Self>()?.is_some() {}
        Ok(self)
    }
}

/// A text, `null` for none, or a list of texts.
struct Texts;

impl<'de> DeserializeSeed<'de> for Texts {
    type Value = Vec<Zeroizing<String>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Texts {
    type Value = Vec<Zeroizing<String>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(vec![Zeroizing::new(text.to_owned())])
    }

    fn visit_string<E>(self, text: String) -> Result<Self::Value, E> {
        Ok(vec![Zeroizing::new(text)])
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut texts = Vec::new();
        while let Some(text) = seq.next_element::<String>()? {
            texts.push(Zeroizing::new(text));
            if texts.len() > MAX_PARAMETERS {
                return Err(A::Error::custom("too many texts"));
            }
        }
        Ok(texts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(body: &str) -> Result<Vec<String>, Refusal> {
        Ok(decode(body.as_bytes())?.iter().map(|(name, value)| format!("{name}={}", **value)).collect())
    }

    #[test]
    fn known_members_are_texts_and_the_rest_is_ignored() {
        let body = r#"{"code":"a","x":[{"y":1}],"resource":["r","s"],"state":null,"scope":"b c"}"#;
        assert_eq!(names(body).unwrap(), ["code=a", "resource=r", "resource=s", "scope=b c"]);
    }

    #[test]
    fn anything_else_is_refused() {
        let deep = format!("{{\"x\":{}1{}}}", "[".repeat(10_000), "]".repeat(10_000));
        let many = format!("{{{}}}", (0..65).map(|n| format!("\"k{n}\":1")).collect::<Vec<_>>().join(","));
        for body in [
            "",
            "[]",
            "1",
            "{",
            "{}x",
            r#"{"code":1}"#,
            r#"{"code":["a","b"]}"#,
            r#"{"code":{}}"#,
            r#"{"code":"a","code":"b"}"#,
            "{\"code\":\"\u{0}\"}",
            r#"{"x":"#,
            &deep,
            &many,
        ] {
            assert!(decode(body.as_bytes()).is_err(), "{}", &body[..body.len().min(40)]);
        }
        assert!(decode(b"{\"code\":\"\xff\"}").is_err());
    }
}
