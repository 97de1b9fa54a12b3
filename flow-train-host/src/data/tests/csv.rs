//! CSV: numbers, headers, and the place of everything that is neither.

use super::{Files, error_of, gzip, message_of, vectors_of};
use crate::data::{
    ColumnChoice, DataError, Dataset, Header, ItemNames, Noticed, Position, Problem, ReadOptions,
    Reading, read,
};

fn read_with(content: &[u8], options: ReadOptions) -> Result<Reading, DataError> {
    let files = Files::new();
    read(&files.write("table.csv", content), &options)
}

fn columns(choice: &[&str]) -> ReadOptions {
    ReadOptions {
        columns: ColumnChoice(choice.iter().map(|&text| text.to_owned()).collect()),
        ..ReadOptions::default()
    }
}

fn values(reading: &Reading) -> &[f32] {
    match &reading.dataset {
        Dataset::Vectors(vectors) => vectors.values(),
        Dataset::Images(_) => panic!("images instead of vectors"),
    }
}

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
fn a_separator_within_quotes_separates_nothing() {
    let content = b"\"a, b\";c;\"say \"\"d\"\"\"\n0.5;0.1;-1\n";
    let read = read_with(content, ReadOptions::default()).unwrap();
    let names = read
        .columns
        .iter()
        .map(|column| column.name.clone().unwrap());
    assert_eq!(names.collect::<Vec<_>>(), ["a, b", "c", "say \"d\""]);
    assert_eq!(values(&read), [0.5, 0.1, -1.0]);
}

#[test]
fn a_quoted_name_may_go_on_over_lines() {
    let content = b"\"width\nin mm\",height\n\n1,2\n3,cat\n";
    assert_eq!(
        error_of(content).position,
        Some(Position::Field { line: 5, field: 2 })
    );
    let read = read_with(&content[..content.len() - 6], ReadOptions::default()).unwrap();
    assert_eq!(values(&read), [1.0, 2.0]);
    assert_eq!(read.items, ItemNames::Lines(vec![4]));
}

#[test]
fn a_quote_that_nobody_closes_is_read_once() {
    let mut content = b"1,2\n\"3,4\n".to_vec();
    content.extend(b"5,6\n".repeat(200_000));
    let error = error_of(&content);
    assert_eq!(error.position, Some(Position::Field { line: 2, field: 1 }));
    let blanks = content.iter().map(|&b| if b == b',' { b' ' } else { b });
    let error = error_of(&blanks.collect::<Vec<_>>());
    assert_eq!(error.position, Some(Position::Field { line: 2, field: 1 }));
}

#[test]
fn blanks_separate_as_numpy_writes_them() {
    let savetxt = b"# a b c\n1.0e+00 -2.5e+00 0.0e+00\n 3  4\t5 \n";
    assert_eq!(
        vectors_of(savetxt).values(),
        [1.0, -2.5, 0.0, 3.0, 4.0, 5.0]
    );
    let read = read_with(savetxt, ReadOptions::default()).unwrap();
    assert_eq!(read.columns[0].name.as_deref(), Some("a"));
    for comments in ["# made by\n# me\n", "#a;b;c\n# 1 2 3\n"] {
        let content = comments.to_owned() + "1 -2.5 0\n3 4 5\n";
        let read = read_with(content.as_bytes(), ReadOptions::default()).unwrap();
        assert_eq!(values(&read), [1.0, -2.5, 0.0, 3.0, 4.0, 5.0], "{comments}");
        assert_eq!(read.items.get(0).to_string(), "line 3");
    }
    assert!(matches!(error_of(b"# a b\n").problem, Problem::Empty));
}

#[test]
fn a_header_called_p5_is_no_picture() {
    assert_eq!(vectors_of(b"P5,P6\n1,2\n").values(), [1.0, 2.0]);
    assert_eq!(vectors_of(b"P2 P3\n1 2\n").values(), [1.0, 2.0]);
}

/// Four columns of which the first counts rows.
fn indexed(header: &str, rows: usize) -> Vec<u8> {
    let row = |i: usize| format!("{i},0.{},{},1.5\n", i * 7 % 10, i * i % 5);
    (header.to_owned() + &(0..rows).map(row).collect::<String>()).into_bytes()
}

#[test]
fn a_row_index_does_not_become_a_measurement() {
    for header in [
        ",a,b,c\n",
        "\"\",\"a\",\"b\",\"c\"\n",
        "Unnamed: 0,a,b,c\n",
        "",
    ] {
        let error = error_of(&indexed(header, 12));
        assert_eq!(
            error.position,
            Some(Position::Field { line: 1, field: 1 }),
            "{header}"
        );
        assert!(
            matches!(error.problem, Problem::UnnamedColumn(1)),
            "{header}: {error}"
        );
        assert!(error.to_string().contains("--columns 2-"), "{error}");
        for (choice, dims) in [("2-", 3), ("1-", 4)] {
            let read = read_with(&indexed(header, 12), columns(&[choice])).unwrap();
            assert_eq!(read.dataset.dims(), dims, "{header}");
        }
    }
}

