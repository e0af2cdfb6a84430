/** The POSIX sh that runs a command in a zone and says how it ended, and the one that ends it. */

/** What the shell prints before the exit code, at the end of standard error. */
export const markerOf = (token: string): string => `@@rc-${token}=`

/**
 * The name by which the shell of a command is found. illumos keeps 80 characters of a process's arguments, so it stands at their beginning.
 */
const nameOf = (token: string): string => `@@run-${token}`

/**
 * The command with its name before it and its marker behind it. The shell outlives the signals that end its command, so that the rest of
 * what was started can still be found through it; a trap, unlike ignoring them, is not inherited.
 */
export const execScript = (token: string, call: string): string =>
  `: ${nameOf(token)}; trap : HUP INT QUIT TERM; ${call}; rc=$?; echo "${markerOf(token)}$rc" >&2; exit $rc`

/** A pattern for pgrep(1) that matches the shell of the command, but not the shell that looks for it. */
export const patternOf = (token: string): string => `[@]${nameOf(token).slice(1)}`

/**
 * Sends a signal to the shell of a command, to everything that descends from it, and to its process group unless that is the caller's own.
 * Arguments: the pattern of the shell, the name of the signal, and what an earlier call printed: the processes and, behind a dash, the groups
 * it found, since a process whose parent is gone descends from nobody. Nothing to signal is no error.
 */
export const signalScript = `pattern=$1
signal=$2
shift 2
own=$(ps -o pgid= -p $$ 2>/dev/null | tr -d ' ')
for p in $(pgrep -f "$pattern" 2>/dev/null) "$@"; do
  case $p in -*) kill -s "$signal" -- "$p" 2>/dev/null; continue ;; esac
  g=$(ps -o pgid= -p "$p" 2>/dev/null | tr -d ' ')
  all=$p
  next=$p
  while [ -n "$next" ]; do
    next=$(for q in $next; do pgrep -P "$q"; done 2>/dev/null)
    all="$all $next"
  done
  kill -s "$signal" $all 2>/dev/null
  case $g in
  ''|0|1|"$own") ;;
  *) kill -s "$signal" -- "-$g" 2>/dev/null; all="$all -$g" ;;
  esac
  echo $all
done
exit 0`
