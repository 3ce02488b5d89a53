//! Draws lines of figures as an SVG. Only `cargo xtask bench` runs this program.
//!
//! `xtask-plot draw` speaks the protocol of the package `xtask-protocol`.

use std::process::ExitCode;

use anyhow::anyhow;
use plotters::prelude::*;
use xtask_protocol::{
    Kind, Refusal, Request as _,
    plot::Draw,
    program::{Call, answer, end},
};

const SIZE: (u32, u32) = (760, 420);
const COLOURS: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(0, 158, 115),
    RGBColor(86, 180, 233),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(213, 94, 0),
];

fn main() -> ExitCode {
    end(run().map_err(|error| Refusal::new(Kind::Other, format!("{error:#}"))))
}

fn run() -> anyhow::Result<()> {
    let call = Call::read()?;
    if call.verb != Draw::VERB {
        return Err(call.unknown_verb(&[Draw::VERB]));
    }
    let request: Draw = call.request()?;
    draw(&request).map_err(|error| anyhow!("draw {}: {error}", request.file.display()))?;
    answer(())
}

fn draw(request: &Draw) -> Result<(), Box<dyn std::error::Error + '_>> {
    let points = || request.lines.iter().flat_map(|line| &line.points);
    let most = points().map(|point| point.0).fold(1.0, f64::max);
    let (least_up, most_up) =
        points().fold((f64::MAX, 1.0_f64), |(least, most), point| (least.min(point.1), most.max(point.1)));
    let area = SVGBackend::new(&request.file, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    // Leaves room for the names of the lines to their right.
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
