//! A table: rows of cells with their columns in line, for a terminal or a file.

use super::paint::{Ink, Paint};
use super::printable::tame;

/// A cell: its text and what it is.
pub(super) type Cell = (String, Ink);

/// The rows as lines, two spaces between columns and none at the ends. The last column may be as wide as it likes.
pub(super) fn table(rows: &[Vec<Cell>], paint: Paint) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            rows.iter().filter_map(|row| row.get(column)).map(|cell| width(&tame(&cell.0, &[]))).max().unwrap_or(0)
        })
        .collect();
    rows.iter().map(|row| line(row, &widths, paint)).collect()
}

fn line(row: &[Cell], widths: &[usize], paint: Paint) -> String {
    let last = row.iter().rposition(|(text, _)| !text.is_empty()).map_or(0, |last| last + 1);
    let mut line = String::new();
    for (place, ((text, ink), column)) in row.iter().zip(widths).take(last).enumerate() {
        let text = &*tame(text, &[]);
        line.push_str(&paint.text(*ink, text));
        if place + 1 < last {
            line.push_str(&" ".repeat(column - width(text) + 2));
        }
    }
    line.push('\n');
    line
}

fn width(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_in_line_and_lines_have_no_tail() {
        let row = |cells: [&str; 3]| cells.map(|text| (text.to_owned(), Ink::Plain)).to_vec();
        let rows = [row(["a", "long", "x"]), row(["über", "b", ""])];
        assert_eq!(table(&rows, Paint::Never), "a     long  x\nüber  b\n");
    }

    #[test]
    fn a_cell_does_not_leave_its_line() {
        let rows = [vec![("a\nb\x1b[2J".to_owned(), Ink::Plain), ("c".to_owned(), Ink::Plain)]];
        assert_eq!(table(&rows, Paint::Never), "a\\nb\\u{1b}[2J  c\n");
    }

    #[test]
    fn colours_do_not_move_columns() {
        let rows = [vec![("a".to_owned(), Ink::Bad), ("b".to_owned(), Ink::Plain)]];
        assert_eq!(table(&rows, Paint::Always), "\x1b[31ma\x1b[0m  b\n");
    }
}
