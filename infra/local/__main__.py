"""`python -m infra.local up | stop | clean | sample`: what the make targets of these names do (`up` is `make run`)."""

import signal
import sys
import time
from types import FrameType

from infra.local import demo, sample
from infra.local.progress import StepFailed, say
from infra.local.stack import Stack
from infra.local.up import alone, down, up


def main(command: str) -> int:
    """Do it; the exit status."""
    began = time.monotonic()
    signal.signal(signal.SIGTERM, _interrupted)
    try:
        stack = Stack.from_environment()
        if command == "up":
            say(f"Starting PLATFORMA Security in {stack.home}")
            content = up(stack.home, stack.ports)
            demo.play(stack, content)
            say(f"Up, in {time.monotonic() - began:.0f} s; `make stop` ends it, data is kept.")
            demo.farewell(stack)
        elif command == "sample":
            with alone(stack):
                outputs = sample.deploy(stack)
            say("\n".join(f"{name:16} {value}" for name, value in outputs.items()))
        elif command in {"stop", "clean"}:
            ended = down(stack.home, forget=command == "clean")
            say(f"ended: {', '.join(ended) or 'nothing ran'}{'; data forgotten' if command == 'clean' else ''}")
        else:
            say(__doc__ or "")
            return 2
    except StepFailed as failure:
        sys.stdout.flush()
        sys.stderr.write(failure.told() + "\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nstopped on the way; `make run` goes on from here, `make stop` ends what runs\n")
        return 130
    return 0


def _interrupted(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) == 2 else ""))
