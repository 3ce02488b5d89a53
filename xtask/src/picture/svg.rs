//! What our SVG pictures share: colours for light and dark pages, fonts, and escaping.
//!
//! A README shows them as images, and browsers load no fonts and run no scripts in images.

use std::fmt::Write;

/// Colours of apps, by their position in the manifest. White text is readable on each.
const APPS: [&str; 8] =
    ["#2f6db5", "#2e7d4f", "#9a4f96", "#b4581a", "#0f7b83", "#b23a48", "#6b701e", "#55617a"];
/// Colours of lines. Each is visible on light and on dark pages.
const LINES: [&str; 8] =
    ["#4a8fd4", "#e08a2e", "#3fa866", "#ab6fd0", "#e0576b", "#1fa3a8", "#9a9a24", "#8a7a68"];

/// Width of a letter in em, in the widest of the usual monospaced fonts.
const LETTER_EM: f64 = 0.605;

/// The names of colours in a style, each with its value on light and on dark pages.
const COLOURS: [(&str, [&str; 2]); 5] = [
    ("$paper", ["#ffffff", "#0d1117"]),
    ("$ink", ["#1f2328", "#e6edf3"]),
    ("$quiet", ["#656d76", "#9198a1"]),
    ("$rule", ["#d0d7de", "#3d444d"]),
    ("$box", ["#f6f8fa", "#151b23"]),
];

const STYLE: &str = "\
  text { font: 12px ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', 'DejaVu Sans Mono', monospace; \
fill: $ink; white-space: pre }
  .title { font: 600 14px -apple-system, BlinkMacSystemFont, 'Segoe UI', 'Noto Sans', Helvetica, Arial, sans-serif }
  .quiet { fill: $quiet }
  .paper { fill: $paper; stroke: $rule }
";

/// Returns a style with its colours for light pages, and the rules that have colours again for dark pages.
///
/// Without `var()`: librsvg and Inkscape do not know it, and would draw everything black.
fn coloured(style: &str) -> String {
    let of_page = |rule: &str, page: usize| {
        COLOURS.iter().fold(rule.to_owned(), |rule, (name, values)| rule.replace(name, values[page]))
    };
    let dark = style.lines().filter(|rule| rule.contains('$'));
    let dark: String = dark.map(|rule| format!("  {}\n", of_page(rule, 1))).collect();
    format!("{}  @media (prefers-color-scheme: dark) {{\n{dark}  }}\n", of_page(style, 0))
}

/// Returns the colour of an app by its position in the manifest.
pub(super) fn app_colour(index: usize) -> &'static str {
    APPS[index % APPS.len()]
}

/// Returns the colour of a line by its position among the lines.
pub(super) fn line_colour(index: usize) -> &'static str {
    LINES[index % LINES.len()]
}

/// Returns the width of a text in pixels, rounded up; `size` is the font size in pixels.
pub(super) fn width_of(text: &str, size: i32) -> i32 {
    let letters = i32::try_from(text.chars().count()).unwrap_or(i32::MAX / 100);
    // In whole numbers, so that every machine gets the same result.
    let thousandths = (LETTER_EM * 1000.0) as i32;
    (letters * size * thousandths + 999) / 1000
}

/// Wraps what is drawn into a complete SVG file.
pub(super) fn page(name: &str, title: &str, (width, height): (i32, i32), style: &str, body: &str) -> String {
    let title = escaped(title);
    let mut page = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         role=\"img\" aria-label=\"{title}\">\n<!-- Drawn by cargo xtask {name}. -->\n<title>{title}</title>\n"
    );
    let (right, bottom) = (width - 1, height - 1);
    // Writing to a string does not fail.
    let _ = write!(
        page,
        "<style>\n{}</style>\n<rect class=\"paper\" x=\"0.5\" y=\"0.5\" width=\"{right}\" height=\"{bottom}\" \
         rx=\"6\"/>\n{body}</svg>\n",
        coloured(&format!("{STYLE}{style}"))
    );
    page
}

/// Escapes a text for XML.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Returns the `d` attribute of a path through these points, with rounded corners. Each segment must be horizontal or
/// vertical.
pub(super) fn path(points: &[(i32, i32)]) -> String {
    let mut points = points.to_vec();
    points.dedup();
    let mut d = String::new();
    for (index, &(x, y)) in points.iter().enumerate() {
        let (Some(&before), Some(&after)) = (points[..index].last(), points.get(index + 1)) else {
            let _ = write!(d, "{}{x} {y}", if index == 0 { 'M' } else { 'L' });
            continue;
        };
        let (from, to) = (towards((x, y), before), towards((x, y), after));
        let _ = write!(d, "L{} {}Q{x} {y} {} {}", from.0, from.1, to.0, to.1);
    }
    d
}

/// Returns the point at a corner's radius from the corner towards another point, or halfway there if that is nearer.
fn towards((x, y): (i32, i32), (to_x, to_y): (i32, i32)) -> (i32, i32) {
    let step = |distance: i32| distance.signum() * (distance.abs() / 2).min(6);
    (x + step(to_x - x), y + step(to_y - y))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corners_are_rounded_and_fit_short_segments() {
        assert_eq!(path(&[(0, 0), (20, 0), (20, 8), (40, 8)]), "M0 0L14 0Q20 0 20 4L20 4Q20 8 26 8L40 8");
        assert_eq!(path(&[(0, 0), (20, 0), (20, 0)]), "M0 0L20 0");
    }

    #[test]
    fn special_characters_of_xml_are_escaped() {
        assert_eq!(escaped("a<b> & \"c\""), "a&lt;b&gt; &amp; &quot;c&quot;");
    }
}
