//! Texts of the pages from TOML files: `lang = "fr"`, and a table `[texts]`.

use std::path::Path;

use proofkey::Texts;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    lang: String,
    texts: std::collections::BTreeMap<String, String>,
}

/// The texts of one file.
///
/// # Errors
/// All that is wrong with it, each with its remedy.
pub(super) fn texts(path: &Path) -> Result<Texts, Vec<String>> {
    let shown = path.display();
    let told = |error: &dyn std::fmt::Display| vec![format!("{shown}: {error}")];
    let text = std::fs::read_to_string(path).map_err(|error| told(&format!("it cannot be read: {error}")))?;
    let file: File = toml::from_str(&text).map_err(|error| told(&error.to_string().trim()))?;
    let problems = |problems: Vec<String>| problems.iter().map(|problem| format!("{shown}: {problem}")).collect();
    Texts::read(&file.lang, file.texts).map_err(problems)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(content: &str) -> Result<Texts, Vec<String>> {
        let path = std::env::temp_dir().join(format!("proofkey-texts-{}-{}", std::process::id(), content.len()));
        std::fs::write(&path, content).unwrap();
        let read = texts(&path);
        std::fs::remove_file(&path).unwrap();
        read
    }

    #[test]
    fn a_file_is_read_as_the_texts_of_its_language() {
        let french = read("lang = \"fr\"\n[texts]\nsign_in_title = \"Se connecter\"\n").unwrap();
        assert_eq!(french.lang(), "fr");
    }

    #[test]
    fn whatever_is_wrong_with_a_file_names_the_file() {
        for content in [
            "lang = \"fr\"\n[texts]\nsign_in_titel = \"Se connecter\"\n",
            "lang = \"fr\"\n[texts]\nsign_in_for = \"Pour continuer\"\n",
            "lang = \"fr\"\n",
            "lang = fr\n",
        ] {
            let problems = read(content).err().unwrap_or_default();
            assert!(problems.iter().any(|problem| problem.contains("proofkey-texts-")), "{content} {problems:?}");
        }
        assert!(texts(Path::new("/nowhere/fr.toml")).is_err());
    }
}
