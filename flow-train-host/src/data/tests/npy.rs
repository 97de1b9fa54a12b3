//! NPY: what NumPy wrote is read as NumPy has it, and what is written is what NumPy writes.

use std::fs;

use super::fixtures::{self, bytes};
use super::{Files, error_naming, error_of, images_of, vectors_of};
use crate::data::npy::{NpyArray, NpyValues};
use crate::data::{ColumnChoice, Dataset, Position, Problem, ReadOptions, read};

fn array_of(content: &[u8]) -> NpyArray {
    NpyArray::load(&Files::new().write("a.npy", content)).unwrap()
}

fn npy_bytes(shape: &[usize], values: NpyValues) -> Vec<u8> {
    let mut written = Vec::new();
    NpyArray::new(shape.to_vec(), values)
        .unwrap()
        .write_to(&mut written)
        .unwrap();
    written
}

/// Version 1 with any dictionary.
fn with_header(dictionary: &str, values: &[u8]) -> Vec<u8> {
    let mut content = b"\x93NUMPY\x01\x00".to_vec();
    content.extend((dictionary.len() as u16).to_le_bytes());
    content.extend(dictionary.bytes());
    content.extend(values);
    content
}

#[test]
fn numpys_arrays_are_read() {
    let array = array_of(&bytes(fixtures::NPY_F4));
    assert_eq!(array.shape(), [2, 3]);
    assert_eq!(
        *array.values(),
        NpyValues::F32(vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0])
    );
    let array = array_of(&bytes(fixtures::NPY_SCALAR));
    assert_eq!(array.into_parts(), (vec![], NpyValues::I64(vec![-7])));
    let array = array_of(&bytes(fixtures::NPY_V3));
    assert_eq!(array.into_parts(), (vec![2], NpyValues::U8(vec![1, 255])));
}

#[test]
fn fortran_order_and_big_endian_are_straightened() {
    let array = array_of(&bytes(fixtures::NPY_FORTRAN_BIG));
    assert_eq!(array.shape(), [2, 3, 4]);
    let counted = (0..24).map(f64::from).collect();
    assert_eq!(*array.values(), NpyValues::F64(counted));
}

#[test]
fn writing_gives_numpys_bytes() {
    let counted = NpyValues::F32((0..6).map(|i| i as f32).collect());
    assert_eq!(npy_bytes(&[2, 3], counted), bytes(fixtures::NPY_F4));
    assert_eq!(
        npy_bytes(&[], NpyValues::I64(vec![-7])),
        bytes(fixtures::NPY_SCALAR)
    );
}

#[test]
fn every_type_and_number_of_dimensions_survives_writing_and_reading() {
    let arrays = [
        (vec![4], NpyValues::U8(vec![0, 1, 128, 255])),
        (vec![2, 2], NpyValues::I32(vec![0, -1, i32::MIN, i32::MAX])),
        (
            vec![1, 4, 1],
            NpyValues::I64(vec![0, -1, i64::MIN, i64::MAX]),
        ),
        (
            vec![2, 1, 2, 1],
            NpyValues::F32(vec![0.1, f32::MIN, f32::INFINITY, -0.0]),
        ),
        (
            vec![4, 1],
            NpyValues::F64(vec![0.1, f64::MAX, f64::NEG_INFINITY, f64::MIN_POSITIVE]),
        ),
        (vec![3, 0], NpyValues::F64(vec![])),
    ];
    for (shape, values) in arrays {
        let written = npy_bytes(&shape, values.clone());
        let text_end = written.iter().position(|&byte| byte == b'\n').unwrap();
        assert_eq!((text_end + 1) % 64, 0, "the values are aligned");
        assert_eq!(array_of(&written).into_parts(), (shape, values));
    }
}

#[test]
fn an_array_must_have_as_many_values_as_its_shape() {
    let mismatch = NpyArray::new(vec![2, 3], NpyValues::U8(vec![0; 5])).unwrap_err();
    assert_eq!((mismatch.item_len, mismatch.values), (6, 5));
    assert!(NpyArray::new(vec![usize::MAX, 2], NpyValues::U8(vec![])).is_err());
}

