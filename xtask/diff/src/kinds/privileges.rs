//! Default privileges: their rights are all that they are.

use catalogue::DefaultPrivileges;

use crate::{
    common,
    it::It,
    managed::{Managed, UNKNOWN},
    means::Means,
    statement::Sql,
};

impl Managed for DefaultPrivileges {
    fn create(&self, _: It<'_, '_>) -> Vec<Sql> {
        Vec::new()
    }

    fn change(&self, _: &DefaultPrivileges, _: &str, _: It<'_, '_>, _: It<'_, '_>) -> Means {
        UNKNOWN
    }

    fn drop(&self, it: It<'_, '_>) -> Vec<Sql> {
        common::take_back(it)
    }
}
