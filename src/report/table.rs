//! Columns of text, aligned and cut to a width (pure).

use console::{measure_text_width, truncate_str};

use super::style::{HEAD, paint};

/// A column is not made narrower than this for the others.
const NARROWEST: usize = 12;

/// Where a column's texts stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Texts.
    Left,
    /// Numbers.
    Right,
}

/// Lines of a table: a heading, then a line for each row; the widest columns give way where there is a width.
pub fn lines(heading: &[(String, Side)], rows: &[Vec<String>], width: Option<usize>) -> Vec<String> {
    let mut widths: Vec<usize> = heading.iter().map(|(name, _)| measure_text_width(name)).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(measure_text_width(cell));
        }
    }
    if let Some(width) = width {
        fit(&mut widths, width);
    }
    let line = |cells: &[String]| -> String {
        let cells = cells.iter().zip(&widths).zip(heading).map(|((cell, width), (_, side))| pad(cell, *width, *side));
        let line = cells.collect::<Vec<_>>().join("  ");
        let line = line.trim_end();
        width.map_or_else(|| line.to_owned(), |width| truncate_str(line, width, "…").into_owned())
    };
    let names: Vec<String> = heading.iter().map(|(name, _)| name.clone()).collect();
    std::iter::once(paint(HEAD, line(&names))).chain(rows.iter().map(|row| line(row))).collect()
}

fn fit(widths: &mut [usize], width: usize) {
    let between = widths.len().saturating_sub(1) * 2;
    loop {
        let over = (widths.iter().sum::<usize>() + between).saturating_sub(width);
        let Some(widest) = widths.iter().copied().max().filter(|widest| over > 0 && *widest > NARROWEST) else {
            return;
        };
        let next = widths.iter().copied().filter(|width| *width < widest).max().unwrap_or(0).max(NARROWEST);
        let equal = widths.iter().filter(|width| **width == widest).count();
        let less = over.div_ceil(equal).min(widest - next).max(1);
        widths.iter_mut().filter(|width| **width == widest).for_each(|width| *width -= less);
    }
}

fn pad(cell: &str, width: usize, side: Side) -> String {
    let cell = truncate_str(cell, width, "…");
    let blanks = " ".repeat(width.saturating_sub(measure_text_width(&cell)));
    match side {
        Side::Left => format!("{cell}{blanks}"),
        Side::Right => format!("{blanks}{cell}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_widest_columns_give_way_and_the_others_stay_whole() {
        let heading =
            [("host".to_owned(), Side::Left), ("rows".to_owned(), Side::Right), ("query".to_owned(), Side::Left)];
        let row = |host: &str, rows: &str, query: &str| [host, rows, query].map(str::to_owned).to_vec();
        let rows = [row("data-1", "7", &"x".repeat(60)), row("data-10", "12", "short")];
        let shown = lines(&heading, &rows, Some(40));
        assert_eq!(shown[1], "data-1      7  xxxxxxxxxxxxxxxxxxxxxxxx…");
        assert_eq!(shown[2], "data-10    12  short");
        assert!(shown.iter().all(|line| measure_text_width(line) <= 40));
        assert_eq!(lines(&heading, &rows, None)[1].len(), 15 + 60);
        // Too narrow for all: what does not fit is cut, and nothing fails.
        assert!(lines(&heading, &rows, Some(3)).iter().all(|line| measure_text_width(line) <= 3));
    }
}
