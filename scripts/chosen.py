"""A copy of the repository in which the tests of whole servers that judge the core are one program."""
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
TREE = TARGET / "copy" / "tree"
# Tests that say nothing about the core, that have a process or an allocator of their own, or wait for a clock.
LEFT_OUT = {
    "broken_rows", "dependencies", "documents", "hanging_store", "http", "purity", "spa_guide", "stalls",
    "sudden_death", "wiped",
}


def write(path, text):
    """Writes a file unless it is so already: what is not written is not built again."""
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def copy(left_out=frozenset(), but=frozenset()):
    """Makes the copy, or brings it up to date, without the files of tests in `left_out`, and `but` for some files."""
    TREE.mkdir(parents=True, exist_ok=True)
    command = ["git", "ls-files", "-coz", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    names = {name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()}
    chosen = "tests/tests/chosen.rs"
    for old in TREE.glob("**/*.rs"):
        if str(old.relative_to(TREE)) not in names | but | {chosen}:
            old.unlink()
    for name in names - but:
        place, content = TREE / name, (ROOT / name).read_bytes()
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.is_file() or place.read_bytes() != content:
            place.write_bytes(content)
    tests = sorted(path.stem for path in (TREE / "tests" / "tests").glob("*.rs"))
    modules = [f'#[path = "{name}.rs"]\nmod {name};\n' for name in tests if name not in LEFT_OUT | left_out | {"chosen"}]
    write(TREE / chosen, "//! The tests that judge the core.\n" + "".join(modules))
