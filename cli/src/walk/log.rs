//! What the server's log says of a request: evidence for what cannot be seen from outside.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::failure::Failure;

/// How long a line may take to be written after the answer is out.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a request cost the server.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Cost {
    pub(super) store_calls: u32,
}

/// The log of `proofkey serve`, as it grows.
pub(super) struct ServerLog(PathBuf);

impl ServerLog {
    pub(super) fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// What the line of this request says; waits for the line.
    pub(super) fn cost(&self, request_id: &str) -> Result<Cost, Failure> {
        let until = Instant::now() + PATIENCE;
        loop {
            let text = std::fs::read_to_string(&self.0)
                .map_err(|error| Failure::new(format!("{}: {error}", self.0.display())))?;
            if let Some(cost) = text.lines().rev().find_map(|line| request_line(line, request_id)) {
                return Ok(cost);
            }
            if Instant::now() >= until {
                let problem = "has no line of the request; is it the log of this server?";
                return Err(Failure::new(format!("{} {problem}", self.0.display())));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// What a line of the log says, if it is the one of this request.
fn request_line(line: &str, request_id: &str) -> Option<Cost> {
    let line: Value = serde_json::from_str(line).ok()?;
    let is_its = line.get("log")? == "request" && line.get("request_id")? == request_id;
    is_its.then(|| serde_json::from_value(line).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_a_request_is_found_among_others_and_says_what_it_cost() {
        let lines = [
            r#"{"log":"request","request_id":"a-1","status":200,"store_calls":3}"#,
            r#"{"log":"event","event":"refused","request_id":"a-2"}"#,
            "no json",
            r#"{"log":"request","request_id":"a-2","status":401,"store_calls":0}"#,
            r#"{"log":"request","request_id":"a-3","status":null,"store_calls":null}"#,
        ];
        let cost = |id: &str| lines.iter().find_map(|line| request_line(line, id)).map(|cost| cost.store_calls);
        assert_eq!([cost("a-1"), cost("a-2"), cost("a-3"), cost("a-4")], [Some(3), Some(0), None, None]);
    }
}