#[test]
fn other_writers_headers_are_read() {
    let spaced = "{ \"shape\" : ( 2 , 1 ) , \"fortran_order\":False,\"descr\":\"=u1\" }";
    let array = array_of(&with_header(spaced, &[7, 8]));
    assert_eq!(array.into_parts(), (vec![2, 1], NpyValues::U8(vec![7, 8])));
}

#[test]
fn bytes_are_images_and_floats_are_vectors() {
    let grey = images_of(&npy_bytes(
        &[2, 1, 3],
        NpyValues::U8(vec![0, 1, 2, 3, 4, 5]),
    ));
    assert_eq!((grey.channels(), grey.height(), grey.width()), (1, 1, 3));
    assert_eq!(grey.get(1), [3, 4, 5]);
    let rgb = images_of(&npy_bytes(
        &[1, 3, 1, 2],
        NpyValues::U8(vec![0, 1, 2, 3, 4, 5]),
    ));
    assert_eq!(
        (rgb.len(), rgb.channels(), rgb.height(), rgb.width()),
        (1, 3, 1, 2)
    );
    let vectors = vectors_of(&bytes(fixtures::NPY_F4));
    assert_eq!((vectors.len(), vectors.dims()), (2, 3));
    assert_eq!(vectors.get(1), [3.0, 4.0, 5.0]);
    let doubles = vectors_of(&npy_bytes(&[1, 2], NpyValues::F64(vec![0.1, -2.5])));
    assert_eq!(doubles.get(0), [0.1f32, -2.5]);
}

#[test]
fn shapes_that_are_no_data_are_refused() {
    let shape_of = |content: Vec<u8>| match error_of(&content).problem {
        Problem::WrongShape { found, expected } => (found, expected),
        other => panic!("{other:?}"),
    };
    let (found, _) = shape_of(npy_bytes(&[6], NpyValues::U8(vec![0; 6])));
    assert_eq!(found, [6]);
    let (found, _) = shape_of(npy_bytes(&[1, 2, 3], NpyValues::F32(vec![0.0; 6])));
    assert_eq!(found, [1, 2, 3]);
    let (found, _) = shape_of(npy_bytes(&[6], NpyValues::F32(vec![0.0; 6])));
    assert_eq!(found, [6]);
    let (_, expected) = shape_of(npy_bytes(&[1, 8, 8, 3], NpyValues::U8(vec![0; 192])));
    assert!(
        expected.contains("the channels come before the rows"),
        "{expected}"
    );
}

#[test]
fn types_that_are_no_data_are_refused() {
    let dtype_of = |content: Vec<u8>| match error_of(&content).problem {
        Problem::WrongDtype { found, .. } => found,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        dtype_of(bytes(fixtures::NPY_STRUCTURED)),
        "[('a', '<i4'), ('b', '<f4')]"
    );
    let complex = "{'descr': '<c8', 'fortran_order': False, 'shape': (1, 1)}";
    assert_eq!(dtype_of(with_header(complex, &[0; 8])), "<c8");
    let native_order_of_which_machine = "{'descr': '=f4', 'fortran_order': False, 'shape': (1, 1)}";
    assert_eq!(
        dtype_of(with_header(native_order_of_which_machine, &[0; 4])),
        "=f4"
    );
}

/// The values of a 2 x 2 array of this type, whose bytes are given.
fn vectors_of_type(dtype: &str, values: &[u8]) -> Vec<f32> {
    let header = format!("{{'descr': '{dtype}', 'fortran_order': False, 'shape': (2, 2)}}");
    vectors_of(&with_header(&header, values)).values().to_vec()
}

