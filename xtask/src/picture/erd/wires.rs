//! Routes the lines from each foreign key's column, through the gaps between the boxes, to the column that it refers to.
//!
//! Lines to the same columns share a route, like wires in a cable. A cable runs vertically in the gutters between two columns
//! of boxes, on a track of its own, and from one gutter to another on a lane above all boxes. So it never crosses a box.

use crate::picture::erd::{
    columns::{HEAD, Placed, ROW},
    schema::{ForeignKey, Schema, Table},
};

/// All foreign keys that refer to the same columns.
pub(super) struct Cable {
    pub(super) wires: Vec<Wire>,
    /// The lane above the boxes that it uses. `None`: it stays in one gutter.
    pub(super) lane: Option<usize>,
}

/// One foreign key.
pub(super) struct Wire {
    /// Such as `orders.person → people.id`.
    pub(super) title: String,
    pub(super) from: End,
    pub(super) to: End,
}

/// The point at which a line meets a box.
#[derive(Clone, Copy)]
pub(super) struct End {
    pub(super) gutter: usize,
    /// Whether the box is to the right of the gutter.
    pub(super) right: bool,
    pub(super) y: i32,
}

/// The place of a table's column in the picture.
#[derive(Clone, Copy)]
struct Place {
    column: usize,
    y: i32,
}

/// The ends of a cable.
struct Ends {
    /// The referenced columns, such as `people.id`.
    to: String,
    target: Place,
    /// The title of each wire, and where it starts.
    from: Vec<(String, Place)>,
}

/// Returns the cables, and for each gutter the cables in it from left to right.
pub(super) fn lay_cables(schema: &Schema, placed: &[Placed]) -> (Vec<Cable>, Vec<Vec<usize>>) {
    let mut cables = cables(schema, placed);
    let mut lanes = 0;
    for cable in &mut cables {
        if cable.wires.iter().any(|wire| wire.from.gutter != wire.to.gutter) {
            cable.lane = Some(lanes);
            lanes += 1;
        }
    }
    let gutters = placed.iter().map(|it| it.column + 2).max().unwrap_or(0);
    let tracks = (0..gutters).map(|gutter| tracks(&cables, gutter)).collect();
    (cables, tracks)
}

/// Collects the foreign keys into cables.
fn cables(schema: &Schema, placed: &[Placed]) -> Vec<Cable> {
    let place = |table: usize, column: &str, key: Option<&ForeignKey>| {
        let it = placed.iter().find(|it| it.table == table)?;
        let row = i32::try_from(schema.tables[table].position(column)).ok()?;
        let y = it.y + HEAD + row * ROW + ROW / 2 + offset_in_row(schema, &schema.tables[table], column, key);
        Some(Place { column: it.column, y })
    };
    let mut ends: Vec<Ends> = Vec::new();
    for (index, table) in schema.tables.iter().enumerate() {
        for key in &table.foreign_keys {
            let other = schema.tables.iter().position(|other| other.name == key.table);
            let (Some(other), Some(first), Some(referred)) =
                (other, key.columns.first(), key.referenced.first())
            else {
                continue;
            };
            let (Some(from), Some(target)) = (place(index, first, Some(key)), place(other, referred, None))
            else {
                continue;
            };
            let to = format!("{}.{}", key.table, key.referenced.join(", "));
            let title = format!("{}.{} → {to}", table.name, key.columns.join(", "));
            match ends.iter_mut().find(|ends| ends.to == to) {
                Some(ends) => ends.from.push((title, from)),
                None => ends.push(Ends { to, target, from: vec![(title, from)] }),
            }
        }
    }
    ends.into_iter().map(Cable::between).collect()
}

