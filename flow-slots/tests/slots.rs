//! Updates: accepted, refused by name, and cut off at every operation.

mod files;
mod flash;

use ed25519_compact::{KeyPair, Seed};
use files::{PARTS, PUMP, flipped, own, signed, unsigned, with_other_golden};
use flash::{Emulated, PowerLost, Torn};
use flow_infer::{FixedWorkspace, InputShape, LoadError, OpenError};
use flow_slots::{Refused, Rules, Slots, UpdateError};

const CAPACITY: usize = 2048;
const SEED: u64 = 0x5107_5eed;
const INPUT: InputShape = InputShape::Vector { len: 2 };

type Workspace = FixedWorkspace<2, 4>;
type Outcome = Result<u32, UpdateError<PowerLost>>;

fn rules() -> Rules {
    Rules {
        public_key: *own().pk,
        input: INPUT,
        newer_than: 0,
    }
}

fn slots<const W: usize, const P: usize>(flash: Emulated<W, P>) -> Slots<Emulated<W, P>> {
    Slots::new(flash, rules()).expect("two slots")
}

/// Writes a file in pieces of 7 bytes, which are no whole words.
fn update<const W: usize, const P: usize>(
    flash: Emulated<W, P>,
    file: &[u8],
) -> (Outcome, Emulated<W, P>) {
    let mut slots = slots(flash);
    let mut workspace = Workspace::new();
    let mut run = || {
        let mut update = slots.begin(&mut workspace)?;
        for piece in file.chunks(7) {
            update.write(piece)?;
        }
        update.finish(&mut workspace)
    };
    let outcome = run();
    (outcome, slots.into_flash())
}

/// The version that runs after a start, once it has decided as it should.
fn runs<const W: usize, const P: usize>(flash: &Emulated<W, P>) -> Result<u32, Refused> {
    let slots = slots(flash.clone().powered(None));
    let mut workspace = Workspace::new();
    let mut gate = slots.open(&mut workspace)?;
    assert_eq!(gate.decide(&[1.0f32, -2.0]).map(|d| d.accepted()), Ok(true));
    assert_eq!(
        gate.decide(&[60.0f32, 20.0]).map(|d| d.accepted()),
        Ok(false)
    );
    Ok(gate.artifact().model_version())
}

/// Flash that has seen these versions, one after the other.
fn history<const W: usize, const P: usize>(versions: &[u32]) -> Emulated<W, P> {
    versions
        .iter()
        .fold(Emulated::new(CAPACITY, SEED), |flash, &version| {
            let (outcome, flash) = update(flash, &signed(PUMP, version, &own()));
            assert_eq!(outcome, Ok(version));
            assert_eq!(runs(&flash), Ok(version));
            flash
        })
}

#[test]
fn versions_follow_each_other() {
    history::<4, 256>(&[1, 2, 3, 9]);
    history::<1, 64>(&[5, 6]);
    history::<8, 512>(&[1, 2]);
    history::<32, 1024>(&[1, 2, 3]);
}

#[test]
fn empty_slots_hold_no_file() {
    let flash = Emulated::<4, 256>::new(CAPACITY, SEED);
    assert!(matches!(runs(&flash), Err(Refused::Model(_))));
}

#[test]
fn halves_that_are_no_whole_pages_are_no_slots() {
    for capacity in [0, 256, 768] {
        let flash = Emulated::<4, 256>::new(capacity, SEED);
        assert_eq!(
            Slots::new(flash, rules()).err(),
            Some(UpdateError::Layout),
            "{capacity}"
        );
    }
    let flash = Emulated::<64, 256>::new(CAPACITY, SEED);
    assert_eq!(Slots::new(flash, rules()).err(), Some(UpdateError::Layout));
}

/// Every kind of model that may not run, and why.
fn refusals() -> Vec<(&'static str, Vec<u8>, Refused)> {
    let file = signed(PUMP, 9, &own());
    let foreign = KeyPair::from_seed(Seed::new([8; 32]));
    let model = InputShape::Image {
        channels: 1,
        height: 6,
        width: 10,
    };
    let other_input = Refused::OtherInput {
        device: INPUT,
        model,
    };
    let old = |found| Refused::OldVersion { passes: 5, found };
    let mut spoilt = file.clone();
    spoilt[100] ^= 16;
    let own_key_foreign_signature = {
        let mut file = signed(PUMP, 9, &foreign);
        let at = file.len() - 4 - 96;
        file.truncate(at + 96);
        file[at..at + 32].copy_from_slice(&own().pk[..]);
        file.extend([0; 4]);
        flipped(&flipped(&file, at + 95), at + 95)
    };
    let golden = OpenError::SelfTest(flow_infer::interface::SelfTestFailed { vector: 0 });
    vec![
        ("a flipped bit", spoilt, Refused::Model(LoadError::Checksum)),
        (
            "a flipped bit under a mended checksum",
            flipped(&file, 20),
            Refused::Signature,
        ),
        (
            "the own key, a foreign signature",
            own_key_foreign_signature,
            Refused::Signature,
        ),
        (
            "a foreign key",
            signed(PUMP, 9, &foreign),
            Refused::ForeignKey,
        ),
        ("no signature", unsigned(PUMP, 9), Refused::Unsigned),
        ("the version that runs", signed(PUMP, 5, &own()), old(5)),
        ("a replayed version", signed(PUMP, 4, &own()), old(4)),
        ("other inputs", signed(PARTS, 9, &own()), other_input),
        (
            "golden vectors that do not come out",
            signed(&with_other_golden(PUMP), 9, &own()),
            Refused::Gate(golden),
        ),
    ]
}

