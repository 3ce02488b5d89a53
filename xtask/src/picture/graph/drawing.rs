//! Draws the graph as SVG: one lane per app, one row per migration, and a line between two lanes for each dependency.

use std::fmt::Write;

use crate::picture::{
    graph::nodes::{Graph, Node},
    svg::{app_colour, escaped, page, path, width_of},
};

const MARGIN: i32 = 20;
const TOP: i32 = 58;
const LANE: i32 = 30;
const ROW: i32 = 30;
/// Distances from a lane, in pixels, at which dependency lines can run in the gap beside it.
const TRACKS: [i32; 5] = [15, 11, 19, 13, 17];
const STYLE: &str = "\
  .own, .needs { fill: none }
  .own { stroke-width: 3 }
  .needs { stroke-width: 1.5 }
  circle { stroke: $paper; stroke-width: 2 }
";

impl Graph<'_> {
    pub(crate) fn svg(&self) -> String {
        let letters = MARGIN + i32::try_from(self.apps.len()).unwrap_or(0) * LANE + 10;
        let names: Vec<String> = self.nodes.iter().map(Node::name).collect();
        let name_width = names.iter().map(|name| width_of(name, 12)).max().unwrap_or(0);
        let after: Vec<String> = self.nodes.iter().map(|node| self.after(node)).collect();
        let after_width = after.iter().map(|text| width_of(text, 12)).max().unwrap_or(0);
        let width = (letters + name_width + 24 + after_width + MARGIN).max(520);

        let mut body = format!("<text class=\"title\" x=\"{MARGIN}\" y=\"30\">{}</text>\n", self.title());
        body += &self.lines();
        for (row, (name, after)) in names.iter().zip(&after).enumerate() {
            let (x, y) = self.position(row);
            let colour = app_colour(self.nodes[row].lane);
            // Writing to a string does not fail.
            let _ = writeln!(body, "<circle cx=\"{x}\" cy=\"{y}\" r=\"7\" fill=\"{colour}\"/>");
            let _ = writeln!(body, "<text x=\"{letters}\" y=\"{}\">{}</text>", y + 4, escaped(name));
            if !after.is_empty() {
                let (x, y) = (letters + name_width + 24, y + 4);
                let _ = writeln!(body, "<text class=\"quiet\" x=\"{x}\" y=\"{y}\">{}</text>", escaped(after));
            }
        }
        let height = TOP + i32::try_from(self.nodes.len()).unwrap_or(0) * ROW;
        page("graph", &self.title(), (width, height), STYLE, &body)
    }

    /// Returns the centre of a migration's dot.
    fn position(&self, row: usize) -> (i32, i32) {
        let at = |index: usize| i32::try_from(index).unwrap_or(0);
        (MARGIN + 7 + at(self.nodes[row].lane) * LANE, TOP + at(row) * ROW)
    }

    /// Draws the lines that connect the migrations of each app, and the dependencies.
    fn lines(&self) -> String {
        let (mut lines, tracks) = (String::new(), self.tracks());
        for (row, node) in self.nodes.iter().enumerate() {
            let (x, y) = self.position(row);
            for &parent in &node.after {
                let (px, py) = self.position(parent);
                let middle = px + if x < px { -tracks[parent] } else { tracks[parent] };
                let d = path(&[(px, py), (middle, py), (middle, y), (x, y)]);
                let colour = app_colour(self.nodes[parent].lane);
                // Writing to a string does not fail.
                let _ = writeln!(lines, "<path class=\"needs\" stroke=\"{colour}\" d=\"{d}\"/>");
            }
            if let Some(parent) = node.previous {
                let (colour, above) = (app_colour(node.lane), self.position(parent).1);
                let _ = writeln!(lines, "<path class=\"own\" stroke=\"{colour}\" d=\"M{x} {above}V{y}\"/>");
            }
        }
        lines
    }

    /// Chooses for each migration how far from its lane the lines to its dependents run: on a track that no other migration
    /// of the lane uses at that height, if one is free.
    fn tracks(&self) -> Vec<i32> {
        let mut last: Vec<usize> = (0..self.nodes.len()).collect();
        for (row, node) in self.nodes.iter().enumerate() {
            for &parent in &node.after {
                last[parent] = row;
            }
        }
        // For each lane and each of its tracks, the last row in which the track is in use.
        let mut used_until = vec![[0; TRACKS.len()]; self.apps.len()];
        let track = |(row, node): (usize, &Node)| {
            let used_until = &mut used_until[node.lane];
            let free = used_until.iter().position(|&until| until <= row).unwrap_or(row % TRACKS.len());
            used_until[free] = used_until[free].max(last[row]);
            TRACKS[free]
        };
        self.nodes.iter().enumerate().map(track).collect()
    }
}
