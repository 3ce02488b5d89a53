//! The values of attributes: how each is shown, compared, and decoded.

use std::fmt;

use crate::{address::Address, context::Context, oid::Oid, role::Role, sheet::Field};

/// What of an attribute is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// All of it, as two servers of one major version must agree on it.
    Exact,
    /// What every supported major version says in the same way about the same files.
    Portable,
    /// What does not make two databases different: the order of columns, the version of an extension.
    Noted,
}

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// It has the value that it has when nothing is said about it.
    Absent,
    /// It holds.
    Yes,
    /// One value.
    One(String),
    /// Several, in the order that counts.
    List(Vec<String>),
    /// Several, whose order means nothing, sorted.
    Set(Vec<String>),
}

impl Value {
    fn one(text: impl Into<String>) -> Value {
        Value::One(text.into())
    }

    /// Whether nothing is to be said.
    pub fn is_absent(&self) -> bool {
        *self == Value::Absent
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Absent => Ok(()),
            Value::Yes => f.write_str("yes"),
            Value::One(text) => f.write_str(text),
            Value::List(parts) | Value::Set(parts) => f.write_str(&parts.join(", ")),
        }
    }
}

/// A field of an object that two catalogues are compared by.
pub trait Attribute {
    /// Its value in a scope; absent if the scope leaves it out.
    fn value(&self, scope: Scope) -> Value;
}

/// Implements [`Attribute`] for a type that is the same in all scopes but [`Scope::Noted`].
macro_rules! compared {
    ($($type:ty: |$it:ident| $value:expr;)*) => {$(
        impl Attribute for $type {
            fn value(&self, scope: Scope) -> Value {
                if scope == Scope::Noted {
                    return Value::Absent;
                }
                let $it = self;
                $value
            }
        }
    )*};
}

compared! {
    String: |it| Value::one(it);
    bool: |it| if *it { Value::Yes } else { Value::Absent };
    i16: |it| Value::one(it.to_string());
    i32: |it| Value::one(it.to_string());
    i64: |it| Value::one(it.to_string());
    Option<String>: |it| it.as_ref().map_or(Value::Absent, Value::one);
    Option<i32>: |it| it.map_or(Value::Absent, |it| Value::one(it.to_string()));
    Option<i64>: |it| it.map_or(Value::Absent, |it| Value::one(it.to_string()));
    Vec<String>: |it| if it.is_empty() { Value::Absent } else { Value::List(it.clone()) };
    Options: |it| if it.0.is_empty() { Value::Absent } else { Value::Set(it.sorted()) };
    Columns: |it| it.0.value(Scope::Exact);
    Reference: |it| Value::one(it.to_string());
    Option<Reference>: |it| it.as_ref().map_or(Value::Absent, |it| Value::one(it.to_string()));
    Relation: |it| Value::one(it.0.name());
    Option<Role>: |it| it.as_ref().map_or(Value::Absent, |it| Value::one(it.to_string()));
    Roles: |it| if it.0.is_empty() { Value::Absent } else { Value::Set(it.0.iter().map(Role::to_string).collect()) };
}

/// Text that the server prints from a parsed query. Major versions print the same query differently, and so does one
/// that has read its own text back, so it is compared within a major version only.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deparsed(pub Option<String>);

impl Attribute for Deparsed {
    fn value(&self, scope: Scope) -> Value {
        let shown = self.0.as_ref().filter(|_| scope == Scope::Exact);
        shown.map_or(Value::Absent, Value::one)
    }
}

/// A value that each major version has its own defaults for, so it is compared within a major version only.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Versioned<T>(pub T);

impl<T: Attribute> Attribute for Versioned<T> {
    fn value(&self, scope: Scope) -> Value {
        if scope == Scope::Exact { self.0.value(scope) } else { Value::Absent }
    }
}

/// A value that is reported and never makes two databases different.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Noted<T>(pub T);

impl<T: Attribute> Attribute for Noted<T> {
    fn value(&self, scope: Scope) -> Value {
        if scope == Scope::Noted { self.0.value(Scope::Exact) } else { Value::Absent }
    }
}

/// A value that follows from others, or from the name. It is never compared or shown, and serves to write SQL.
#[derive(Debug, Clone, Default)]
pub struct Implied<T>(pub T);

