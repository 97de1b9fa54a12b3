//! The `flowgate` command; everything is in the library beside it.

fn main() -> std::process::ExitCode {
    flowgate::cli::main()
}
