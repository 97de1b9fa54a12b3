"""What the other sides of all comparisons have in common."""


def peak_kib():
    """Most memory the process has held; 0 where the system does not say."""
    try:
        with open("/proc/self/status") as file:
            lines = [line.split()[1] for line in file if line.startswith("VmHWM")]
    except OSError:
        return 0
    return int(lines[0]) if lines else 0
