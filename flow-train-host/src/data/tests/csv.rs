//! CSV: numbers, headers, and the place of everything that is neither.

use super::{error_of, gzip, message_of, vectors_of};
use crate::data::{Position, Problem};

fn place_of(content: &str) -> (u64, u64) {
    match error_of(content.as_bytes()).position {
        Some(Position::Field { line, field }) => (line, field),
        other => panic!("{other:?}"),
    }
}

#[test]
fn numbers_become_vectors() {
    let vectors = vectors_of(b"1,-2.5,3e2\n.5,+6,0\n");
    assert_eq!((vectors.len(), vectors.dims()), (2, 3));
    assert_eq!(vectors.values(), [1.0, -2.5, 300.0, 0.5, 6.0, 0.0]);
}

#[test]
fn a_header_is_told_from_numbers() {
    let with_header = vectors_of(b"width,height\n1,2\n");
    assert_eq!(with_header.values(), [1.0, 2.0]);
    let without = vectors_of(b"1,2\n3,4");
    assert_eq!(without.values(), [1.0, 2.0, 3.0, 4.0]);
    let quoted = vectors_of(b"\"width, in mm\",\"height\"\n\"1\",2\n");
    assert_eq!(quoted.values(), [1.0, 2.0]);
}

#[test]
fn separators_line_ends_and_blanks_of_other_programs_are_read() {
    for content in [
        "1,2\r\n3,4\r\n",
        "1;2\n3;4\n",
        "1\t2\n3\t4\n",
        "\u{feff}1,2\n3,4\n",
        "\n 1 , 2 \n\n3,4\n\n",
        "\u{feff}a,b\n1,2\n3,4\n",
    ] {
        assert_eq!(
            vectors_of(content.as_bytes()).values(),
            [1.0, 2.0, 3.0, 4.0],
            "{content:?}"
        );
    }
    assert_eq!(
        vectors_of(&gzip(b"1,2\n3,4\n")).values(),
        [1.0, 2.0, 3.0, 4.0]
    );
}

#[test]
fn one_column_needs_no_separator() {
    let vectors = vectors_of(b"value\n1\n2\n");
    assert_eq!((vectors.len(), vectors.dims()), (2, 1));
}

#[test]
fn text_is_an_error_at_its_line_and_field() {
    assert_eq!(place_of("a,b\n\n1,2\n3,cat\n"), (4, 2));
    assert_eq!(
        message_of(b"1,2\n3,cat\n"),
        "line 2, field 2: \"cat\" is not a number"
    );
    assert_eq!(message_of(b"1,2\n3,\n"), "line 2, field 2: empty field");
    assert_eq!(
        place_of("1,cat\n"),
        (1, 2),
        "a first line with a number is no header"
    );
}

#[test]
fn a_label_column_is_not_dropped() {
    let error = error_of(b"sepal,petal,species\n5.1,1.4,setosa\n");
    assert!(matches!(error.problem, Problem::NotANumber(ref text) if text == "setosa"));
}

#[test]
fn values_that_are_not_finite_are_errors_at_their_place() {
    for bad in ["nan", "NaN", "inf", "-inf", "Infinity", "1e39"] {
        let content = format!("1,2\n3,{bad}\n");
        assert_eq!(place_of(&content), (2, 2), "{bad}");
        assert!(
            matches!(error_of(content.as_bytes()).problem, Problem::NotFinite(_)),
            "{bad}"
        );
    }
    assert_eq!(
        place_of("nan,nan\n1,2\n"),
        (1, 1),
        "NaN is a number, so no header"
    );
}

#[test]
fn ragged_lines_are_errors() {
    let error = error_of(b"a,b,c\n1,2,3\n4,5\n");
    assert!(matches!(
        error.problem,
        Problem::RaggedRow {
            expected: 3,
            found: 2
        }
    ));
    assert_eq!(error.position, Some(Position::Field { line: 3, field: 2 }));
    let error = error_of(b"a,b\n1,2,3\n");
    assert!(matches!(
        error.problem,
        Problem::RaggedRow {
            expected: 2,
            found: 3
        }
    ));
}

#[test]
fn a_header_alone_or_blank_lines_hold_no_items() {
    assert!(matches!(error_of(b"a,b\n").problem, Problem::Empty));
    assert!(matches!(error_of(b"\n \n").problem, Problem::Empty));
}

#[test]
fn bytes_that_are_not_text_are_quoted_on_one_short_line() {
    let long = [b"1,2\n3,".as_slice(), &[0xff; 5000], b"\x1b[31m\n"].concat();
    assert!(matches!(error_of(&long).problem, Problem::NotANumber(_)));
}

#[test]
fn a_truncated_gzip_is_not_a_short_table() {
    let rows: String = (0..5000)
        .map(|i| format!("{i},{}\n", i * 7919 % 5003))
        .collect();
    let whole = gzip(rows.as_bytes());
    assert!(matches!(
        error_of(&whole[..whole.len() / 2]).problem,
        Problem::TruncatedGzip
    ));
}
