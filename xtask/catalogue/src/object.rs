//! An object, and a catalogue of them.

use std::{collections::BTreeMap, sync::Arc};

use foldhash::HashSet;

use crate::{
    address::{Address, identifier},
    attribute::{Attribute, Options, Scope, Value},
    kind::Kind,
    kinds::{Body, Constraint, Index},
    role::Role,
};

/// The attributes that an object of any kind has.
pub const COMMON: &[&str] = &["owner", "comment", "rights", "security_labels", "extensions"];

/// An object of a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Its identity.
    pub address: Address,
    /// Its owner, if its kind has one of its own.
    pub owner: Option<Role>,
    /// Its comment.
    pub comment: Option<String>,
    /// What was granted and revoked.
    pub rights: Rights,
    /// Its security labels.
    pub labels: Options,
    /// The extensions that take it with them (`depends on extension`).
    pub extensions: Options,
    /// What only its kind has.
    pub body: Body,
    /// What it needs, as the server knows it: by column where it can.
    pub needs: Vec<Need>,
}

/// An edge: an object needs another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    /// What is needed.
    pub on: Arc<Address>,
    /// How strongly.
    pub strength: Strength,
    /// Whether only the default of the column needs it, which can go away without the column.
    pub of_default: bool,
}

/// How an object hangs on what it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    /// It keeps that from being dropped.
    Normal,
    /// It goes away with that.
    Automatic,
    /// It is a part of that, and cannot be dropped alone.
    Internal,
}

/// A right that was granted, or one of the usual rights that was revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Its name, such as `SELECT`.
    pub privilege: String,
    /// Who has it.
    pub role: Role,
    /// Whether that role may grant it to others.
    pub grantable: bool,
    /// Who granted it, if not the owner.
    pub by: Option<Role>,
    /// Whether the object usually has it, and it was revoked.
    pub revoked: bool,
}

impl std::fmt::Display for Grant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Grant { privilege, role, .. } = self;
        if self.revoked {
            write!(f, "{privilege} revoked from {role}")?;
        } else {
            write!(f, "{privilege} to {role}")?;
        }
        if self.grantable {
            f.write_str(" with grant option")?;
        }
        self.by.as_ref().map_or(Ok(()), |by| write!(f, " by {by}"))
    }
}

/// The rights to an object, as far as they differ from the rights that it was created with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rights(pub Vec<Grant>);

impl Attribute for Rights {
    fn value(&self, scope: Scope) -> Value {
        // PostgreSQL 17 brought a right to tables that `grant all` includes.
        let new = |grant: &&Grant| scope == Scope::Exact || grant.privilege != "MAINTAIN";
        let mut shown: Vec<String> = self.0.iter().filter(new).map(Grant::to_string).collect();
        shown.sort();
        if shown.is_empty() || scope == Scope::Noted { Value::Absent } else { Value::Set(shown) }
    }
}

impl Object {
    pub(crate) fn new(address: Address, owner: Option<Role>, body: Body) -> Object {
        Object {
            address,
            owner,
            body,
            comment: None,
            rights: Rights::default(),
            labels: Options::default(),
            extensions: Options::default(),
            needs: Vec::new(),
        }
    }

    /// The position of a column in its table or type, from 1; 0 for anything else.
    pub fn position(&self) -> i16 {
        match &self.body {
            Body::Column(column) => column.position.0,
            _ => 0,
        }
    }

    pub(crate) fn sort(&mut self) {
        self.labels.0.sort();
        self.extensions.0.sort();
        self.rights.0.sort_by_cached_key(Grant::to_string);
        self.needs.sort();
    }

    /// Whether all attributes are equal. What it needs follows from them.
    pub(crate) fn same_as(&self, other: &Object) -> bool {
        let Object { owner, comment, rights, labels, extensions, body, .. } = self;
        *body == other.body
            && *owner == other.owner
            && *comment == other.comment
            && *rights == other.rights
            && *labels == other.labels
            && *extensions == other.extensions
    }

    /// Whether it is a partition of another table.
    pub fn is_partition(&self) -> bool {
        match &self.body {
            Body::Table(table) => table.partition.is_some(),
            Body::ForeignTable(table) => table.partition.is_some(),
            _ => false,
        }
    }

    /// All attributes that have a value in a scope: first its kind's, then the common ones.
    pub fn attributes(&self, scope: Scope) -> Vec<(&'static str, Value)> {
        let common: [&dyn Attribute; 5] =
            [&self.owner, &self.comment, &self.rights, &self.labels, &self.extensions];
        let own = self.body.attributes().into_iter().chain(COMMON.iter().copied().zip(common));
        own.map(|(name, attribute)| (name, attribute.value(scope)))
            .filter(|(_, value)| !value.is_absent())
            .collect()
    }
}

/// Everything that a database holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalogue {
    major: u32,
    /// The words that a name can't be without quotes, in the server's own version of SQL.
    keywords: Arc<HashSet<String>>,
    /// Sorted by address. An object has some hundred bytes, so sorting moves pointers.
    objects: Vec<Arc<Object>>,
}