impl<T> PartialEq for Implied<T> {
    fn eq(&self, _: &Implied<T>) -> bool {
        true
    }
}

impl<T> Eq for Implied<T> {}

impl<T> Attribute for Implied<T> {
    fn value(&self, _: Scope) -> Value {
        Value::Absent
    }
}

/// Options as `name=value`. Their order means nothing, but `pg_dump` shows it.
#[derive(Debug, Clone, Default)]
pub struct Options(pub Vec<String>);

impl Options {
    fn sorted(&self) -> Vec<String> {
        let mut sorted = self.0.clone();
        sorted.sort();
        sorted
    }
}

impl PartialEq for Options {
    fn eq(&self, other: &Options) -> bool {
        self.0 == other.0 || self.sorted() == other.sorted()
    }
}

impl Eq for Options {}

/// Names of columns of the relation that an object belongs to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Columns(pub Vec<String>);

/// Another relation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation(pub Address);

/// The copies of an object that have another name than it, each with its relation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Copies(pub Vec<(Address, String)>);

/// The columns of another table that a foreign key refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The table.
    pub table: Address,
    /// Its columns, in the order of the key's.
    pub columns: Vec<String>,
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.table.name(), self.columns.join(", "))
    }
}

/// Several roles, sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roles(pub Vec<Role>);

impl Field for Deparsed {
    fn decode(text: Option<&str>, _: &Context, _: Oid) -> Option<Self> {
        // The server begins a view's text with a blank.
        Some(Deparsed(text.map(|text| text.trim_start().to_owned())))
    }
}

impl<T: Field> Field for Noted<T> {
    fn decode(text: Option<&str>, cx: &Context, on: Oid) -> Option<Self> {
        T::decode(text, cx, on).map(Noted)
    }
}

impl<T: Field> Field for Implied<T> {
    fn decode(text: Option<&str>, cx: &Context, on: Oid) -> Option<Self> {
        T::decode(text, cx, on).map(Implied)
    }
}

impl<T: Field> Field for Versioned<T> {
    fn decode(text: Option<&str>, cx: &Context, on: Oid) -> Option<Self> {
        T::decode(text, cx, on).map(Versioned)
    }
}

impl Field for Options {
    fn decode(text: Option<&str>, cx: &Context, on: Oid) -> Option<Self> {
        Vec::<String>::decode(text, cx, on).map(Options)
    }
}

impl Field for Columns {
    fn decode(text: Option<&str>, cx: &Context, on: Oid) -> Option<Self> {
        let numbers = Vec::<i16>::decode(text, cx, on)?;
        Some(Columns(numbers.iter().map(|&number| cx.column(on, number)).collect()))
    }
}

/// A relation and numbers of its columns: `16384 {1,2}`.
impl Field for Reference {
    fn decode(text: Option<&str>, cx: &Context, _: Oid) -> Option<Self> {
        let (relation, columns) = text?.split_once(' ')?;
        let relation = relation.parse().ok()?;
        let table = cx.relation(relation)?;
        Some(Reference { table, columns: Columns::decode(Some(columns), cx, relation)?.0 })
    }
}

impl Field for Relation {
    fn decode(text: Option<&str>, cx: &Context, _: Oid) -> Option<Self> {
        cx.relation(text?.parse().ok()?).map(Relation)
    }
}

impl Field for Copies {
    fn decode(text: Option<&str>, cx: &Context, on: Oid) -> Option<Self> {
        let copies = Vec::<String>::decode(text, cx, on)?;
        let copy = |it: &String| {
            let (relation, name) = it.split_once(' ')?;
            Some((cx.relation(relation.parse().ok()?)?, name.to_owned()))
        };
        Some(Copies(copies.iter().filter_map(copy).collect()))
    }
}

impl Field for Role {
    fn decode(text: Option<&str>, cx: &Context, _: Oid) -> Option<Self> {
        Some(cx.role(text?.parse().ok()?))
    }
}

impl Field for Roles {
    fn decode(text: Option<&str>, cx: &Context, on: Oid) -> Option<Self> {
        let mut roles = Vec::<Role>::decode(text, cx, on)?;
        roles.sort();
        Some(Roles(roles))
    }
}