#[test]
fn every_number_that_f32_holds_makes_vectors() {
    assert_eq!(
        vectors_of_type("|u1", &[0, 1, 2, 255]),
        [0.0, 1.0, 2.0, 255.0]
    );
    assert_eq!(
        vectors_of_type("|i1", &[0, 1, 2, 255]),
        [0.0, 1.0, 2.0, -1.0]
    );
    let two = [0, 1, 2, 3, 4, 5, 0xff, 0xfe];
    assert_eq!(
        vectors_of_type("<u2", &two),
        [256.0, 770.0, 1284.0, 65279.0]
    );
    assert_eq!(vectors_of_type(">i2", &two), [1.0, 515.0, 1029.0, -2.0]);
    let four = [1u32, 1 << 24, 3 << 30, u32::MAX - 255]
        .map(u32::to_le_bytes)
        .concat();
    let wanted = [1.0, 16_777_216.0, 3_221_225_472.0, 4_294_967_040.0];
    assert_eq!(vectors_of_type("<u4", &four), wanted);
    let eight = [1u64, 1 << 40, 5, 1 << 62].map(u64::to_le_bytes).concat();
    let wanted = [1.0, 2f32.powi(40), 5.0, 2f32.powi(62)];
    assert_eq!(vectors_of_type("<u8", &eight), wanted);
    assert_eq!(vectors_of_type("<i8", &eight), wanted);
    // numpy.array([1, -0.5, 65504, 6e-8], "f2").tobytes().hex()
    let half = bytes("003c00b8ff7b0100");
    assert_eq!(
        vectors_of_type("<f2", &half),
        [1.0, -0.5, 65504.0, 2f32.powi(-24)]
    );
}

#[test]
fn a_whole_number_that_f32_does_not_hold_is_refused_where_it_is() {
    let values = NpyValues::I64(vec![1, 2, 16_777_216, 16_777_217]);
    let error = error_of(&npy_bytes(&[2, 2], values));
    assert_eq!(
        error.position,
        Some(Position::Coordinate { vector: 1, dim: 1 })
    );
    assert!(matches!(error.problem, Problem::NotExact(ref value) if value == "16777217"));
    let header = "{'descr': '<u8', 'fortran_order': False, 'shape': (1, 1)}";
    let error = error_of(&with_header(header, &u64::MAX.to_le_bytes()));
    assert!(matches!(error.problem, Problem::NotExact(_)), "{error}");
}

#[test]
fn python_2s_long_integers_are_read() {
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1L, 2L), }";
    let vectors = vectors_of(&with_header(header, &[0; 8]));
    assert_eq!((vectors.len(), vectors.dims()), (1, 2));
}

