//! The graph on a terminal: a lane an app, and in each migration's line what leads to it.

use crate::picture::graph::nodes::{Graph, Node};

/// The whole graph, and a line that counts its migrations.
pub(crate) fn text(graph: &Graph) -> String {
    let width = graph.nodes.iter().map(|node| node.id.to_string().len()).max().unwrap_or(0);
    let lines = graph.nodes.iter().zip(draw(graph)).map(|(node, lane)| {
        let (id, after) = (node.id.to_string(), graph.after(node));
        format!("{}\n", format!("{lane}  {id:<width$}  {after}").trim_end())
    });
    format!("{}\n{}\n", lines.collect::<String>(), graph.title())
}

/// One line for each migration.
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
        let (above, below) = (reached(graph, lane, row), wanted(graph, lane, row));
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

/// Whether a lane has begun before a row.
fn reached(graph: &Graph, lane: usize, row: usize) -> bool {
    graph.nodes[..row].iter().any(|node| node.lane == lane)
}

/// Whether something below a row goes on in a lane, or leads out of it.
fn wanted(graph: &Graph, lane: usize, row: usize) -> bool {
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
