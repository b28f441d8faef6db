//! `docs/spa.md` shows what `examples/spa` does: every excerpt stands in the example, line by line.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// The code of the guide in one language.
fn excerpts(guide: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    let blocks = guide.split(&fence).skip(1);
    blocks.map(|block| block.split_once("```").unwrap().0.to_owned()).collect()
}

#[test]
fn every_excerpt_of_the_guide_stands_in_the_example() {
    let guide = read("docs/spa.md");
    let rust = read("examples/spa/src/main.rs") + &read("examples/spa/src/public.rs");
    for (language, source) in [("js", read("examples/spa/public/app.js")), ("rust", rust)] {
        let excerpts = excerpts(&guide, language);
        assert!(!excerpts.is_empty(), "{language}");
        for excerpt in excerpts {
            let whole_lines = source.starts_with(&excerpt) || source.contains(&format!("\n{excerpt}"));
            assert!(whole_lines, "examples/spa does not hold:\n{excerpt}");
        }
    }
}

#[test]
fn the_client_of_the_guide_is_one_that_the_settings_file_takes() {
    let [toml] = <[String; 1]>::try_from(excerpts(&read("docs/spa.md"), "toml")).unwrap();
    let table: toml::Table = toml.parse().unwrap();
    let client = serde_json::to_value(&table["clients"][0]).unwrap();
    let client = proofkey::Client::from_json(client.as_object().unwrap()).unwrap();
    let server = proofkey::Server::builder("https://id.example.com").set("store", "memory:");
    server
        .keys(proofkey::Keys::generate().unwrap())
        .scope("contacts:read", "See your contacts")
        .client(client)
        .build()
        .unwrap();
}
