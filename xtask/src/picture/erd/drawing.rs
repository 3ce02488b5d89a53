//! Draws the tables as SVG: a box for each table, in the colour of its app, and lines for the foreign keys.

use std::fmt::Write;

use crate::{
    picture::{
        erd::{
            columns::{HEAD, HEAD_LETTERS, MARK, Placed, ROW, height, place_tables, type_label, widths},
            schema::{Schema, Table},
            wires::{Cable, End, lay_cables},
        },
        svg::{app_colour, escaped, line_colour, page, path, width_of},
    },
    terminal::output::count,
};

const MARGIN: i32 = 20;
/// Height of the title and the legend.
const TITLE: i32 = 70;
/// Distance between neighbouring tracks, and between neighbouring lanes.
const TRACK: i32 = 12;
/// Distance between a box and the nearest track, with room for the arrow.
const ROOM: i32 = 20;
const STYLE: &str = "\
  .box { fill: $box; stroke: $rule }
  .name { font-size: 13px; font-weight: 700; fill: #ffffff }
  .mark { font-size: 10px; font-weight: 700; fill: $quiet }
  .key { font-weight: 700 }
  .type { fill: $quiet; text-anchor: end }
  .line { fill: none; stroke-width: 1.6 }
  .under { fill: none; stroke: $paper; stroke-width: 4 }
";

/// The picture after everything has its place.
struct Drawing<'s> {
    schema: &'s Schema,
    placed: Vec<Placed>,
    widths: Vec<i32>,
    cables: Vec<Cable>,
    /// The cables in each gutter, from left to right.
    tracks: Vec<Vec<usize>>,
    /// The left edge of each gutter. There is one more gutter than there are columns.
    gutters: Vec<i32>,
    /// The upper edge of the columns.
    top: i32,
}

/// Draws all tables and foreign keys.
pub(crate) fn draw(schema: &Schema) -> String {
    Drawing::new(schema).page()
}

/// Returns the width of a gutter. The outermost ones have none if no line uses them.
fn gutter_width(tracks: &[usize]) -> i32 {
    match i32::try_from(tracks.len()).unwrap_or(0) {
        0 => 0,
        tracks => (tracks - 1) * TRACK + 2 * ROOM,
    }
}

