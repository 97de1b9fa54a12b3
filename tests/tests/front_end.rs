//! The front end against the f64 reference on random frames of every format, and against Pillow.

use flow_infer::artifact::{Artifact, FrontEndNeed, LoadError, Section, front_end_need};
use flow_infer::front_end::{
    Frame, FrameReader, FrameSpec, FrontEnd, PixelFormat, Reduction, Region, YuvRange,
};
use flow_infer::spec::{AffineForm, ConditionerSpec, CouplingMask, Norm, Parity, ScaleMap, Shape};
use flow_reference::front_end::reduce;
use flow_tests::models::{coupling, image, level, random_model};
use flow_tests::random::SplitMix64;
use flow_tests::tiny_flow::tiny_flow;
use flow_tests::tolerance::{FRONT_END, FRONT_END_PILLOW, FRONT_END_PILLOW_LUMA};
use flow_train_host::export::file::FlowFile;
use flow_train_host::export::{ExportError, floating};

fn engine(reduction: &Reduction, spec: FrameSpec, bytes: &[u8]) -> Vec<u8> {
    let mut sums = vec![0; reduction.accumulators()];
    let mut input = vec![0; reduction.output.len()];
    let mut reader = FrameReader::new(reduction, spec, &mut sums, &mut input).expect("a reduction");
    let frame = Frame::new(spec, bytes).expect("a frame");
    reader.push_frame(&frame).expect("the reader's frame");
    reader.input().expect("a whole frame").to_vec()
}

/// A frame, and a reduction that fits it.
fn random_case(random: &mut SplitMix64, format: PixelFormat) -> (Reduction, FrameSpec, Vec<u8>) {
    let mut up_to = |from: u16, to: u16| from + random.below(u64::from(to - from + 1)) as u16;
    let cell = if format.is_mosaic() { 2 } else { 1 };
    let (width, height) = (up_to(2, 70), up_to(2, 40));
    let mut side = |all: u16| {
        let len = up_to(1, all / cell) * cell;
        (up_to(0, all - len), len, up_to(1, len / cell))
    };
    let (x, w, columns) = side(width);
    let (y, h, rows) = side(height);
    let region = Region {
        x,
        y,
        width: w,
        height: h,
    };
    let channels = if random.below(2) == 0 { 1 } else { 3 };
    let whole = random.below(8) == 0 && !format.is_mosaic();
    let reduction = Reduction {
        region: (!whole).then_some(region),
        ..Reduction::to(Shape::new(channels, rows, columns))
    };
    let range = match random.below(2) {
        0 => YuvRange::Full,
        _ => YuvRange::Limited,
    };
    let tight = FrameSpec::new(format, width, height).with_range(range);
    let spec = tight.with_stride(tight.stride + random.below(5) as u32);
    // Every byte, or only the ends, where sums are largest and colours leave their range.
    let extreme = random.below(4) == 0;
    let byte = |bits: u64| match extreme {
        true => (bits as u8 >> 7) * 255,
        false => bits as u8,
    };
    let bytes = (0..spec.byte_len()).map(|_| byte(random.bits())).collect();
    (reduction, spec, bytes)
}

#[test]
fn every_format_gives_the_rounded_means_of_the_reference() {
    let mut random = SplitMix64::named("front end");
    println!("seed {:#x}", random.seed());
    for format in PixelFormat::ALL {
        let mut worst: f64 = 0.0;
        for case in 0..300 {
            let (reduction, spec, bytes) = random_case(&mut random, format);
            let wanted = reduce(&reduction, &spec, &bytes);
            for (&found, &wanted) in engine(&reduction, spec, &bytes).iter().zip(&wanted) {
                let what = format!("{format} {case}: {reduction:?} of {spec:?}");
                FRONT_END.check(&what, f64::from(found), wanted);
                worst = worst.max((f64::from(found) - wanted).abs());
            }
        }
        println!("{format}: at most {worst} from the mean");
        assert!(worst > 0.4, "{format}: the frames hardly need a rounding");
    }
}

