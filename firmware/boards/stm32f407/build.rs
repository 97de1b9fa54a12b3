//! Hands this board's memory layout to the linker.

fn main() {
    flowgate_link::board();
}