#[test]
fn a_named_column_that_counts_or_grows_is_noticed() {
    let read = read_with(&indexed("id,a,b,c\n", 12), ReadOptions::default()).unwrap();
    let said: Vec<String> = read.notices.iter().map(|n| n.what.to_string()).collect();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].starts_with("column 1 (\"id\") counts from row to row"),
        "{said:?}"
    );
    let row = |i: u32| format!("{}.25,{}\n", 1_000 + i * i, i % 3);
    let times = "time,a\n".to_owned() + &(0..25).map(row).collect::<String>();
    let read = read_with(times.as_bytes(), ReadOptions::default()).unwrap();
    assert!(matches!(&read.notices[..], [n] if matches!(n.what, Noticed::Grows(_))));
    let read = read_with(times.as_bytes(), columns(&["a,1"])).unwrap();
    assert_eq!(
        values(&read)[..2],
        [0.0, 1000.25],
        "columns in the order of the choice"
    );
}

#[test]
fn a_header_of_numbers_is_not_taken_for_values_or_names() {
    for content in [
        "0,1,2,3\n0.5,0.1,-1,2\n0.2,0.3,1,1\n",
        "0,1\n0.5,0.1\n",
        "400.1,400.3,400.5,400.7\n1,2,5,1\n",
        ",0,1,2\n0,0.5,0.1,1\n",
    ] {
        let error = error_of(content.as_bytes());
        assert_eq!(error.position, Some(Position::Field { line: 1, field: 1 }));
        assert!(
            matches!(error.problem, Problem::HeaderUnclear),
            "{content}: {error}"
        );
    }
    let content = b"0,1,2,3\n0.5,0.1,-1,2\n";
    for (header, rows) in [(Header::Yes, 1), (Header::No, 2)] {
        let options = ReadOptions {
            header,
            ..ReadOptions::default()
        };
        assert_eq!(read_with(content, options).unwrap().dataset.len(), rows);
    }
    // Small whole numbers may well begin so.
    assert_eq!(vectors_of(b"0,1\n1,0\n").len(), 2);
    assert_eq!(vectors_of(b"1,2,3\n4,5,6\n").len(), 2);
}

#[test]
fn a_first_line_of_blanks_is_no_header() {
    assert_eq!(message_of(b",,\n1,2,3\n"), "line 1, field 1: empty field");
}

#[test]
fn a_column_of_text_can_be_left_out() {
    let content = b"time,a,b\n2024-01-01 00:00:00,1,2\n2024-01-01 00:00:01,3,4\n";
    assert_eq!(place_of(std::str::from_utf8(content).unwrap()), (2, 1));
    for choice in ["2-3", "a,b", "2-", "a,3"] {
        let read = read_with(content, columns(&[choice])).unwrap();
        assert_eq!(values(&read), [1.0, 2.0, 3.0, 4.0], "{choice}");
    }
    let error = read_with(content, columns(&["c"])).unwrap_err();
    assert!(
        matches!(error.problem, Problem::NoSuchColumn { .. }),
        "{error}"
    );
    let error = read_with(content, columns(&["a", "2"])).unwrap_err();
    assert!(matches!(error.problem, Problem::ColumnTwice(2)), "{error}");
}

#[test]
fn values_that_f32_does_not_hold_are_noticed_by_column() {
    let row = |i: u32| {
        format!(
            "0.{},{},8388000.{}\n",
            i * 7 % 10,
            16_777_217 + 2 * (i % 3),
            i % 4
        )
    };
    let content = "a,id,adc\n".to_owned() + &(0..12).map(row).collect::<String>();
    let read = read_with(content.as_bytes(), ReadOptions::default()).unwrap();
    let said: Vec<String> = read.notices.iter().map(|n| n.what.to_string()).collect();
    assert_eq!(said.len(), 2, "{said:?}");
    assert_eq!(
        said[0],
        "column 2 (\"id\"): 12 values do not fit f32: 16777217 became 16777216; subtract the \
         column's offset first"
    );
    assert!(
        said[1].starts_with("column 3 (\"adc\"): 9 values"),
        "{said:?}"
    );
    let constant = read_with(b"a,b\n0.1,1\n0.1,2\n", ReadOptions::default()).unwrap();
    assert_eq!(constant.notices, []);
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

#[test]
fn zeros_behind_a_gzip_member_are_padding() {
    let one = gzip(b"1,2\n");
    let padded = [&one[..], &[0; 500]].concat();
    assert_eq!(vectors_of(&padded).values(), [1.0, 2.0]);
    let two = [&one[..], &gzip(b"3,4\n")[..]].concat();
    assert_eq!(vectors_of(&two).len(), 2);
    for behind in [&b"x"[..], b"\0\0x", &[0x1f, 0][..]] {
        let message = message_of(&[&one[..], behind].concat());
        let said = message.ends_with("bytes follow the end of the gzip stream");
        assert!(said || behind == [0x1f, 0], "{message}");
    }
    let gap = [&one[..], &[0; 3], &one[..]].concat();
    assert!(matches!(error_of(&gap).problem, Problem::BytesAfterGzip));
}