#[test]
fn columns_are_chosen_by_number() {
    let files = Files::new();
    let counted = NpyValues::I32((0..8).collect());
    let path = files.write("a.npy", &npy_bytes(&[2, 4], counted));
    let of = |columns: &str| {
        let options = ReadOptions {
            columns: ColumnChoice(vec![columns.to_owned()]),
            ..ReadOptions::default()
        };
        read(&path, &options)
    };
    let Dataset::Vectors(vectors) = of("4,1-2").unwrap().dataset else {
        panic!("no vectors")
    };
    assert_eq!(vectors.values(), [3.0, 0.0, 1.0, 7.0, 4.0, 5.0]);
    for bad in ["5", "0", "3-2", "x", "2-5", "1,1", ""] {
        assert!(of(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn a_value_that_is_not_finite_is_found() {
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let error = error_of(&npy_bytes(
            &[2, 2],
            NpyValues::F32(vec![0.0, 1.0, 2.0, bad]),
        ));
        assert_eq!(
            error.position,
            Some(Position::Coordinate { vector: 1, dim: 1 })
        );
        assert!(matches!(error.problem, Problem::NotFinite(_)));
    }
    let beyond_f32 = npy_bytes(&[1, 1], NpyValues::F64(vec![1e39]));
    assert!(matches!(
        error_of(&beyond_f32).problem,
        Problem::NotFinite(_)
    ));
}

#[test]
fn no_items_is_an_error() {
    let error = error_of(&npy_bytes(&[0, 28, 28], NpyValues::U8(vec![])));
    assert!(matches!(error.problem, Problem::Empty));
    let error = error_of(&npy_bytes(&[3, 0], NpyValues::F32(vec![])));
    assert!(matches!(error.problem, Problem::Empty));
}

#[test]
fn truncated_and_overlong_arrays_are_refused() {
    let whole = bytes(fixtures::NPY_F4);
    let error = error_of(&whole[..whole.len() - 1]);
    assert_eq!(error.position, Some(Position::Byte(128)));
    assert!(matches!(
        error.problem,
        Problem::Truncated {
            expected: 24,
            found: 23
        }
    ));
    assert!(matches!(
        error_of(&[&whole[..], b"x"].concat()).problem,
        Problem::TrailingBytes
    ));
}

#[test]
fn a_long_array_that_ends_early_says_how_much_of_all_is_there() {
    let whole = npy_bytes(&[200, 100], NpyValues::F64(vec![0.0; 20_000]));
    let error = error_of(&super::gzip(&whole[..whole.len() - 8]));
    assert!(matches!(
        error.problem,
        Problem::Truncated {
            expected: 160_000,
            found: 159_992
        }
    ));
}

#[test]
fn absurd_shapes_are_refused_before_anything_is_allocated() {
    let claim = |shape: &str| {
        with_header(
            &format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}}}"),
            &[],
        )
    };
    let error = error_of(&claim("(1000000, 1000000)"));
    assert!(matches!(
        error.problem,
        Problem::Truncated {
            expected: 8_000_000_000_000,
            found: 0
        }
    ));
    let error = error_of(&claim("(9223372036854775807, 3)"));
    assert!(matches!(
        error.problem,
        Problem::SizeAbsurd { claimed: None, .. }
    ));
    let error = error_of(&claim("(2305843009213693952, 1)"));
    assert!(
        matches!(error.problem, Problem::SizeAbsurd { claimed: None, .. }),
        "8 x 2^61"
    );
    let too_large_a_number = error_of(&claim("(99999999999999999999, 3)"));
    assert!(matches!(too_large_a_number.problem, Problem::Malformed(_)));
    let mut long_header = b"\x93NUMPY\x02\x00".to_vec();
    long_header.extend(u32::MAX.to_le_bytes());
    let error = error_of(&long_header);
    assert!(matches!(
        error.problem,
        Problem::Truncated {
            expected: 0xffff_ffff,
            found: 0
        }
    ));
}

#[test]
fn damaged_headers_are_refused() {
    for dictionary in [
        "",
        "{}",
        "{'descr': '<f4', 'fortran_order': False}",
        "{'descr': '<f4', 'fortran_order': 0, 'shape': (1, 1)}",
        "{'descr': '<f4' 'fortran_order': False, 'shape': (1, 1)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1, -1)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1)} or 1",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1), 'colour': 3}",
        "{'descr': '<f4\n', 'fortran_order': False, 'shape': (1, 1), \n\n",
    ] {
        let error = error_of(&with_header(dictionary, &[0; 4]));
        assert!(
            matches!(error.problem, Problem::Malformed(_)),
            "{dictionary}: {error}"
        );
    }
    let error = error_of(b"\x93NUMPY\x09\x01\x00\x00");
    assert!(
        error.to_string().ends_with("NPY version 9.1 is unknown"),
        "{error}"
    );
}

#[test]
fn an_npy_file_is_not_any_file() {
    let files = Files::new();
    let path = files.write("a.npy", b"1,2,3,4\n");
    let error = error_naming(&path, NpyArray::load(&path));
    assert!(matches!(error.problem, Problem::WrongMagic { .. }));
}

#[test]
fn arrays_are_written_to_files() {
    let files = Files::new();
    let path = files.path().join("noise.npy");
    let array = NpyArray::new(vec![2], NpyValues::F32(vec![0.5, 0.25])).unwrap();
    array.write(&path).unwrap();
    assert_eq!(NpyArray::load(&path).unwrap(), array);
    assert_eq!(fs::read(&path).unwrap().len(), 128 + 8);
}
