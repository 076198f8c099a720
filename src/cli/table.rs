//! Numbers and tables as aligned text.
//! Must not know what they are about.

/// Rows of cells, of which some columns lean to the right.
pub(super) struct Table {
    /// For each column, whether it holds numbers.
    right: Vec<bool>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these headings. Columns whose heading begins with `>` hold numbers.
    pub(super) fn new(headings: &[&str]) -> Self {
        let plain = |heading: &&str| heading.trim_start_matches('>').to_owned();
        Table {
            right: headings
                .iter()
                .map(|heading| heading.starts_with('>'))
                .collect(),
            rows: vec![headings.iter().map(plain).collect()],
        }
    }

    /// Adds a row; cells that are left out stay empty.
    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The lines, each with a line break and without spaces at its end.
    /// The headings are bold if `colour`.
    pub(super) fn text(&self, colour: bool) -> String {
        let mut widths = vec![0; self.right.len()];
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let mut text = String::new();
        for (index, row) in self.rows.iter().enumerate() {
            let cells = row.iter().zip(&widths).zip(&self.right);
            let cells: Vec<String> = cells
                .map(|((cell, &width), right)| match right {
                    true => format!("{cell:>width$}"),
                    false => format!("{cell:<width$}"),
                })
                .collect();
            let line = cells.join("  ");
            match index == 0 && colour {
                true => text += &format!("\x1b[1m{}\x1b[0m\n", line.trim_end()),
                false => text += &format!("{}\n", line.trim_end()),
            }
        }
        text
    }
}

/// A whole number with a comma after every third digit.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A rate as people say it: whole numbers where they are large, three digits where they are small.
pub(super) fn rate(number: f64) -> String {
    if number >= 100.0 {
        grouped(number.round() as u64)
    } else {
        format!("{number:.2}")
    }
}

/// `1 job`, `2 jobs`.
pub(super) fn count(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {what}{plural}", grouped(number as u64))
}

/// A size as people say it, in powers of a thousand.
pub(super) fn bytes(number: u64) -> String {
    let units = ["kB", "MB", "GB", "TB", "PB"];
    let mut value = number as f64 / 1e3;
    let mut units = units.iter();
    let mut unit = units.next();
    while value >= 999.95
        && let Some(next) = units.next()
    {
        value /= 1e3;
        unit = Some(next);
    }
    match unit {
        Some(unit) if number >= 1000 => format!("{value:.1} {unit}"),
        _ => count(number as usize, "byte"),
    }
}

/// Seconds as people say them.
pub(super) fn seconds(time: std::time::Duration) -> String {
    let millis = time.as_millis();
    match millis {
        0..1000 => format!("{millis} ms"),
        1000..60_000 => format!("{:.1} s", time.as_secs_f64()),
        _ => format!("{} min {:02} s", millis / 60_000, millis / 1000 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_line_up() {
        let mut table = Table::new(&["name", ">cycles"]);
        table.row(["fc1".to_owned(), "32".to_owned()]);
        table.row(["longer".to_owned()]);
        assert_eq!(
            table.text(false),
            "name    cycles\nfc1         32\nlonger\n"
        );
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(rate(4_500_000.4), "4,500,000");
        assert_eq!(rate(0.5), "0.50");
        assert_eq!(count(1, "job"), "1 job");
        assert_eq!(bytes(999), "999 bytes");
        assert_eq!(bytes(1_234_567), "1.2 MB");
        assert_eq!(bytes(999_960), "1.0 MB");
        assert_eq!(bytes(u64::MAX), "18446.7 PB");
        assert_eq!(
            seconds(std::time::Duration::from_millis(61_500)),
            "1 min 01 s"
        );
    }
}
