#!/bin/sh
# A "training" in plain shell: Newton's method for a square root. Run it with:
#   runfolio record --experiment "square root" -- ./train.sh 2
set -eu
number=${1:-2}

runfolio log param number "$number"      # a command for the few things
echo "tag language shell" >> "$RUNFOLIO_LINES"

# Appending a line to the file costs no process: use it in loops.
awk -v n="$number" -v lines="$RUNFOLIO_LINES" 'BEGIN {
    x = n
    for (step = 0; step < 8; step++) {
        error = x * x - n; if (error < 0) error = -error
        printf "metric error %.17g %d\n", error, step >> lines
        x = (x + n / x) / 2
    }
    printf "metric root %.17g\n", x >> lines
    printf "%.17g\n", x > "root.txt"
    print "root of", n, "is", x
}'
runfolio log artifact root.txt results
