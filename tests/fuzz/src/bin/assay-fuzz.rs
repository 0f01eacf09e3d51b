//! What `scripts/fuzz` asks of the targets: their names, and their seeds as files.

use assay_fuzz::{canary, target, targets};
use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "usage: assay-fuzz list | assay-fuzz seeds TARGET FOLDER";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["list"] => {
            for target in targets() {
                println!("{}", target.name);
            }
            println!("{}", canary().name);
            ExitCode::SUCCESS
        }
        ["seeds", name, folder] => write_seeds(name, Path::new(folder)),
        _ => failed(USAGE),
    }
}

fn write_seeds(name: &str, folder: &Path) -> ExitCode {
    let Some(target) = target(name) else {
        return failed(&format!("{name} is no target"));
    };
    for seed in target.seeds() {
        let path = folder.join(seed.name);
        if let Err(error) = std::fs::write(&path, seed.bytes) {
            return failed(&format!("{}: {error}", path.display()));
        }
    }
    ExitCode::SUCCESS
}

fn failed(why: &str) -> ExitCode {
    eprintln!("{why}");
    ExitCode::from(2)
}
