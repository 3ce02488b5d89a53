//! A table as the catalogue describes it. The fields have the order in which `--format json` prints them.

use serde::{Deserialize, Serialize};

/// A table of the database.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Table {
    /// `None` if no app owns it.
    #[serde(default)]
    pub(super) app: Option<String>,
    pub(super) columns: Vec<Column>,
    pub(super) comment: Option<String>,
    pub(super) constraints: Vec<Constraint>,
    pub(super) foreign_keys: Vec<ForeignKey>,
    pub(super) indexes: Vec<Index>,
    pub(super) name: String,
    pub(super) primary_key: Option<Vec<String>>,
    pub(super) referenced_by: Vec<Reference>,
    pub(super) schema: String,
    pub(super) triggers: Vec<Trigger>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Column {
    pub(super) comment: Option<String>,
    pub(super) default: Option<String>,
    pub(super) generated: Option<String>,
    pub(super) identity: Option<String>,
    pub(super) name: String,
    pub(super) nullable: bool,
    #[serde(rename = "type")]
    pub(super) kind: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ForeignKey {
    pub(super) columns: Vec<String>,
    pub(super) deferrable: bool,
    pub(super) name: String,
    pub(super) on_delete: String,
    pub(super) on_update: String,
    pub(super) table: String,
    pub(super) to: Vec<String>,
    pub(super) validated: bool,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Constraint {
    pub(super) definition: String,
    pub(super) kind: String,
    pub(super) name: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Index {
    pub(super) definition: String,
    pub(super) name: String,
    pub(super) unique: bool,
    pub(super) valid: bool,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Trigger {
    pub(super) definition: String,
    pub(super) enabled: bool,
    pub(super) name: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Reference {
    pub(super) columns: Vec<String>,
    pub(super) table: String,
}

impl Table {
    /// Its name as people type it: without the schema, if that is `public`.
    pub(super) fn shown(&self) -> String {
        if self.schema == "public" { self.name.clone() } else { format!("{}.{}", self.schema, self.name) }
    }

    /// Whether a person means this table by `name`, with or without its schema.
    pub(super) fn is_called(&self, name: &str) -> bool {
        self.shown() == name || name.split_once('.') == Some((&self.schema, &self.name))
    }
}
