//! Writes a rule file and a large export with known violations. `make sample-export` runs it.

#![expect(clippy::print_stdout, reason = "it tells what it wrote")]

use std::path::PathBuf;

use referee_kit::sample::Sample;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |text: &String| text.parse::<u64>().ok();
    let [seed, items, folder] = arguments.as_slice() else { return usage() };
    let (Some(seed), Some(items)) = (number(seed), number(items)) else { return usage() };
    let folder = PathBuf::from(folder);
    let sample = Sample { seed, ..Sample::new(items) };
    let export = sample.write(&folder);
    println!("rules: {}", folder.join("referee.yaml").display());
    println!("export: {}", export.display());
    for ((rule, kind), count) in sample.planted() {
        println!("{count:>8} {kind} {rule}");
    }
}

fn usage() {
    println!("usage: sample-export SEED ITEMS FOLDER");
}
