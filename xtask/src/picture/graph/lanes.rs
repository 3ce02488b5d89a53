//! Draws the graph for a terminal: one lane per app, and one line per migration with the lines to its dependencies.

use crate::picture::graph::nodes::Graph;

/// Draws the whole graph, followed by the number of migrations.
pub(crate) fn text(graph: &Graph) -> String {
    let width = graph.nodes.iter().map(|node| node.name().chars().count()).max().unwrap_or(0);
    let lines = graph.nodes.iter().zip(draw(graph)).map(|(node, lane)| {
        let (id, after) = (node.name(), graph.after(node));
        format!("{}\n", format!("{lane}  {id:<width$}  {after}").trim_end())
    });
    format!("{}\n{}\n", lines.collect::<String>(), graph.title())
}

/// Draws the lanes, one line for each migration.
fn draw(graph: &Graph) -> Vec<String> {
    let extents = extents(graph);
    (0..graph.nodes.len()).map(|row| line(graph, &extents, row)).collect()
}

/// For each lane the first row that has a migration of it, and the last one that has or that depends on one.
fn extents(graph: &Graph) -> Vec<Option<(usize, usize)>> {
    let mut extents: Vec<Option<(usize, usize)>> = vec![None; graph.apps.len()];
    for (row, node) in graph.nodes.iter().enumerate() {
        for lane in node.after.iter().map(|&parent| graph.nodes[parent].lane).chain([node.lane]) {
            extents[lane].get_or_insert((row, row)).1 = row;
        }
    }
    extents
}

fn line(graph: &Graph, extents: &[Option<(usize, usize)>], row: usize) -> String {
    let here = &graph.nodes[row];
    let joined: Vec<usize> = here.after.iter().map(|&parent| graph.nodes[parent].lane).collect();
    let ends = || joined.iter().copied().chain([here.lane]);
    let (left, right) = (ends().min().unwrap_or(here.lane), ends().max().unwrap_or(here.lane));
    let mut line = String::new();
    for (lane, extent) in extents.iter().enumerate() {
        let crossed = left < lane && lane < right;
        let above = extent.is_some_and(|(first, _)| first < row);
        let below = extent.is_some_and(|(_, last)| row < last);
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

#[cfg(test)]
mod tests {
    use migrations::MigrationId;

    use super::*;
    use crate::picture::graph::nodes::Node;

    #[test]
    fn lanes_branch_cross_and_end() {
        let ids: Vec<MigrationId> =
            (0..7).map(|n| MigrationId { app: String::new(), name: n.to_string() }).collect();
        let graph = |rows: &[(usize, &[usize])]| {
            let nodes = rows.iter().zip(&ids).map(|(&(lane, after), id)| Node {
                id,
                folded: 0,
                lane,
                previous: None,
                after: after.to_vec(),
            });
            draw(&Graph { apps: vec!["a", "b", "c"], nodes: nodes.collect(), migrations: rows.len() })
        };
        let drawn = graph(&[(0, &[]), (1, &[0]), (2, &[0]), (1, &[2]), (0, &[3]), (2, &[4, 3])]);
        assert_eq!(drawn, ["●    ", "├─●  ", "├─┼─●", "│ ●─┤", "●─┤ │", "└─┴─●"]);
        assert_eq!(graph(&[(0, &[]), (1, &[]), (0, &[])]), ["●    ", "│ ●  ", "●    "]);
    }
}