/// A uniform scene stays uniform, at every ratio: no weight is lost or counted twice.
#[test]
fn a_uniform_frame_gives_a_uniform_input() {
    let mut random = SplitMix64::named("uniform frames");
    println!("seed {:#x}", random.seed());
    for format in [
        PixelFormat::Grey8,
        PixelFormat::Rgb888,
        PixelFormat::Rggb8,
        PixelFormat::Gbrg8,
    ] {
        for _ in 0..200 {
            let (reduction, spec, mut bytes) = random_case(&mut random, format);
            let value = random.bits() as u8;
            bytes.fill(value);
            let input = engine(&reduction, spec, &bytes);
            assert!(
                input.iter().all(|&b| b == value),
                "{reduction:?} of {spec:?}"
            );
        }
    }
}

/// As in `tests/data/front_end/make.py`.
fn sample(c: u32, x: u32, y: u32) -> u8 {
    (x * x * 7 + y * 13 * (c + 1) + x * y * y / 5 + c * 50 + (x ^ y) * 37 / 8) as u8
}

#[test]
fn pillows_box_filter_agrees() {
    let text = include_str!("../data/front_end/pillow.txt");
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<&str> = line.split(' ').collect();
        let [mode, numbers @ .., hex] = &fields[..] else {
            panic!("{line}");
        };
        let numbers: Vec<u16> = numbers
            .iter()
            .map(|n| n.parse().expect("a number"))
            .collect();
        let [w, h, x, y, rw, rh, columns, rows] = numbers[..] else {
            panic!("{line}");
        };
        let (format, channels, bound) = match *mode {
            "L" => (PixelFormat::Grey8, 1, FRONT_END_PILLOW),
            "RGB" => (PixelFormat::Rgb888, 3, FRONT_END_PILLOW),
            "RGB>L" => (PixelFormat::Rgb888, 1, FRONT_END_PILLOW_LUMA),
            "YCbCr>RGB" => (PixelFormat::I444, 3, FRONT_END_PILLOW),
            other => panic!("{other}"),
        };
        let spec = FrameSpec::new(format, w, h);
        let region = Region {
            x,
            y,
            width: rw,
            height: rh,
        };
        let reduction = Reduction {
            region: Some(region),
            ..Reduction::to(Shape::new(channels, rows, columns))
        };
        let found = engine(&reduction, spec, &frame_bytes(format, w.into(), h.into()));
        let wanted = bytes_of(hex);
        assert_eq!(found.len(), wanted.len());
        let pairs = || found.iter().zip(&wanted);
        for (&found, &wanted) in pairs() {
            bound.check(mode, f64::from(found), f64::from(wanted));
        }
        let differ = pairs().filter(|(found, wanted)| found != wanted).count();
        let what = &line[..line.len() - hex.len()];
        println!(
            "{what}: {differ} of {} bytes differ by one or two",
            found.len()
        );
    }
}

fn frame_bytes(format: PixelFormat, w: u32, h: u32) -> Vec<u8> {
    let plane = |c| (0..h).flat_map(move |y| (0..w).map(move |x| sample(c, x, y)));
    match format {
        PixelFormat::Grey8 => plane(0).collect(),
        PixelFormat::I444 => (0..3).flat_map(plane).collect(),
        _ => (0..h)
            .flat_map(|y| (0..w).flat_map(move |x| (0..3).map(move |c| sample(c, x, y))))
            .collect(),
    }
}

fn bytes_of(hex: &str) -> Vec<u8> {
    let pairs = hex.as_bytes().chunks_exact(2);
    let text = pairs.map(|pair| std::str::from_utf8(pair).expect("ASCII"));
    text.map(|two| u8::from_str_radix(two, 16).expect("hex"))
        .collect()
}

