//! What the boot ROM looks for in flash: a block that says that a program for its Arm cores is there.
#![allow(unsafe_code)]

/// RP2350 datasheet, 5.9: a block begins, ends and closes its list of items so.
const BEGIN: u32 = 0xFFFF_DED3;
const LAST_OF_ONE_WORD: u32 = 0x0000_01FF;
const END: u32 = 0xAB12_3579;
/// The item of one word that says what an image is: executable, secure, for Arm, for an RP2350.
const EXECUTABLE: u32 = 0x1021_0142;
/// The only block of its loop.
const NO_OTHER: u32 = 0;

// SAFETY: memory.x has this section, behind the vector table, and nothing else for it.
#[unsafe(link_section = ".start_block")]
#[used]
static DEFINITION: [u32; 5] = [BEGIN, EXECUTABLE, LAST_OF_ONE_WORD, NO_OTHER, END];
