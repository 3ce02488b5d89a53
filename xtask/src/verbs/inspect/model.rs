//! A table as the catalogue describes it.

use serde::{Deserialize, Serialize};

/// A table as it stands in the database.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Table {
    /// `None` where no app owns it.
    #[serde(default)]
    pub(crate) app: Option<String>,
    pub(crate) schema: String,
    pub(crate) name: String,
    pub(crate) comment: Option<String>,
    pub(crate) columns: Vec<Column>,
    pub(crate) primary_key: Option<Vec<String>>,
    pub(crate) foreign_keys: Vec<ForeignKey>,
    pub(crate) constraints: Vec<Constraint>,
    pub(crate) indexes: Vec<Index>,
    pub(crate) triggers: Vec<Trigger>,
    pub(crate) referenced_by: Vec<Reference>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Column {
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) nullable: bool,
    pub(crate) default: Option<String>,
    pub(crate) generated: Option<String>,
    pub(crate) identity: Option<String>,
    pub(crate) comment: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ForeignKey {
    pub(crate) name: String,
    pub(crate) columns: Vec<String>,
    pub(crate) table: String,
    pub(crate) to: Vec<String>,
    pub(crate) on_delete: String,
    pub(crate) on_update: String,
    pub(crate) deferrable: bool,
    pub(crate) validated: bool,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Constraint {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) definition: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Index {
    pub(crate) name: String,
    pub(crate) unique: bool,
    pub(crate) valid: bool,
    pub(crate) definition: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Trigger {
    pub(crate) name: String,
    pub(crate) enabled: bool,
    pub(crate) definition: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Reference {
    pub(crate) table: String,
    pub(crate) columns: Vec<String>,
}

impl Table {
    /// Its name as people type it.
    pub(crate) fn shown(&self) -> String {
        if self.schema == "public" { self.name.clone() } else { format!("{}.{}", self.schema, self.name) }
    }

    pub(crate) fn is_called(&self, name: &str) -> bool {
        self.shown() == name || name.split_once('.') == Some((&self.schema, &self.name))
    }
}
