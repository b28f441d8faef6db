//! The JSON that all languages read holds the same vectors as the TOML that people edit.

use std::{fs, path::Path};

#[test]
fn the_json_vectors_are_the_toml_vectors() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../conformance");
    let toml: toml::Table = toml::from_str(&fs::read_to_string(directory.join("vectors.toml")).unwrap()).unwrap();
    let json: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(directory.join("vectors.json")).unwrap()).unwrap();
    assert!(toml["vector"].as_array().unwrap().len() >= 95, "the vectors are there");
    assert_eq!(serde_json::to_value(toml).unwrap(), json, "run scripts/vectors-json");
}
