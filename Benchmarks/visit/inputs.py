"""Checks of the user's input, which is refused in one line before any work if it is wrong."""

import argparse
import math
import os
import pathlib
import sys
import tempfile


def refuse(text):
    print(f"error: {text}", file=sys.stderr)
    sys.exit(2)


def above_zero(text):
    """Parses an option's value, a finite number above 0."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not (math.isfinite(number) and number > 0):
        raise argparse.ArgumentTypeError(f"it must be a finite number above 0, not '{text}'")
    return number


def corpus_files(folder):
    """Returns the three files of a corpus, with or without `ptb.` in their names."""
    folder = pathlib.Path(folder)
    prefix = "ptb." if (folder / "ptb.train.txt").exists() else ""
    files = [folder / f"{prefix}{split}.txt" for split in ["train", "valid", "test"]]
    missing = [file.name for file in files if not (file.is_file() and os.access(file, os.R_OK) and file.stat().st_size > 0)]
    if not folder.is_dir():
        refuse(f"there is no folder {folder}; --data (or $PTB_DIR) names the one with ptb.train.txt, ptb.valid.txt and ptb.test.txt")
    if missing:
        refuse(f"{folder} holds no {' and no '.join(missing)} with text; --data (or $PTB_DIR) names the folder with ptb.train.txt, ptb.valid.txt "
               "and ptb.test.txt, or with train.txt, valid.txt and test.txt")
    return files


def writable(folder, remedy):
    """Creates the folder, and refuses it if no file can be written there."""
    try:
        pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=str(folder)):
            pass
    except OSError as error:
        reason = "a file is in its place" if isinstance(error, (FileExistsError, NotADirectoryError)) else error.strerror
        refuse(f"{folder} can't be written to: {reason}; {remedy}")
