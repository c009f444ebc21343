"""Faults of time: clocks that jump while a build runs, and files that come from the future."""

from __future__ import annotations

import os
import shutil
import subprocess  # nosec B404 # our own words, no shell
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.faults_build import PLAIN, biggest, flip, look
from benchmarks.faults_ground import Bench, Row, commands_in, first_line, lost_of, message
from benchmarks.faults_line import Said
from persona_core.settings import REPOSITORY
from persona_core.steps import STEPS

SHIM = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
static long ahead(void) {
    const char *by = getenv("FAULTS_CLOCK_BY"), *from = getenv("FAULTS_CLOCK_FROM");
    return by && (!from || access(from, F_OK) == 0) ? atol(by) : 0;
}
int clock_gettime(clockid_t which, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int found = real(which, now);
    if (!found && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE)) now->tv_sec += ahead();
    return found;
}
time_t time(time_t *out) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out) *out = now.tv_sec;
    return now.tv_sec;
}
int gettimeofday(struct timeval *restrict out, void *restrict zone) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    out->tv_sec = now.tv_sec;
    out->tv_usec = now.tv_nsec / 1000;
    return 0;
}
"""
DAY, YEAR = 86_400, 365 * 86_400


def rows(bench: Bench) -> Iterator[Row]:
    """Commands whose clock is wrong, or jumps while they run: their own processes, with a clock of ours before the system's."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or bench.quick:
        return
    folder = bench.folder("clock")
    (folder / "clock.c").write_text(SHIM)
    shim = folder / "clock.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", str(shim), str(folder / "clock.c"), "-ldl"], check=True)  # nosec B603 # our own words, no shell
    jumps = [("back by a day", -DAY), ("on by ten years", 10 * YEAR), ("to before 1970", -100 * YEAR)]
    for name, by in jumps:
        yield _clock(bench, shim, name, by)
    yield _file_times(bench)


def _clock(bench: Bench, shim: Path, name: str, by: int) -> Row:
    """The clock jumps while the first build is half done; the next command comes with the right clock again."""
    person = bench.person(f"clock {name}")
    sign = person.place.root.parent / "now"
    env = os.environ | person.settings | {"LD_PRELOAD": str(shim), "FAULTS_CLOCK_BY": str(by), "FAULTS_CLOCK_FROM": str(sign)}
    err = person.place.root.parent / "err"
    with err.open("wb") as out:
        words = [*person.build, "--workspace", str(person.place.root)]
        process = subprocess.Popen([sys.executable, "-m", "persona_core", *words], env=env, cwd=REPOSITORY, stdout=out, stderr=out)  # nosec B603 # our own words, no shell
        while process.poll() is None:
            if b"Reading what reviews say" in err.read_bytes() and not sign.exists():
                sign.touch()
            time.sleep(0.02)
    said = Said(process.returncode, "", err.read_text())
    before = person.finished()
    trouble = first_line(said) if said.code else person.not_well(PLAIN)
    again = person.types("build")
    skipped = again.err.count("up to date")
    saw = "nothing" if not said.code else first_line(said)
    trouble = trouble or ("" if skipped == len(STEPS) else f"only {skipped} steps are up to date")
    return Row(
        f"clock jumps {name} in a build", "steps", len(before), lost_of(before, person.finished()), None, saw, ("nothing",), trouble
    )


def _file_times(bench: Bench) -> Row:
    """All files come from the future, as after a wrong clock or a copy; then one is changed without its size."""
    person = bench.person("files from the future", PLAIN)
    later = time.time() + YEAR
    for file in person.place.root.rglob("*"):
        os.utime(file, (later, later))
    before = person.finished()
    trouble = person.not_well(PLAIN)
    target = biggest(person, "profiles")
    flip(target)
    os.utime(target, (later, later))
    said = look(person)
    if said is None:
        return Row("files from the future, one changed", "steps", len(before), 0, None, "nothing", (), "the change is not noticed")
    told = commands_in(message(said))
    person.obeys(told)
    lost = len(before.keys() - person.finished().keys())
    trouble = trouble or person.not_well(PLAIN)
    return Row(
        "files from the future, one changed",
        "steps",
        len(before),
        lost,
        None,
        first_line(said),
        told,
        trouble or person.not_well(PLAIN),
    )