impl Drawing<'_> {
    /// Places the boxes and the lines.
    fn new(schema: &Schema) -> Drawing<'_> {
        let placed = place_tables(schema);
        let widths = widths(schema, &placed);
        let (cables, tracks) = lay_cables(schema, &placed);
        let lanes = i32::try_from(cables.iter().filter(|cable| cable.lane.is_some()).count()).unwrap_or(0);
        let mut gutters = vec![MARGIN];
        for (column, width) in widths.iter().enumerate() {
            gutters.push(gutters[column] + gutter_width(&tracks[column]) + width);
        }
        let top = TITLE + if lanes > 0 { (lanes + 1) * TRACK } else { 0 };
        Drawing { schema, placed, widths, cables, tracks, gutters, top }
    }

    fn page(&self) -> String {
        let tables = count(self.schema.tables.len(), "table", "tables");
        let title = format!("{tables} of {}", count(self.schema.apps.len(), "app", "apps"));
        let mut body = format!("<text class=\"title\" x=\"{MARGIN}\" y=\"30\">{title}</text>\n");
        let legend = self.legend(&mut body);
        self.lines(&mut body);
        for it in &self.placed {
            self.table(it, &mut body);
        }
        let last = self.gutters.len() - 1;
        let right = self.gutters[last] + self.tracks.get(last).map_or(0, |it| gutter_width(it));
        let bottom = |it: &Placed| it.y + height(&self.schema.tables[it.table]);
        let bottom = self.top + self.placed.iter().map(bottom).max().unwrap_or(0);
        page("erd", &title, (right.max(legend) + MARGIN, bottom + MARGIN), STYLE, &body)
    }

    /// Draws what the colours and marks mean, and returns its right edge.
    fn legend(&self, body: &mut String) -> i32 {
        let mut x = MARGIN;
        for (index, app) in self.schema.apps.iter().enumerate() {
            let colour = app_colour(index);
            // Writing to a string does not fail.
            let _ = writeln!(
                body,
                "<rect x=\"{x}\" y=\"44\" width=\"12\" height=\"12\" rx=\"3\" fill=\"{colour}\"/>"
            );
            let _ = writeln!(body, "<text x=\"{}\" y=\"54\">{}</text>", x + 18, escaped(app));
            x += 18 + width_of(app, 12) + 20;
        }
        let marks = "PK primary key   FK foreign key   UK unique   ? may be null";
        let _ = writeln!(body, "<text class=\"quiet\" x=\"{x}\" y=\"54\">{marks}</text>");
        x + width_of(marks, 12)
    }

    fn table(&self, it: &Placed, body: &mut String) {
        let table = &self.schema.tables[it.table];
        let (x, y, width) = (self.left_edge(it.column), self.top + it.y, self.widths[it.column]);
        let (height, colour) = (height(table), app_colour(self.schema.app_index(table)));
        let _ = writeln!(
            body,
            "<rect class=\"box\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"6\"/>\n\
             <path fill=\"{colour}\" d=\"M{x} {}v-21q0 -6 6 -6h{}q6 0 6 6v21z\"/>\n\
             <text class=\"name\" x=\"{}\" y=\"{}\">{}</text>",
            y + HEAD,
            width - 12,
            x + 10,
            y + (HEAD + HEAD_LETTERS) / 2 - 2,
            escaped(&table.name)
        );
        for (index, column) in table.columns.iter().enumerate() {
            let y = y + HEAD + i32::try_from(index).unwrap_or(0) * ROW + 14;
            let mark = match (column.primary_key, table.refers(&column.name), column.unique) {
                (true, _, _) => "PK",
                (_, true, _) => "FK",
                (_, _, true) => "UK",
                _ => "",
            };
            if !mark.is_empty() {
                let colour = self
                    .colour(table, &column.name)
                    .map_or(String::new(), |it| format!(" style=\"fill:{it}\""));
                let _ =
                    writeln!(body, "<text class=\"mark\" x=\"{}\" y=\"{y}\"{colour}>{mark}</text>", x + 10);
            }
            let class = if column.primary_key { " class=\"key\"" } else { "" };
            let (name, kind) = (escaped(&column.name), escaped(&type_label(column)));
            let _ = writeln!(body, "<text{class} x=\"{}\" y=\"{y}\">{name}</text>", x + MARK);
            let _ = writeln!(body, "<text class=\"type\" x=\"{}\" y=\"{y}\">{kind}</text>", x + width - 10);
        }
    }

    /// Returns the colour of the line that starts at a column.
    fn colour(&self, table: &Table, column: &str) -> Option<&'static str> {
        let start = format!("{}.{column} → ", table.name);
        let starts = |cable: &Cable| cable.wires.iter().any(|wire| wire.title.starts_with(&start));
        self.cables.iter().position(starts).map(line_colour)
    }

    fn lines(&self, body: &mut String) {
        for (index, cable) in self.cables.iter().enumerate() {
            let routes: Vec<String> =
                cable.wires.iter().map(|wire| path(&self.route(index, wire.from, wire.to))).collect();
            // A wider line in the page's colour makes a gap in the lines that this one crosses.
            for route in &routes {
                let _ = writeln!(body, "<path class=\"under\" d=\"{route}\"/>");
            }
            let colour = line_colour(index);
            for (route, wire) in routes.iter().zip(&cable.wires) {
                let (x, y) = self.edge(wire.from);
                let out = if wire.from.right { -8 } else { 8 };
                let title = escaped(&wire.title);
                let foot = format!("M{x} {}L{} {y}L{x} {}", y - 4, x + out, y + 4);
                let _ = writeln!(
                    body,
                    "<path class=\"line\" stroke=\"{colour}\" d=\"{route}{foot}\"><title>{title}</title></path>"
                );
            }
            for wire in &cable.wires {
                let (x, y) = self.edge(wire.to);
                let out = if wire.to.right { -9 } else { 9 };
                let (back, up, down) = (x + out, y - 4, y + 4);
                let _ = writeln!(body, "<path fill=\"{colour}\" d=\"M{x} {y}L{back} {up}V{down}z\"/>");
            }
        }
    }

    /// Returns the points of a line from the referring column to the referenced one.
    fn route(&self, cable: usize, from: End, to: End) -> Vec<(i32, i32)> {
        let (start, end) = (self.edge(from), self.edge(to));
        let (first, last) = (self.track(from.gutter, cable), self.track(to.gutter, cable));
        let lane = i32::try_from(self.cables[cable].lane.unwrap_or(0)).unwrap_or(0);
        let lane = TITLE + (lane + 1) * TRACK - TRACK / 2;
        match from.gutter == to.gutter {
            true => vec![start, (first, start.1), (first, end.1), end],
            false => vec![start, (first, start.1), (first, lane), (last, lane), (last, end.1), end],
        }
    }

    /// Returns the point at which a line meets its box.
    fn edge(&self, end: End) -> (i32, i32) {
        let x = match end.right {
            true => self.left_edge(end.gutter),
            false => self.gutters[end.gutter],
        };
        (x, self.top + end.y)
    }

    /// Returns the horizontal position of a cable's track in a gutter.
    fn track(&self, gutter: usize, cable: usize) -> i32 {
        let track = self.tracks[gutter].iter().position(|&it| it == cable).unwrap_or(0);
        self.gutters[gutter] + ROOM + i32::try_from(track).unwrap_or(0) * TRACK
    }

    /// Returns the left edge of a column's boxes.
    fn left_edge(&self, column: usize) -> i32 {
        self.gutters[column] + gutter_width(&self.tracks[column])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::erd::schema::{Column, ForeignKey};

    /// Makes tables that refer to each other and to themselves in no particular order.
    fn tangle(tables: usize) -> Schema {
        let name = |index: usize| format!("table_{index}");
        let table = |index: usize| {
            let columns = 2 + index * 7 % 11;
            let key = |column: usize| ForeignKey {
                name: String::new(),
                columns: vec![format!("column_{column}")],
                table: name((index * 5 + column * 3) % tables),
                referenced: vec![format!("column_{}", column % 2)],
            };
            Table {
                app: format!("app_{}", index % 3),
                name: name(index),
                columns: (0..columns)
                    .map(|it| Column { name: format!("column_{it}"), ..Column::default() })
                    .collect(),
                foreign_keys: (1..columns).step_by(2).map(key).collect(),
            }
        };
        Schema {
            apps: (0..3).map(|app| format!("app_{app}")).collect(),
            tables: (0..tables).map(table).collect(),
        }
    }

    #[test]
    fn no_line_crosses_a_box_and_no_two_cables_overlap() {
        for tables in [1, 2, 7, 20, 45] {
            let schema = tangle(tables);
            let it = Drawing::new(&schema);
            let mut all: Vec<(usize, [(i32, i32); 2])> = Vec::new();
            for (index, cable) in it.cables.iter().enumerate() {
                for wire in &cable.wires {
                    let route = it.route(index, wire.from, wire.to);
                    all.extend(route.windows(2).map(|two| (index, [two[0], two[1]])));
                }
            }
            assert!(!all.is_empty());
            for (cable, line) in &all {
                for placed in &it.placed {
                    let (x, y) = (it.left_edge(placed.column), it.top + placed.y);
                    let (right, bottom) =
                        (x + it.widths[placed.column], y + height(&schema.tables[placed.table]));
                    let inside = line[0].0.max(line[1].0) > x
                        && line[0].0.min(line[1].0) < right
                        && line[0].1.max(line[1].1) > y
                        && line[0].1.min(line[1].1) < bottom;
                    assert!(!inside, "{line:?} crosses table_{}", placed.table);
                }
                for (_, other) in all.iter().filter(|(other, _)| other != cable) {
                    assert!(!along(line, other), "{line:?} lies on {other:?}");
                }
            }
        }
    }

    /// Whether two horizontal or two vertical lines share more than a point.
    fn along(one: &[(i32, i32); 2], other: &[(i32, i32); 2]) -> bool {
        let level = |line: &[(i32, i32); 2]| line[0].1 == line[1].1;
        let span = |line: &[(i32, i32); 2], coordinate: fn(&(i32, i32)) -> i32| {
            let (start, end) = (coordinate(&line[0]), coordinate(&line[1]));
            (start.min(end), start.max(end))
        };
        let overlap = |coordinate: fn(&(i32, i32)) -> i32| {
            let (one, other) = (span(one, coordinate), span(other, coordinate));
            one.0.max(other.0) < one.1.min(other.1)
        };
        match (level(one), level(other)) {
            (true, true) => one[0].1 == other[0].1 && overlap(|point| point.0),
            (false, false) => one[0].0 == other[0].0 && overlap(|point| point.1),
            _ => false,
        }
    }
}
