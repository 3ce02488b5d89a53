//! Checks the direction rule: every object that a migration changed in the catalogue belongs to its own app or to an app
//! that this one depends on.

use migrations::{Migration, Project};

use crate::catalogue::Catalogue;

/// Lists the tables that a migration changed and its app may not touch, each with the change.
pub(super) fn trespasses(
    project: &Project,
    migration: &Migration,
    before: &Catalogue,
    after: &Catalogue,
) -> Vec<String> {
    let mut found = Vec::new();
    for line in before.differences(after) {
        for table in tables_of(&line) {
            let owner = project.apps.iter().find(|app| app.tables.iter().any(|name| name == table));
            let Some(owner) = owner.filter(|owner| !may_touch(project, migration, &owner.name)) else {
                continue;
            };
            found.push(format!(
                "{} touches table {table} of app `{}`, which `depends-on` of `{}` does not list:",
                migration.id, owner.name, migration.id.app
            ));
            found.push(format!("  {line}"));
        }
    }
    found
}

fn may_touch(project: &Project, migration: &Migration, owner: &str) -> bool {
    let app = project.apps.iter().find(|app| app.name == migration.id.app);
    owner == migration.id.app || app.is_some_and(|app| app.depends_on.iter().any(|name| name == owner))
}

/// The tables of `public` in a line of the catalogue: the one it describes, and one it refers to.
fn tables_of(line: &str) -> Vec<&str> {
    let words: Vec<&str> = line.split([' ', '(']).filter(|word| !word.is_empty()).collect();
    // A function's body may contain any name.
    if words.get(1).is_some_and(|kind| ["function", "procedure", "aggregate", "operator"].contains(kind)) {
        return Vec::new();
    }
    let own = words.iter().take(4).find_map(|word| word.strip_prefix("public."));
    let after = |marker: &str| {
        words.iter().position(|word| *word == marker).and_then(|at| words.get(at + 1)).copied()
    };
    // The line of an index has the name of its table only in the definition.
    let indexed = after("ON").and_then(|word| word.strip_prefix("public."));
    let referred = after("REFERENCES").map(|word| word.strip_prefix("public.").unwrap_or(word));
    let names = [own, indexed, referred].into_iter().flatten().filter_map(|name| name.split('.').next());
    let mut names: Vec<&str> = names.collect();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::tables_of;

    #[test]
    fn the_tables_in_a_line_are_found() {
        assert_eq!(tables_of("+ column public.orders.total #3 integer"), ["orders"]);
        assert_eq!(tables_of("- table public.orders"), ["orders"]);
        assert_eq!(
            tables_of("+ index orders_idx CREATE INDEX orders_idx ON public.orders USING btree (total)"),
            ["orders"]
        );
        let line = "+ constraint public.orders.orders_person_fkey FOREIGN KEY (person) REFERENCES people(id)";
        assert_eq!(tables_of(line), ["orders", "people"]);
        assert_eq!(tables_of("+ function public.total() CREATE FUNCTION"), [""; 0]);
    }
}
