"""What runs and their artifacts are called: ``calm-otter-712`` where no name was given, as easy to say as to grep."""

from __future__ import annotations

import os

_FIRST = (
    "able amber aged apt bold brave bright brisk calm clean clever cool crisp dapper deep eager early easy fair fine fleet fond free "
    "fresh gentle glad grand handy happy hardy honest keen kind large lively loud lucky mellow merry mild neat nimble noble open "
    "patient placid polite proud quick quiet rapid ready rich round sage salty serious sharp shy silent smart smooth snowy solid "
    "spry steady still stately sunny sweet swift tidy trim true upbeat vast warm whole wild wise witty worthy young zany"
).split()
_SECOND = (
    "ant auk bass bat bear bee bird boar bug carp cat clam cod colt conch cow crab crane crow cub deer dog dolphin donkey dove duck "
    "eel elk fawn finch fish flea foal fowl fox frog gnat gnu goat goose grouse grub gull hare hawk hen hog horse hound ibis jay kite "
    "koi lamb lark loon lynx mare mink mole moose moth mouse mule newt otter owl ox panda perch pig pug quail ram rat ray robin rook "
    "seal shad shark sheep shrew shrike skink skunk slug smelt snail snake snipe sow sponge squid squirrel stag steed stork swan tern "
    "toad trout turtle vole wasp whale wolf worm wren yak zebra"
).split()


def artifact_uri(run_id: str) -> str:
    """Return the URI of a run's artifacts; the bytes lie in the object store, by digest."""
    return f"runs:/{run_id}"


def run_name() -> str:
    """Make a name for a run."""
    # Not of `random`: a script that seeds its generator must not get the same name each time.
    left, number = divmod(int.from_bytes(os.urandom(8), "big"), 1000)
    left, first = divmod(left, len(_FIRST))
    return f"{_FIRST[first]}-{_SECOND[left % len(_SECOND)]}-{number}"
