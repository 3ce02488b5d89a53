//! Draws the graph for a terminal: one lane per app, and one line per migration with the lines to its dependencies.

use crate::picture::graph::nodes::{Graph, Node};

/// Draws the whole graph, followed by the number of migrations.
pub(crate) fn text(graph: &Graph) -> String {
    let width = graph.nodes.iter().map(|node| node.id.to_string().len()).max().unwrap_or(0);
    let lines = graph.nodes.iter().zip(draw(graph)).map(|(node, lane)| {
        let (id, after) = (node.id.to_string(), graph.after(node));
        format!("{}\n", format!("{lane}  {id:<width$}  {after}").trim_end())
    });
    format!("{}\n{}\n", lines.collect::<String>(), graph.title())
}

/// Draws the lanes, one line for each migration.
fn draw(graph: &Graph) -> Vec<String> {
    (0..graph.nodes.len()).map(|row| line(graph, row)).collect()
}

fn line(graph: &Graph, row: usize) -> String {
    let here = &graph.nodes[row];
    let joined: Vec<usize> = here.after.iter().map(|&parent| graph.nodes[parent].lane).collect();
    let ends = || joined.iter().copied().chain([here.lane]);
    let (left, right) = (ends().min().unwrap_or(here.lane), ends().max().unwrap_or(here.lane));
    let mut line = String::new();
    for lane in 0..graph.apps.len() {
        let crossed = left < lane && lane < right;
        let (above, below) = (starts_above(graph, lane, row), continues_below(graph, lane, row));
        line.push(if lane == here.lane {
            '●'
        } else if joined.contains(&lane) {
            match (lane == left, lane == right, below) {
                (true, _, true) => '├',
                (true, _, false) => '└',
                (_, true, true) => '┤',
                (_, true, false) => '┘',
                (_, _, true) => '┼',
                (_, _, false) => '┴',
            }
        } else {
            match (crossed, above && below) {
                (true, true) => '┼',
                (true, false) => '─',
                (false, true) => '│',
                (false, false) => ' ',
            }
        });
        line.push(if left <= lane && lane < right { '─' } else { ' ' });
    }
    line.pop();
    line
}

/// Whether a lane has a migration above a row.
fn starts_above(graph: &Graph, lane: usize, row: usize) -> bool {
    graph.nodes[..row].iter().any(|node| node.lane == lane)
}

/// Whether a lane has a migration below a row, or a migration below it depends on one in the lane.
fn continues_below(graph: &Graph, lane: usize, row: usize) -> bool {
    let needs = |node: &Node| node.after.iter().any(|&parent| graph.nodes[parent].lane == lane);
    graph.nodes[row + 1..].iter().any(|node| node.lane == lane || needs(node))
}

#[cfg(test)]
mod tests {
    use migrations::MigrationId;

    use super::*;

    #[test]
    fn lanes_branch_cross_and_end() {
        let ids: Vec<MigrationId> =
            (0..7).map(|n| MigrationId { app: String::new(), name: n.to_string() }).collect();
        let graph = |rows: &[(usize, &[usize])]| {
            let nodes = rows.iter().zip(&ids).map(|(&(lane, after), id)| Node {
                id,
                lane,
                previous: None,
                after: after.to_vec(),
            });
            draw(&Graph { apps: vec!["a", "b", "c"], nodes: nodes.collect() })
        };
        let drawn = graph(&[(0, &[]), (1, &[0]), (2, &[0]), (1, &[2]), (0, &[3]), (2, &[4, 3])]);
        assert_eq!(drawn, ["●    ", "├─●  ", "├─┼─●", "│ ●─┤", "●─┤ │", "└─┴─●"]);
        assert_eq!(graph(&[(0, &[]), (1, &[]), (0, &[])]), ["●    ", "│ ●  ", "●    "]);
    }
}
