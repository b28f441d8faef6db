use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::{Deserialize, de::DeserializeOwned};

use crate::Unreadable;

/// Everything that is required: the documents and their rows.
#[derive(Debug)]
pub struct Matrix {
    documents: Vec<Document>,
}

impl Matrix {
    /// Reads the rows of this repository.
    ///
    /// # Errors
    /// A file that cannot be read, or is not a table of rows.
    pub fn read() -> Result<Self, Unreadable> {
        let directory = directory();
        let mut tables = Vec::new();
        for entry in fs::read_dir(&directory).map_err(Unreadable::io(&directory))? {
            let path = entry.map_err(Unreadable::io(&directory))?.path();
            let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
            let is_toml = path.extension().is_some_and(|extension| extension == "toml");
            if is_toml && !matches!(stem, "deferred" | "vectors") {
                tables.push(parse(&path)?);
            }
        }
        Ok(Self::new(tables))
    }

    pub(crate) fn new(tables: Vec<Table>) -> Self {
        let mut documents: Vec<_> = tables.into_iter().map(Table::into_document).collect();
        documents.sort_by(|a, b| a.id.cmp(&b.id));
        Self { documents }
    }

    /// The documents, by id.
    #[must_use]
    pub fn documents(&self) -> &[Document] {
        &self.documents
    }

    /// Every row, by document and then as its file has them.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.documents.iter().flat_map(|document| &document.rows)
    }

    /// The row with this id.
    #[must_use]
    pub fn row(&self, id: &str) -> Option<&Row> {
        self.rows().find(|row| row.id == id)
    }
}

/// One document that is followed, such as an RFC.
#[derive(Debug)]
#[non_exhaustive]
pub struct Document {
    /// Its short name, which is also the name of its file.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its requirements.
    pub rows: Vec<Row>,
}

/// One requirement.
#[derive(Debug, Deserialize)]
#[non_exhaustive]
pub struct Row {
    /// Document, section and counter.
    pub id: String,
    /// `MUST`, `SHOULD NOT` and so on.
    pub level: String,
    /// What is required, in one sentence.
    pub requirement: String,
    /// 1 is what the first release claims; 2 and 3 are later features.
    pub tier: u8,
}

/// A file of rows, as it is written.
#[derive(Deserialize)]
pub(crate) struct Table {
    document: Heading,
    #[serde(default)]
    requirement: Vec<Row>,
}

#[derive(Deserialize)]
struct Heading {
    id: String,
    title: String,
}

impl Table {
    fn into_document(self) -> Document {
        Document { id: self.document.id, title: self.document.title, rows: self.requirement }
    }
}

/// Where the rows of this repository lie.
pub(crate) fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../conformance")
}

pub(crate) fn parse<T: DeserializeOwned>(path: &Path) -> Result<T, Unreadable> {
    let text = fs::read_to_string(path).map_err(Unreadable::io(path))?;
    toml::from_str(&text).map_err(|source| Unreadable::Toml { path: path.to_owned(), source: Box::new(source) })
}