/// Room for the largest of the files above.
fn roomy(versions: &[u32]) -> Emulated<4, 256> {
    versions
        .iter()
        .fold(Emulated::new(16 * 1024, SEED), |flash, &version| {
            update(flash, &signed(PUMP, version, &own())).1
        })
}

#[test]
fn what_may_not_run_is_refused_by_name_and_the_old_model_stays() {
    for (what, file, wanted) in refusals() {
        let (outcome, flash) = update(roomy(&[4, 5]), &file);
        assert_eq!(outcome, Err(UpdateError::Refused(wanted)), "{what}");
        assert_eq!(runs(&flash), Ok(5), "{what}");
        println!("{what}: {wanted}");
    }
    let file = signed(PUMP, 9, &own());
    let (outcome, flash) = update(history::<4, 256>(&[4, 5]), &file[..file.len() - 40]);
    assert!(
        matches!(outcome, Err(UpdateError::Refused(Refused::Model(_)))),
        "half a file"
    );
    assert_eq!(runs(&flash), Ok(5));
    let long = [&file[..], &[0; CAPACITY]].concat();
    let (outcome, flash) = update(history::<4, 256>(&[4, 5]), &long);
    assert_eq!(outcome, Err(UpdateError::TooLong { slot: 1024 }));
    assert_eq!(runs(&flash), Ok(5));
}

#[test]
fn a_model_that_needs_more_memory_is_refused() {
    let mut slots = slots(history::<4, 256>(&[4]));
    let mut small = FixedWorkspace::<2, 3>::new();
    let mut update = slots.begin(&mut small).expect("an erased slot");
    update.write(&signed(PUMP, 9, &own())).expect("room");
    let refused = update.finish(&mut small);
    let too_small = matches!(
        refused,
        Err(UpdateError::Refused(Refused::Gate(
            OpenError::Workspace { .. }
        )))
    );
    assert!(too_small, "{refused:?}");
}

#[test]
fn the_program_may_ask_for_newer_models_than_its_own() {
    let newer = Rules {
        newer_than: 7,
        ..rules()
    };
    let flash = history::<4, 256>(&[7]);
    let slots = Slots::new(flash, newer).expect("two slots");
    let refused = slots.open(&mut Workspace::new()).err();
    let old = Refused::OldVersion {
        passes: 7,
        found: 7,
    };
    assert_eq!(refused, Some(old));
}

/// Cuts an update at every operation, in three ways; starts, tries again, and starts again. Returns the cuts.
fn cut_everywhere<const W: usize, const P: usize>(
    before: &Emulated<W, P>,
    old: u32,
    file: &[u8],
    new: Option<u32>,
) -> usize {
    let (_, whole) = update(before.clone().powered(None), file);
    let operations = whole.operations;
    let mut cuts = 0;
    for cut in 0..operations {
        for torn in [Torn::Nothing, Torn::SomeBits, Torn::Everything] {
            let (outcome, flash) = update(before.clone().powered(Some((cut, torn))), file);
            let what = format!("cut at {cut} of {operations}, {torn:?} done: {outcome:?}");
            assert_eq!(outcome, Err(UpdateError::Flash(PowerLost)), "{what}");
            let running = runs(&flash);
            assert!(
                running == Ok(old) || running.ok() == new,
                "{what}: {running:?}"
            );
            cuts += 1;
            let Some(new) = new else { continue };
            // Lost a second time while it is tried again.
            let again = Some(((cut * 37 + 11) % operations, torn));
            let (_, flash) = update(flash.powered(again), file);
            let running = runs(&flash);
            assert!(
                running == Ok(old) || running == Ok(new),
                "{what}, again: {running:?}"
            );
            cuts += 1;
            let (outcome, flash) = update(flash.powered(None), file);
            let runs_already = UpdateError::Refused(Refused::OldVersion {
                passes: new,
                found: new,
            });
            let ended = outcome == Ok(new) || outcome == Err(runs_already);
            assert!(ended, "{what}, at last: {outcome:?}");
            assert_eq!(runs(&flash), Ok(new), "{what}");
        }
    }
    cuts
}

#[test]
fn wherever_power_is_lost_a_model_runs() {
    println!("seed {SEED:#x}");
    let next = |version| signed(PUMP, version, &own());
    let mut cuts = cut_everywhere(&history::<4, 256>(&[1]), 1, &next(2), Some(2));
    cuts += cut_everywhere(&history::<4, 256>(&[1, 2]), 2, &next(3), Some(3));
    cuts += cut_everywhere(&history::<16, 512>(&[1, 2, 3]), 3, &next(4), Some(4));
    // An update that is refused, and erased again.
    let foreign = signed(PUMP, 9, &KeyPair::from_seed(Seed::new([8; 32])));
    cuts += cut_everywhere(&history::<4, 256>(&[1, 2]), 2, &foreign, None);
    println!("{cuts} cuts, none without a working model");
    assert!(cuts > 1000);
}
