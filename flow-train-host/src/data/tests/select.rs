//! One class of a table.

use super::Files;
use crate::data::error::Problem;
use crate::data::select::{Selected, Selection, select};
use crate::data::{DataError, csv};

fn selection(column: &str, equals: &[&str]) -> Selection {
    Selection {
        column: column.to_owned(),
        equals: equals.iter().map(|&label| label.to_owned()).collect(),
        ..Selection::default()
    }
}

fn of(content: &str, selection: &Selection) -> Result<Selected, DataError> {
    let files = Files::new();
    select(&files.write("table.csv", content.as_bytes()), selection)
}

const NAMED: &str = "a,kind,b\n1,good,2\n3,\"bad\",4\n\n5,good,6.5\n";

#[test]
fn rows_of_one_label_without_it() {
    let selected = of(NAMED, &selection("kind", &["good"])).unwrap();
    assert_eq!(selected.vectors.values(), [1.0, 2.0, 5.0, 6.5]);
    assert_eq!(selected.vectors.dims(), 2);
    assert_eq!(selected.names, Some(vec!["a".to_owned(), "b".to_owned()]));
    let counts: Vec<_> = selected.labels.into_iter().collect();
    assert_eq!(counts, [("bad".to_owned(), 1), ("good".to_owned(), 2)]);
}

#[test]
fn the_others_and_further_columns() {
    let mut others = selection("2", &["good"]);
    others.others = true;
    others.without = vec!["a".to_owned()];
    let selected = of(NAMED, &others).unwrap();
    assert_eq!(selected.vectors.values(), [4.0]);
    assert_eq!(selected.names, Some(vec!["b".to_owned()]));
}

#[test]
fn labels_may_be_numbers_and_headers_absent() {
    let selected = of("0.5;1\n0.25;2\n8;1.0\n", &selection("2", &["1"])).unwrap();
    assert_eq!(selected.vectors.values(), [0.5, 8.0]);
    assert_eq!(selected.names, None);
}

#[test]
fn what_is_written_is_read_back() {
    let selected = of(NAMED, &selection("kind", &["good", "bad"])).unwrap();
    let files = Files::new();
    let path = files.path().join("out.csv");
    selected.write_csv(&path).unwrap();
    assert_eq!(csv::load(&path).unwrap(), selected.vectors);
}

#[test]
fn what_is_not_there_is_named() {
    let text =
        |content: &str, selection: &Selection| of(content, selection).unwrap_err().to_string();
    let missing = text(NAMED, &selection("colour", &["good"]));
    assert!(
        missing.ends_with("no column \"colour\": neither in the header nor a number from 1 to 3")
    );
    let missing = text(NAMED, &selection("4", &["good"]));
    assert!(missing.contains("no column \"4\""), "{missing}");
    let missing = text(NAMED, &selection("kind", &["ugly"]));
    assert!(
        missing.ends_with("no row is wanted; the labels are bad, good"),
        "{missing}"
    );
    let found = of("1,x,y\n", &selection("2", &["x"])).unwrap_err();
    assert!(
        found
            .to_string()
            .contains("line 1, field 3: \"y\" is not a number"),
        "{found}"
    );
    let found = of("1,x\n1,x,2\n", &selection("2", &["x"])).unwrap_err();
    assert!(
        matches!(found.problem, Problem::RaggedRow { .. }),
        "{found}"
    );
    let found = of("a,b\n", &selection("b", &["x"])).unwrap_err();
    assert!(matches!(found.problem, Problem::Empty), "{found}");
}
