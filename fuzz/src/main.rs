//! What `make fuzz` needs beside the fuzzer: `list` names the targets, `seeds DIRECTORY` writes their seeds down,
//! `replay TARGET FILE...` runs a target over files on stable Rust.

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs, io};

use proofkey_fuzz::{TARGETS, run};

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["list"] => list(),
        ["seeds", directory] => seeds(Path::new(directory)),
        ["replay", target, files @ ..] => replay(target, files),
        _ => Err(io::Error::other("usage: list | seeds DIRECTORY | replay TARGET FILE...")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "the program's answer")]
fn say(text: &str) {
    println!("{text}");
}

fn list() -> io::Result<()> {
    TARGETS.iter().for_each(|target| say(target.name));
    Ok(())
}

fn seeds(directory: &Path) -> io::Result<()> {
    for target in TARGETS {
        let directory = directory.join(target.name);
        fs::create_dir_all(&directory)?;
        for (at, seed) in (target.seeds)().iter().enumerate() {
            fs::write(directory.join(format!("seed-{at}")), seed)?;
        }
    }
    Ok(())
}

fn replay(name: &str, files: &[&str]) -> io::Result<()> {
    let target = TARGETS.iter().find(|target| target.name == name);
    let target = target.ok_or_else(|| io::Error::other(format!("no target {name}")))?;
    for file in files {
        run(target, &fs::read(file)?);
        say(&format!("{file}: holds"));
    }
    Ok(())
}
