"""A program that looks at an HDF5 file, run in a process of its own: ``python hdf5_vetting.py FILE``.

It prints how many bytes the arrays of the file take, and ends with a sentence where the file leads out of itself: links
to other files, arrays that are stored in other files or made of them.
"""

import sys

import h5netcdf
import h5py

#: Bytes that texts of a file, which may be one text again and again, may take here.
LARGEST = 2**31
#: Bytes of one number as it is worked with.
DOUBLE = 8


def bytes_of(group: h5py.Group, seen: set) -> int:
    """Bytes that all arrays below a group take as they are, and once more as doubles; ValueError where it leads out."""
    if group.id.id in seen or (place := h5py.h5o.get_info(group.id).addr) in seen:
        return 0
    seen.add(place)
    found = 0
    for name in group:
        link = group.get(name, getlink=True)
        if not isinstance(link, h5py.HardLink):
            raise ValueError(f"a {type(link).__name__} at {group.name.rstrip('/')}/{name}")
        part = group[name]
        if isinstance(part, h5py.Group):
            found += bytes_of(part, seen)
        elif isinstance(part, h5py.Dataset):
            if part.external or part.is_virtual:
                raise ValueError(f"an array in other files at {part.name}")
            found += (part.size or 0) * (part.dtype.itemsize + DOUBLE)
            if h5py.check_string_dtype(part.dtype) and (part.size or 0) * DOUBLE < LARGEST:
                part[()]  # each may be a long one
    return found


def main(path: str) -> None:
    """Look at one file."""
    try:
        import resource
    except ImportError:  # Windows
        pass
    else:
        resource.setrlimit(resource.RLIMIT_AS, (2 * LARGEST, resource.getrlimit(resource.RLIMIT_AS)[1]))
    with h5py.File(path) as file:
        n_bytes = bytes_of(file, set())
    with h5netcdf.File(path) as file:
        for each in file.variables.values():
            each.dimensions, each.shape, dict(each.attrs)
    print(n_bytes)


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except Exception as error:
        sys.exit(" ".join((str(error) or type(error).__name__).split()))
