"""The part that trains for real: tables of the paper, as far as the time allows."""

import json
import pathlib
import shutil

# The time for a proper end of interrupted runs: loading and testing them.
LAST_SECONDS = 20


def folder(work):
    """Returns the folder of the runs: in memory, if there is room, since each epoch writes all weights."""
    memory = pathlib.Path("/dev/shm")
    if memory.is_dir() and shutil.disk_usage(memory).free > 8 << 30:
        return memory / f"urnn-visit-{abs(hash_of(str(work))):x}"
    return pathlib.Path(work) / "training"


def hash_of(text):
    """Returns a hash that is the same in every process."""
    value = 0
    for byte in text.encode():
        value = (value * 31 + byte) % (1 << 32)
    return value


def train(visit, sizes):
    """Trains study by study. A run that is cut off ends with the epochs that it has, and continues
    from there in a later call on the same machine."""
    if not visit.data and sizes.scale != "smoke":
        return visit.not_run("train: NOT RUN, no corpus (--data DIR, PTB_DIR, or one that was carried)")
    if visit.clock.part_left() < LAST_SECONDS + 5:
        return visit.not_run(f"train: NOT RUN, its share was less than {LAST_SECONDS + 5} s")
    for study in sizes.studies:
        seconds = visit.clock.part_left() - LAST_SECONDS
        if seconds < 5:
            visit.note(f"{study}: NOT RUN, no time was left")
            continue
        training = visit.run(reproduce(visit, sizes, study, limit=seconds, grace=12))
        if training.is_cut_off and not visit.clock.is_stopped:
            visit.note(f"{study}: CUT OFF after {training.seconds:.0f} s; its runs end with the epochs they have")
            # This ends each run that has an epoch: its best weights are tested and its record is written.
            training = visit.run(reproduce(visit, sizes, study, "--epochs", "1"))
        report(visit, study, training)


def reproduce(visit, sizes, study, *more, **options):
    return visit.cli(
        "train.txt", "reproduce", study, "--scale", sizes.scale, "--backend", "cuda", "--jobs", sizes.jobs, "--no-report", *more,
        "--output", visit.training, variables={"PTB_DIR": str(visit.data or "")}, **options)


def report(visit, study, training):
    """Reports the results of each of the study's runs."""
    found, unfinished = {}, 0
    for metrics in sorted(pathlib.Path(visit.training).glob("runs/*/*/seed*/metrics.jsonl")):
        text = metrics.read_text().rpartition("\n")[0]
        lines = [json.loads(line) for line in text.splitlines()]
        trained, valid, tested = ([line for line in lines if line.get("split") == split] for split in ["train", "valid", "test"])
        if not is_of(study, metrics.parent.parent.name) or not valid:
            continue
        found[metrics.parent.parent.name] = valid[-1]["epoch"]
        is_finished = (metrics.parent / "reproduction.json").exists()
        state = metrics.parent / "state.safetensors"
        unfinished += 0 if is_finished or not state.exists() else state.stat().st_size
        visit.note(
            f"{study}, {metrics.parent.parent.name}: {valid[-1]['epoch']} epochs of {sum(line['seconds'] for line in trained) / len(trained):.2f} s; "
            f"best validation perplexity {min(float(line['perplexity']) for line in valid):.2f}, "
            f"test {float(tested[-1]['perplexity']) if tested else float('nan'):.2f}" + ("" if is_finished else "; NOT ENDED, no record"))
    visit.value(study, found)
    if unfinished:
        visit.note(f"{study}: {unfinished >> 20} MiB of states stay on this machine; a later call before it is given back continues from them")
    if training.status not in (None, 0) and not training.is_cut_off:
        visit.note(f"{study}: ended with status {training.status}, see train.txt", failed=training.status != 130)


def is_of(study, run):
    gated = run.rpartition("-")[2].startswith("bptt")
    return gated if study == "table7" else not gated
