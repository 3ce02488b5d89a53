//! The keys of an index, put together from the numbers that the catalogue has of them: asking the server for the text of
//! each index takes ten times as long.

use crate::{
    attribute::{Attribute, Implied, Scope, Value},
    context::Context,
    oid::Oid,
    sheet::Field,
};

/// The bits of `indoption`.
const DESCENDING: i16 = 1;
const NULLS_FIRST: i16 = 2;

/// One key of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The column, if it is one.
    pub column: Option<String>,
    /// The expression, if it is none.
    pub expression: Option<String>,
    /// The collation, unless it is the column's.
    pub collation: Option<String>,
    /// The operator class, unless it is the type's usual one.
    pub operator_class: Option<String>,
    /// The operator class, also if it is the usual one.
    pub named_class: Implied<String>,
    /// Whether it is sorted from the largest to the smallest.
    pub descending: bool,
    /// Whether nulls come first.
    pub nulls_first: bool,
}

/// The keys of an index, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keys(pub Vec<Key>);

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.column, &self.expression) {
            (Some(column), _) => f.write_str(&crate::address::identifier(column))?,
            // The server puts parentheses around what is no function call.
            (None, expression) => f.write_str(expression.as_deref().unwrap_or_default())?,
        }
        if let Some(collation) = &self.collation {
            write!(f, " collate {collation}")?;
        }
        if let Some(class) = &self.operator_class {
            write!(f, " {class}")?;
        }
        if self.descending {
            f.write_str(" desc")?;
        }
        match (self.descending, self.nulls_first) {
            (true, false) => f.write_str(" nulls last"),
            (false, true) => f.write_str(" nulls first"),
            _ => Ok(()),
        }
    }
}

impl Attribute for Keys {
    fn value(&self, scope: Scope) -> Value {
        let shown = scope != Scope::Noted && !self.0.is_empty();
        if shown { Value::List(self.0.iter().map(Key::to_string).collect()) } else { Value::Absent }
    }
}

/// `count|columns|classes|collations|options|{expressions}`, as the query joins them.
impl Field for Keys {
    fn decode(text: Option<&str>, cx: &Context, on: Oid) -> Option<Self> {
        let mut parts = text?.splitn(6, '|');
        let count: usize = parts.next()?.parse().ok()?;
        let columns = Vec::<i16>::decode(parts.next(), cx, on)?;
        let classes = Vec::<Oid>::decode(parts.next(), cx, on)?;
        let collations = Vec::<Oid>::decode(parts.next(), cx, on)?;
        let options = Vec::<i16>::decode(parts.next(), cx, on)?;
        let expressions = parts.next().filter(|it| !it.is_empty());
        let expressions = Vec::<String>::decode(expressions, cx, on)?;
        let key = |n: usize| {
            let column = *columns.get(n)?;
            let option = options.get(n).copied().unwrap_or_default();
            let collation = collations.get(n).copied().unwrap_or_default();
            let (class, usual) = cx.operator_class(*classes.get(n)?);
            Some(Key {
                column: (column != 0).then(|| cx.column(on, column)),
                expression: expressions.get(n).filter(|_| column == 0).cloned(),
                collation: cx.collation(collation, on, column),
                operator_class: (!usual).then(|| class.clone()),
                named_class: Implied(class),
                descending: option & DESCENDING != 0,
                nulls_first: option & NULLS_FIRST != 0,
            })
        };
        (0..count).map(key).collect::<Option<Vec<Key>>>().map(Keys)
    }
}
