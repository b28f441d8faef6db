//! Every content that the store of a small world ever has, each under a number: so contents are compared, kept and
//! gone back to at no cost.

use std::collections::HashMap;

use bytes::Bytes;
use proofkey_core::{Key, Owner, Record, UnixTime, Version, Write};

/// A content of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Content(usize);

/// A write that a flow handed to the store, and the row that it makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Row(usize);

/// The contents, and the writes that made them.
pub(super) struct Stores {
    rows: Vec<Write>,
    known: HashMap<(Option<Version>, Version, Bytes), Row>,
    contents: Vec<Vec<Row>>,
    numbers: HashMap<Vec<Row>, Content>,
    put: HashMap<(Content, Row), (bool, Content)>,
}

impl Stores {
    pub(super) const EMPTY: Content = Content(0);

    pub(super) fn new() -> Self {
        let numbers = HashMap::from([(Vec::new(), Self::EMPTY)]);
        Self { rows: Vec::new(), known: HashMap::new(), contents: vec![Vec::new()], numbers, put: HashMap::new() }
    }

    /// The number of a write: of its condition, its version and its body.
    pub(super) fn row(&mut self, write: &Write) -> Row {
        let next = Row(self.rows.len());
        let row = *self.known.entry((write.expect().copied(), *write.version(), write.body().clone())).or_insert(next);
        if row == next {
            self.rows.push(write.clone());
        }
        row
    }

    pub(super) fn record(&self, row: Row) -> Record {
        let write = &self.rows[row.0];
        Record::new(*write.version(), write.body().clone())
    }

    pub(super) fn expires_at(&self, row: Row) -> UnixTime {
        self.rows[row.0].expires_at()
    }

    pub(super) fn rows(&self, content: Content) -> &[Row] {
        &self.contents[content.0]
    }

    pub(super) fn get(&self, content: Content, key: &Key) -> Option<Row> {
        self.contents[content.0].iter().copied().find(|row| self.rows[row.0].key() == key)
    }

    /// Whether the write is stored, and what the store holds then.
    pub(super) fn put(&mut self, content: Content, row: Row) -> (bool, Content) {
        if let Some(known) = self.put.get(&(content, row)) {
            return *known;
        }
        let write = &self.rows[row.0];
        let old = self.get(content, write.key());
        let stored = old.map(|old| self.rows[old.0].version()) == write.expect();
        let next = if stored {
            let kept = self.contents[content.0].iter().copied().filter(|one| Some(*one) != old);
            let rows = kept.chain([row]).collect();
            self.number(rows)
        } else {
            content
        };
        self.put.insert((content, row), (stored, next));
        (stored, next)
    }

    pub(super) fn find(&self, content: Content, owner: &Owner) -> Vec<Key> {
        let writes = self.contents[content.0].iter().map(|row| &self.rows[row.0]);
        let mut keys: Vec<Key> =
            writes.filter(|write| write.owners().contains(owner)).map(|write| write.key().clone()).collect();
        keys.sort();
        keys
    }

    /// What is left when expired rows are dropped.
    pub(super) fn sweep(&mut self, content: Content, now: UnixTime) -> Content {
        let all = &self.contents[content.0];
        let kept: Vec<Row> = all.iter().copied().filter(|row| self.rows[row.0].expires_at() > now).collect();
        self.number(kept)
    }

    fn number(&mut self, mut rows: Vec<Row>) -> Content {
        rows.sort_unstable();
        let next = Content(self.contents.len());
        let content = *self.numbers.entry(rows.clone()).or_insert(next);
        if content == next {
            self.contents.push(rows);
        }
        content
    }
}
