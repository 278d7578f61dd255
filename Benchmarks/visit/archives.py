"""The archives that are carried to a machine with a GPU: packed here, unpacked there."""

import contextlib
import errno
import lzma
import os
import tarfile
import zipfile
import zlib

from .inputs import refuse

# The files that each archive must contain.
CONTENTS = {"programs": ["urnn-gpu/cli", "urnn-gpu/tests"], "kernels": ["cache/"], "corpus": ["corpus/"]}
DAMAGED = (tarfile.TarError, lzma.LZMAError, zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError)


def pack(files, folder, name, file, strong=False):
    """Packs files of a folder into an archive in which the folder is called `name`; the file exists only once it is
    complete."""
    # Machine code with absolute call targets compresses better, and what two files have in common may be far apart.
    filters = [{"id": lzma.FILTER_X86}] if strong else []
    filters.append({"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "dict_size": (128 if strong else 16) << 20})
    draft = file.with_name(file.name + ".tmp")
    with lzma.open(draft, "wb", filters=filters) as packed, tarfile.open(fileobj=packed, mode="w|") as archive:
        for path in sorted(files):
            if path.is_file():
                entry = archive.gettarinfo(str(path), f"{name}/{path.relative_to(folder)}")
                # There is no owner and no time, so that the same files give the same archive.
                entry.uid = entry.gid = entry.mtime = 0
                entry.uname = entry.gname = ""
                with path.open("rb") as content:
                    archive.addfile(entry, content)
    draft.replace(file)


def unpack(carried, work):
    """Unpacks the archives on the machine with the GPU, where an earlier call's files stay. Returns the archives' names."""
    # Older versions of Python have no filters.
    safely = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
    found = through(carried, lambda tar: tar.extractall(work, **safely), lambda wheel: wheel.extractall(work / "site"))
    os.makedirs(work / "cache", exist_ok=True)
    return found


def check(carried):
    """Refuses archives that `unpack` would refuse, but writes nothing."""
    def read(tar):
        for entry in tar:
            content = tar.extractfile(entry)
            while content and content.read(1 << 20):
                pass

    through(carried, read, lambda wheel: [wheel.read(name) for name in wheel.namelist()])


def through(carried, each_tar, each_wheel):
    """Reads all carried files to their ends. Returns their names."""
    found = []
    for name, needed in CONTENTS.items():
        file = carried / f"{name}.tar.xz"
        if file.exists():
            with reading(file), tarfile.open(file, "r:xz") as archive:
                each_tar(archive)
                # The checksum is at the end.
                while archive.fileobj.read(1 << 20):
                    pass
                for beginning in needed:
                    if not any(inside.startswith(beginning) for inside in archive.getnames()):
                        raise ValueError(f"no {beginning} is in it")
            found.append(name)
    for file in sorted((carried / "wheels").glob("*.whl")):
        with reading(file), zipfile.ZipFile(file) as wheel:
            each_wheel(wheel)
        found.append(file.name.split("-")[0])
    return found


@contextlib.contextmanager
def reading(file):
    again = "make it again with Benchmarks/gpu --prepare where the package builds, and carry it here"
    try:
        yield
    except (OSError, *DAMAGED) as error:
        # zipfile seeks to the position in a damaged file's table, which may be invalid.
        if isinstance(error, OSError) and error.errno != errno.EINVAL:
            refuse(f"{file} can't be unpacked: {error.strerror or error}" + (f": {error.filename}" if error.filename else ""))
        without = "" if file.name.startswith("programs") else ", or delete it to go on without"
        refuse(f"{file} is damaged ({' '.join(str(error).split()) or type(error).__name__}); {again}{without}")
