//! Writes the manual pages of the command-line tool into a folder. `make man` runs this program.

fn main() -> std::io::Result<()> {
    let folder = std::env::args_os().nth(1).unwrap_or_else(|| "target/man".into());
    std::fs::create_dir_all(&folder)?;
    clap_mangen::generate_to(referee::cli::command(), folder)
}
