//! An order of tables by what refers to what.

use std::collections::BTreeSet;

/// Puts each table behind those that it refers to. In a cycle, the table that refers to the fewest others that are still to
/// come goes first.
///
/// `references` has for each table the positions of the tables that it refers to; the result has the positions in order.
pub(crate) fn behind_what_they_refer_to(references: &[BTreeSet<usize>]) -> Vec<usize> {
    let mut missing: Vec<usize> = vec![0; references.len()];
    let mut referring: Vec<Vec<usize>> = vec![Vec::new(); references.len()];
    for (table, others) in references.iter().enumerate() {
        for &other in others.iter().filter(|&&other| other != table) {
            missing[table] += 1;
            referring[other].push(table);
        }
    }
    let mut rest: BTreeSet<(usize, usize)> = missing.iter().copied().zip(0..).collect();
    let mut ordered = Vec::new();
    while let Some((_, next)) = rest.pop_first() {
        ordered.push(next);
        for &table in &referring[next] {
            if rest.remove(&(missing[table], table)) {
                missing[table] -= 1;
                rest.insert((missing[table], table));
            }
        }
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_comes_behind_those_that_it_refers_to_and_a_cycle_begins_where_least_is_missing() {
        let order = |references: &[&[usize]]| {
            let sets: Vec<BTreeSet<usize>> =
                references.iter().map(|it| it.iter().copied().collect()).collect();
            behind_what_they_refer_to(&sets)
        };
        assert_eq!(order(&[&[1], &[2], &[2]]), [2, 1, 0]);
        assert_eq!(order(&[&[1, 2], &[0], &[]]), [2, 0, 1]);
        assert_eq!(order(&[&[1, 2], &[2], &[0]]), [1, 0, 2]);
    }
}
