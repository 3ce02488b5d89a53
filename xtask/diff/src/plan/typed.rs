//! Typed tables: they leave a type that goes away, and take the one that they are of afterwards.

use catalogue::{Body, Object};

use super::{Plan, Reason};
use crate::kinds;

impl<'c> Plan<'c> {
    /// Has a table leave its type and take another, or the same one made again. Returns whether it can: its columns must have
    /// the order that the new type demands.
    pub(super) fn leave_type(&mut self, table: &'c Object) -> bool {
        let Some(new) = self.new.get(&table.address) else { return false };
        if self.alterations(&new.address).iter().any(|it| it.attribute == kinds::LEFT_TYPE) {
            return true;
        }
        let Some(sql) = kinds::change_type_of_rows(self.before(table), self.after(new)) else { return false };
        self.alter_with(new, "of_type", sql);
        // What followed the attributes of the type no longer does.
        let own = self.old.catalogue.columns(&table.address);
        let all: Vec<&Object> =
            own.into_iter().flat_map(|it| self.old.columns_below(it).into_iter().chain([it])).collect();
        for column in all {
            let Some(after) = self.new.get(&column.address).filter(|_| !self.is_gone(&column.address)) else {
                continue;
            };
            let (Body::Column(from), Body::Column(to)) = (&column.body, &after.body) else { continue };
            let differs = from.data_type != to.data_type || from.collation != to.collation;
            if differs && !self.alterations(&after.address).iter().any(|it| it.alone) {
                let sql = kinds::retype(to, from, self.after(after));
                self.alter(after, "data_type", sql, true);
                self.todo.push((column, Reason::Retyped));
            }
        }
        true
    }
}
