"""Compiles the hot loops ahead of time, so that no drive begins, or stops to think, with a compiler at work."""

import hashlib
import shutil

MARK = b"pilot_common.compiled import"  # what a module with compiled loops says


def kernel_modules(root):
    """Return ({module: file} with compiled loops, digest of them all).

    The digest names the folder of the machine code: a loop may call those of other files, which its own file does not tell.
    """
    modules, digest = {}, hashlib.sha256()
    for file in sorted((root / "src").glob("*/*/**/*.py")):
        package = file.relative_to(root / "src").parts[0]
        inside = file.relative_to(root / "src" / package).with_suffix("")
        if inside.parts[0] != package:
            continue
        content = file.read_bytes()
        if MARK in content or inside.name == "compiled":
            modules[".".join(inside.parts)] = file
            digest.update(content)
    return modules, digest.hexdigest()[:16]


def machine_code_folder(world, digest):
    """Return where the machine code of these loops lies."""
    return world.root / ".pilot" / "compiled" / f"{world.name}-{digest}"


def compile_kernels(world, progress, environment, modules, digest):
    """Compile all loops by importing their modules; a failure is left to the program that imports them."""
    folder = machine_code_folder(world, digest)
    for old in folder.parent.glob(f"{world.name}-*"):
        if old != folder:
            shutil.rmtree(old, ignore_errors=True)
    script = "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name); print(name, flush=True)"
    done = []

    def describe(line):
        if line not in modules:
            return None
        done.append(line)
        return f"{len(done)} of {len(modules)}, {line}"

    environment = {**environment, "NUMBA_CACHE_DIR": str(folder)}
    command = [world.python, "-c", script, *modules]
    progress.run(f"compiling the loops of {len(modules)} modules", command, environment, describe)