impl Catalogue {
    /// The same without the passwords that it knows.
    #[must_use]
    pub fn without_secrets(mut self) -> Catalogue {
        for object in &mut self.objects {
            if matches!(object.body, Body::UserMapping(_) | Body::Subscription(_)) {
                match &mut Arc::make_mut(object).body {
                    Body::UserMapping(mapping) => mapping.values.0 = None,
                    Body::Subscription(subscription) => subscription.connection.0 = None,
                    _ => {}
                }
            }
        }
        self
    }

    pub(crate) fn new(
        major: u32,
        keywords: HashSet<String>,
        objects: impl Iterator<Item = Object>,
    ) -> Catalogue {
        let mut objects: Vec<Arc<Object>> = objects.map(Arc::new).collect();
        objects.sort_unstable_by(|one, other| one.address.cmp(&other.address));
        Catalogue { major, keywords: Arc::new(keywords), objects }
    }

    /// The major version of the server.
    pub fn major(&self) -> u32 {
        self.major
    }

    /// A name as SQL, in quotes if it needs them.
    pub fn quoted(&self, name: &str) -> String {
        if self.keywords.contains(name) { format!("\"{name}\"") } else { identifier(name) }
    }

    /// The name of an object with its schema, or of the relation that a part belongs to, as SQL has to quote both.
    pub fn qualified(&self, object: &Address) -> String {
        format!("{}.{}", self.quoted(&object.schema), self.quoted(&object.name))
    }

    /// All objects, by kind, schema and name.
    pub fn objects(&self) -> impl Iterator<Item = &Object> {
        self.objects.iter().map(|object| &**object)
    }

    /// An object.
    pub fn get(&self, address: &Address) -> Option<&Object> {
        let at = self.objects.binary_search_by(|object| object.address.cmp(address)).ok()?;
        self.objects.get(at).map(|object| &**object)
    }

    /// The objects of a kind.
    pub fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Object> {
        let first = Address { kind, schema: String::new(), name: String::new(), part: String::new() };
        self.from(&first).take_while(move |it| it.address.kind == kind)
    }

    /// The tables of this and of other servers, with their partitions.
    pub fn tables(&self) -> impl Iterator<Item = &Object> {
        self.of_kind(Kind::Table).chain(self.of_kind(Kind::ForeignTable))
    }

    /// The table that an address is of, or of a part of.
    pub fn table_of(&self, address: &Address) -> Option<&Object> {
        const TABLES: [Kind; 2] = [Kind::Table, Kind::ForeignTable];
        if !TABLES.contains(&address.kind) && !address.kind.is_part() {
            return None;
        }
        let table = |kind| Address { kind, part: String::new(), ..address.clone() };
        TABLES.into_iter().find_map(|kind| self.get(&table(kind)))
    }

    /// The objects from an address on.
    fn from<'c>(&'c self, first: &Address) -> impl Iterator<Item = &'c Object> + use<'c> {
        let at = self.objects.partition_point(|object| object.address < *first);
        self.objects[at..].iter().map(|object| &**object)
    }

    /// The columns of a relation in their order.
    pub fn columns<'c>(&'c self, relation: &'c Address) -> Vec<&'c Object> {
        let mut columns: Vec<&Object> = self.parts(Kind::Column, relation).collect();
        columns.sort_by_key(|column| column.position());
        columns
    }

    /// The constraints of a table, each with its name.
    pub fn constraints<'c>(&'c self, table: &'c Address) -> impl Iterator<Item = (&'c str, &'c Constraint)> {
        self.parts(Kind::Constraint, table).filter_map(|object| match &object.body {
            Body::Constraint(constraint) => Some((object.address.part.as_str(), constraint)),
            _ => None,
        })
    }

    /// The indexes of each relation that has any, each with its name.
    pub fn indexes(&self) -> BTreeMap<&Address, Vec<(&str, &Index)>> {
        let mut indexes: BTreeMap<&Address, Vec<(&str, &Index)>> = BTreeMap::new();
        for object in self.of_kind(Kind::Index) {
            if let Body::Index(index) = &object.body {
                indexes.entry(&index.table.0).or_default().push((&object.address.name, index));
            }
        }
        indexes
    }

    /// The indexes of a relation, each with its name.
    pub fn indexes_of<'c>(&'c self, relation: &Address) -> impl Iterator<Item = (&'c str, &'c Index)> {
        self.of_kind(Kind::Index).filter_map(move |object| match &object.body {
            Body::Index(index) if index.table.0 == *relation => Some((object.address.name.as_str(), index)),
            _ => None,
        })
    }

    /// The routines or operators that have the name of this one, itself among them, whatever they take.
    pub fn overloads<'c>(&'c self, address: &'c Address) -> impl Iterator<Item = &'c Object> {
        let key = |it: &'c Address| (it.kind, &it.schema, &it.name);
        self.from(&Address { part: String::new(), ..address.clone() })
            .take_while(move |it| key(&it.address) == key(address))
    }

    /// The parts of one kind that a relation or domain has.
    pub fn parts<'c>(&'c self, kind: Kind, whole: &'c Address) -> impl Iterator<Item = &'c Object> {
        let first = Address { kind, part: String::new(), ..whole.clone() };
        self.from(&first).take_while(move |it| it.address.kind == kind && it.address.is_part_of(whole))
    }
}
