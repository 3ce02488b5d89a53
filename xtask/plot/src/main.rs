//! Lines of figures, drawn as an SVG: the request is JSON on standard input. `cargo xtask bench` alone runs this.

use std::{io, path::PathBuf};

use anyhow::{Context, anyhow};
use plotters::prelude::*;
use serde::Deserialize;

const SIZE: (u32, u32) = (760, 420);
const COLOURS: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(0, 158, 115),
    RGBColor(86, 180, 233),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(213, 94, 0),
];

#[derive(Deserialize)]
struct Request {
    file: PathBuf,
    title: String,
    across: String,
    up: String,
    lines: Vec<Line>,
}

#[derive(Deserialize)]
struct Line {
    name: String,
    points: Vec<(f64, f64)>,
}

fn main() -> anyhow::Result<()> {
    let request: Request = serde_json::from_reader(io::stdin()).context("read the request")?;
    drawn(&request).map_err(|error| anyhow!("draw {}: {error}", request.file.display()))
}

fn drawn(request: &Request) -> Result<(), Box<dyn std::error::Error + '_>> {
    let points = || request.lines.iter().flat_map(|line| &line.points);
    let most = points().map(|point| point.0).fold(1.0, f64::max);
    let (least_up, most_up) =
        points().fold((f64::MAX, 1.0_f64), |(least, most), point| (least.min(point.1), most.max(point.1)));
    let area = SVGBackend::new(&request.file, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    // The names of the lines stand to their right.
    let mut chart = ChartBuilder::on(&area)
        .caption(&request.title, ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(60)
        .build_cartesian_2d(0.0..most * 1.7, (least_up / 1.5..most_up * 1.5).log_scale())?;
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .x_desc(&request.across)
        .y_desc(&request.up)
        .x_label_formatter(&|x| if *x > most { String::new() } else { format!("{x:.0}") })
        .y_label_formatter(&|y| format!("{y:.0}"))
        .draw()?;
    for (line, colour) in request.lines.iter().zip(COLOURS.iter().cycle()) {
        let style = colour.stroke_width(2);
        chart
            .draw_series(LineSeries::new(line.points.iter().copied(), style).point_size(3))?
            .label(&line.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], style));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::MiddleRight)
        .background_style(WHITE.mix(0.8))
        .draw()?;
    area.present()?;
    Ok(())
}
