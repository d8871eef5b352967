# Functions for scripts that start an emulator: they find a free port, and wait until the emulator
# listens.

# Whether a port has a listener.
is_taken() {
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# Prints a port without a listener.
free_port() {
    local port
    for _ in {1..100}; do
        port=$((20000 + RANDOM % 20000))
        if ! is_taken "$port"; then
            echo "$port"
            return
        fi
    done
    return 1
}

# Waits until an emulator listens: `wait_for NAME PID PORT LOG`. Fails if the emulator ends, or does
# not listen within 30 seconds.
wait_for() {
    local name=$1 process=$2 port=$3 log=$4 tenths_max=300 waited=0
    until is_taken "$port"; do
        if ! kill -0 "$process" 2>/dev/null || ((waited++ == tenths_max)); then
            cat "$log" >&2
            echo "error: $name does not start" >&2
            exit 1
        fi
        sleep 0.1
    done
}
