//! The `cortado` binary: nothing but a door into the `cli` layer.

fn main() -> std::process::ExitCode {
    cortado::cli::main()
}
