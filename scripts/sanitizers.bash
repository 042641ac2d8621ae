# What the scripts that test with sanitizers share. To be sourced.
#
# A sanitizer writes each report into a file of its own, whichever process it is in: a daemon that a test started and
# killed, or a child of that. A run is clean if its command succeeds and there is no report.

# begin_reports KIND DIRECTORY: every program that is started from now on reports into DIRECTORY, which is emptied.
begin_reports() {
    local kind=$1
    reports=$2
    rm -rf "$reports"
    mkdir -p "$reports"
    # The quotes: a path may hold what separates options.
    local common="log_path='$reports/report'"
    case $kind in
        # Blocks that nobody points to are leaks; what is used of a function's stack after its end is found too.
        address)
            export ASAN_OPTIONS="$common:detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1"
            export LSAN_OPTIONS="suppressions='$PWD/scripts/sanitizers-leaks.supp':print_suppressions=0"
            export UBSAN_OPTIONS=print_stacktrace=1 ;;
        # Go on after a report: one run then names every race.
        thread) export TSAN_OPTIONS="$common:halt_on_error=0:second_deadlock_stack=1" ;;
    esac
}

# is_clean COMMAND...: runs it; fails if it fails, or if it or any process that it started reported anything.
is_clean() {
    local code=0
    "$@" || code=$?
    # A process that was killed while it looked for leaks leaves an empty file.
    local -a found
    mapfile -t found < <(find "$reports" -type f -size +0)
    ((code == 0 && ${#found[@]} == 0))
}

# show_reports: at most the first ten, for people.
show_reports() {
    local file shown=0
    while read -r file; do
        ((shown++ < 10)) || { printf '... and more in %s\n' "$reports"; break; }
        printf '\n--- %s\n' "${file##*/}"
        head -n 60 "$file"
    done < <(find "$reports" -type f -size +0 | sort)
} >&2
