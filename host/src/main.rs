//! The program `imds`: the EC2 instance metadata service on this machine.

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
