"""Compiles the hot loops ahead of time, so that no drive begins, or stops to think, with a compiler at work."""

import hashlib
import shutil

MARK = b"pilot_common.compiled import"  # what a module with compiled loops says


def kernel_modules(root):
    """Return (modules with compiled loops, digest of them all).

    The digest names the folder of the machine code: a loop may call those of other files, which its own file does not tell.
    """
    modules, digest = [], hashlib.sha256()
    for file in sorted((root / "src").glob("*/*/**/*.py")):
        package = file.relative_to(root / "src").parts[0]
        inside = file.relative_to(root / "src" / package).with_suffix("")
        if inside.parts[0] != package:
            continue
        content = file.read_bytes()
        if MARK in content or inside.name == "compiled":
            modules.append(".".join(inside.parts))
            digest.update(content)
    return modules, digest.hexdigest()[:16]


def machine_code_folder(world, digest):
    """Return where the machine code of these loops lies."""
    return world.root / ".pilot" / "compiled" / f"{world.name}-{digest}"


def compile_kernels(world, progress, environment, digest):
    """Compile all loops by a rehearsal; where it fails, the program that needs them compiles them, or says what is wrong."""
    folder = machine_code_folder(world, digest)
    for old in folder.parent.glob(f"{world.name}-*"):
        if old != folder:
            shutil.rmtree(old, ignore_errors=True)

    def describe(line):
        return line if line.startswith("rehearsed") else None

    environment = {**environment, "NUMBA_CACHE_DIR": str(folder)}
    command = [world.python, "-m", "pilot_simulation.rehearsal"]
    progress.run("compiling the hot loops", command, environment, describe)