/// Returns how far below the middle of its row a line ends, so that the lines of a row don't meet: the incoming one is at the
/// top, and the outgoing ones are below it.
///
/// The offset is even, so no line is level with one of a neighbouring column, whose rows are an odd distance away.
fn offset_in_row(schema: &Schema, table: &Table, column: &str, key: Option<&ForeignKey>) -> i32 {
    let is_incoming =
        |key: &ForeignKey| key.table == table.name && key.referenced.first().is_some_and(|it| it == column);
    let has_incoming = schema.tables.iter().flat_map(|other| &other.foreign_keys).any(is_incoming);
    let outgoing = table.foreign_keys.iter().filter(|key| key.columns.first().is_some_and(|it| it == column));
    let outgoing: Vec<&ForeignKey> = outgoing.collect();
    let place = key.and_then(|key| outgoing.iter().position(|other| std::ptr::eq(*other, key)));
    let place = place.map_or(0, |place| place + usize::from(has_incoming));
    let even = |n: usize| i32::try_from(n).unwrap_or(0) * 2;
    even(2 * place) + 2 - even(outgoing.len() + usize::from(has_incoming))
}

impl Cable {
    /// Chooses for each wire the gutters in which it leaves its box and reaches the other.
    fn between(Ends { target, from, .. }: Ends) -> Cable {
        let (left, right) = (target.column, target.column + 1);
        let from_left = from.iter().any(|(_, from)| from.column + 1 == left);
        let from_right = from.iter().any(|(_, from)| from.column == right);
        // Wires within the target's column use the side that other wires use anyway.
        let same_column = if from_left && !from_right { left } else { right };
        let gutter = |from: Place| match from.column {
            column if column < target.column => column + 1,
            column if column > target.column => column,
            _ => same_column,
        };
        let gutters: Vec<usize> = from.iter().map(|(_, from)| gutter(*from)).collect();
        let mut entries: Vec<usize> =
            [left, right].into_iter().filter(|side| gutters.contains(side)).collect();
        if entries.is_empty() {
            entries.push(if gutters.iter().all(|&gutter| gutter < left) { left } else { right });
        }
        let wires = from.into_iter().zip(gutters).map(|((title, from), gutter)| {
            let entry = entries.iter().copied().min_by_key(|entry| entry.abs_diff(gutter)).unwrap_or(right);
            Wire {
                title,
                from: End { gutter, right: from.column == gutter, y: from.y },
                to: End { gutter: entry, right: target.column == entry, y: target.y },
            }
        });
        Cable { wires: wires.collect(), lane: None }
    }

    /// Returns the points at which the cable meets boxes in a gutter.
    fn ends(&self, gutter: usize) -> impl Iterator<Item = End> + Clone {
        let ends = self.wires.iter().flat_map(|wire| [wire.from, wire.to]);
        ends.filter(move |end| end.gutter == gutter)
    }

    /// Returns the top and the bottom of the cable in a gutter. `None`: it does not use the gutter.
    fn reach(&self, gutter: usize) -> Option<(i32, i32)> {
        let to_lane = |wire: &&Wire| wire.from.gutter != wire.to.gutter;
        let on_lane =
            self.wires.iter().filter(to_lane).any(|it| [it.from.gutter, it.to.gutter].contains(&gutter));
        let heights = || self.ends(gutter).map(|end| end.y);
        let top = if on_lane { i32::MIN } else { heights().min()? };
        Some((top, heights().max()?))
    }
}

/// Orders the cables of a gutter so that few of them cross: swaps pairs as long as that helps.
fn tracks(cables: &[Cable], gutter: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..cables.len()).filter(|&it| cables[it].reach(gutter).is_some()).collect();
    let mut best = crossings(cables, gutter, &order);
    loop {
        let before = best;
        for (one, other) in (0..order.len()).flat_map(|one| (0..one).map(move |other| (one, other))) {
            order.swap(one, other);
            match crossings(cables, gutter, &order) {
                fewer if fewer < best => best = fewer,
                _ => order.swap(one, other),
            }
        }
        if best == before {
            return order;
        }
    }
}

/// Counts how often a line between a track and a box crosses another track.
fn crossings(cables: &[Cable], gutter: usize, order: &[usize]) -> usize {
    let mut crossings = 0;
    for (track, &cable) in order.iter().enumerate() {
        for end in cables[cable].ends(gutter) {
            let between = if end.right { &order[track + 1..] } else { &order[..track] };
            let reaches = between.iter().filter_map(|&other| cables[other].reach(gutter));
            crossings += reaches.filter(|&(top, bottom)| top < end.y && end.y < bottom).count();
        }
    }
    crossings
}