/// The worked example of `documents/format.md`.
const SECTION: [u8; 20] = [
    0, 1, 28, 28, // frames; 1 x 28 x 28
    1, 3, 5, 0xac, 0x02, 0xc8, 0x01, // a region: from column 3 and row 5 on, 300 x 200
    1, 5, 1, 0x80, 0x05, 0xe0, 0x03, 0x80,
    0x0a, // frames: yuyv, limited, 640 x 480, stride 1280
];

fn described() -> Reduction {
    Reduction {
        region: Some(Region {
            x: 3,
            y: 5,
            width: 300,
            height: 200,
        }),
        frame: Some(FrameSpec {
            range: YuvRange::Limited,
            ..FrameSpec::new(PixelFormat::Yuyv, 640, 480)
        }),
        ..Reduction::to(Shape::new(1, 28, 28))
    }
}

/// A flow on grey images of 28 x 28.
fn image_file() -> FlowFile {
    let conditioner = ConditionerSpec::Resnet {
        channels: 4,
        blocks: 1,
        skip: false,
        norm: Norm::None,
        bottleneck: 0,
    };
    let mask = CouplingMask::Checkerboard { kept: Parity::Even };
    let step = coupling(
        mask,
        conditioner,
        ScaleMap::TanhBound,
        AffineForm::ShiftThenScale,
    );
    let spec = image(1, 28, 28, &[level(&[step])]);
    let model = random_model(spec, &mut SplitMix64::named("front end file")).expect("a model");
    floating(&model, false).expect("a file")
}

#[test]
fn a_file_carries_its_front_end() {
    let mut file = image_file();
    let without = file.to_bytes().expect("it loads");
    assert_eq!(
        Artifact::load(&without).expect("it loads").front_end(),
        None
    );
    assert_eq!(front_end_need(&without), FrontEndNeed { sums: 0, input: 0 });
    file.set_front_end(&FrontEnd::Frames(described()));
    let bytes = file.to_bytes().expect("it loads");
    let artifact = Artifact::load(&bytes).expect("it loads");
    assert_eq!(artifact.section(Section::FrontEnd), SECTION);
    let found = artifact.front_end();
    assert_eq!(found, Some(&FrontEnd::Frames(described())));
    let need = FrontEndNeed {
        sums: described().accumulators(),
        input: 784,
    };
    assert_eq!(front_end_need(&bytes), need);
    assert_eq!(
        FlowFile::from_artifact(&artifact).to_bytes(),
        Ok(bytes.clone())
    );
}

#[test]
fn front_ends_that_do_not_lead_to_the_input_are_refused() {
    let refused = Err(ExportError::Rejected(LoadError::FrontEnd));
    let mut file = image_file();
    let other = Reduction::to(Shape::new(3, 28, 28));
    let beyond = Reduction {
        region: Some(Region {
            x: 400,
            ..described().region.expect("one")
        }),
        ..described()
    };
    let small = Reduction {
        region: Some(Region {
            x: 0,
            y: 0,
            width: 28,
            height: 27,
        }),
        frame: None,
        ..described()
    };
    for reduction in [other, beyond, small] {
        file.set_front_end(&FrontEnd::Frames(reduction));
        assert_eq!(file.to_bytes(), refused, "{reduction:?}");
    }
    for bytes in [
        &SECTION[..19],
        &[&SECTION[..], &[0]].concat(),
        &[1],
        &[0, 1, 28, 28, 0, 1, 15],
    ] {
        file.set(Section::FrontEnd, bytes.to_vec());
        assert_eq!(file.to_bytes(), refused, "{bytes:x?}");
    }
    // A vector comes from no frame.
    let tiny = tiny_flow();
    let mut file = FlowFile::from_artifact(&Artifact::load(&tiny).expect("it loads"));
    file.set_front_end(&FrontEnd::Frames(described()));
    assert_eq!(file.to_bytes(), refused);
}
