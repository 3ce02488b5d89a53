//! The names of the kinds of objects.

use std::fmt;

/// How the names of a kind's objects are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Naming {
    /// A name, in a schema or not.
    Own,
    /// A part of a relation, type or server, by its own name.
    Part,
    /// Words made of other names, which are quoted already.
    Free,
}

/// Calls a macro with every kind: its name, its name in words, and how its objects are named. What others are a part of
/// is before them.
macro_rules! all_kinds {
    ($generate:ident) => {
        $generate! {
            Database "database" Own,
            Schema "schema" Own,
            Extension "extension" Own,
            Table "table" Own,
            ForeignTable "foreign table" Own,
            View "view" Own,
            MaterializedView "materialized view" Own,
            CompositeType "composite type" Own,
            Sequence "sequence" Own,
            Enum "enum" Own,
            Domain "domain" Own,
            Range "range" Own,
            BaseType "base type" Own,
            Column "column" Part,
            Constraint "constraint" Part,
            NotNull "not-null constraint" Part,
            DomainConstraint "domain constraint" Part,
            DomainNotNull "domain not-null constraint" Part,
            Index "index" Own,
            Trigger "trigger" Part,
            Rule "rule" Part,
            Policy "policy" Part,
            Statistics "statistics" Own,
            Function "function" Own,
            Aggregate "aggregate" Own,
            Operator "operator" Own,
            OperatorFamily "operator family" Own,
            OperatorClass "operator class" Own,
            Cast "cast" Free,
            Collation "collation" Own,
            Conversion "conversion" Own,
            Parser "text search parser" Own,
            Template "text search template" Own,
            Dictionary "text search dictionary" Own,
            Configuration "text search configuration" Own,
            Language "language" Own,
            Transform "transform" Free,
            AccessMethod "access method" Own,
            Wrapper "foreign-data wrapper" Own,
            Server "server" Own,
            UserMapping "user mapping" Free,
            Publication "publication" Own,
            Subscription "subscription" Own,
            EventTrigger "event trigger" Own,
            DefaultPrivileges "default privileges" Free,
            Foreign "rights to" Free,
        }
    };
}
pub(crate) use all_kinds;

macro_rules! kinds {
    ($($name:ident $words:literal $naming:ident,)*) => {
        /// What an object is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs, reason = "each is the kind of the struct of its name")]
        pub enum Kind { $($name,)* }

        impl Kind {
            /// All kinds, in the order in which the queries run.
            pub const ALL: &'static [Kind] = &[$(Kind::$name,)*];

            /// Its name in words.
            pub fn words(self) -> &'static str {
                match self { $(Kind::$name => $words,)* }
            }

            pub(crate) fn naming(self) -> Naming {
                match self { $(Kind::$name => Naming::$naming,)* }
            }
        }
    };
}

all_kinds!(kinds);

impl Kind {
    pub(crate) fn has_free_name(self) -> bool {
        self.naming() == Naming::Free
    }

    /// Whether its objects are parts of a relation or a domain.
    pub fn is_part(self) -> bool {
        self.naming() == Naming::Part
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}
