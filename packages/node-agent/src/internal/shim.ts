/**
 * The small program inside the zone that stands between a container's process and the supervisor.
 *
 * It is POSIX sh, because that is what every zone has. Everything it must not lose is a file or a FIFO in the directory that zone and
 * host share; it never needs the supervisor to be alive:
 * - `out`, `err`: FIFOs for the output. The shim holds them open for reading and writing, so a container never gets SIGPIPE; without a
 *   supervisor it blocks when a FIFO is full, and what is in it stays there until the next supervisor reads it.
 * - `alive`: a FIFO the shim alone holds open, from before its start is reported. End of file on it means that the shim is gone, however pids were reused meanwhile; a byte
 *   in it means that `pid` or `exit` was written.
 * - `ack`: the supervisor writes a line when output and exit code are safe; only then the shim lets go of the FIFOs.
 * - `in`, `eof`: for a container that others may attach to, FIFOs for its input and for the end of it. A process beside the shim holds `in`
 *   open until a line arrives in `eof`, so the input outlives everybody who writes into it. `tty` names the terminal of a container that has
 *   one; script(1) of util-linux makes it, reads `in` and is the only writer of `out`.
 * - `message.path`: where the container leaves its last words, which the shim saves in `message` before it writes `exit`.
 * - `claim`: a folder made by the shim before it starts the process, or by a supervisor that gave the attempt up. Who makes it first wins.
 *
 * Paths are relative to the directory in which zlogin starts commands, the root of the zone.
 */
import type { ContainerSpec } from "../supervisor/SupervisorFiles.js"
import * as containerEntry from "./containerEntry.js"
import * as rootMounts from "./rootMounts.js"
import { longestMessage } from "./terminationMessage.js"

/** Name of the script in the shared directory. It changes with the script: shells read scripts while they run. */
export const fileName = "shim.5.sh"

/** Name of the script in an attempt's folder, before it takes its place. */
export const draftName = "shim.tmp"

/** Names of what an attempt's folder may hold, for removing it without following anything. */
export const launchFiles: ReadonlyArray<string> = [draftName, "command.sh", "out", "err", "alive", "ack", "in", "eof", "tty", "pid", "exit", "pid.tmp", "exit.tmp", "message", "message.tmp", "message.path", "poststart.sh", "prestop.sh"]

/** What the shim is told about the container's input. */
export const modeOf = (container: ContainerSpec): "none" | "input" | "terminal" =>
  container.tty === true ? "terminal" : container.stdin === true ? "input" : "none"

/** Where the last words of a container are, as the shim sees it. A line break could not be part of it. */
export const messagePath = ({ root }: ContainerSpec, path: string): string => {
  // A file of the zone that is mounted there, or a place in a volume of the root.
  const file = root?.binds?.find(({ make }) => make === "file")?.from ?? `${root?.path ?? ""}${path}`
  return `.${file.replaceAll("\n", "")}\n`
}

/** Exit status of a shim that was asked for a terminal in a zone that cannot make one. */
export const noTerminalStatus = 72

/** A new process group where the system has no setsid(1) comes from job control (`set -m`). */
export const script = `# Starts one attempt of a container: sh shim.5.sh DIRECTORY none|input|terminal
d=$1
mode=$2
if [ "$3" = inner ]; then
  tty >"$d/tty"
  printf '%s %s\\n' "$$" "$$" >"$d/pid.tmp" && mv "$d/pid.tmp" "$d/pid"
  exec /bin/sh "$d/command.sh"
fi
if [ "$3" != keep ]; then
  if [ "$mode" = terminal ]; then
    case $(script --version 2>/dev/null) in *util-linux*) ;; *) exit ${noTerminalStatus} ;; esac
  fi
  mkfifo "$d/out" "$d/err" "$d/alive" "$d/ack" || exit 71
  [ "$mode" = none ] || mkfifo "$d/in" "$d/eof" || exit 71
  # Handed on open: from the end of this shell on somebody holds it as long as the shim lives.
  exec 3<>"$d/alive" || exit 71
  if command -v setsid >/dev/null 2>&1; then
    setsid /bin/sh "$0" "$d" "$mode" keep </dev/null >/dev/null 2>&1 3>&3 &
  else
    set -m
    /bin/sh "$0" "$d" "$mode" keep </dev/null >/dev/null 2>&1 3>&3 &
  fi
  exit 0
fi
exec 3<>"$d/alive" 4<>"$d/ack" 5<>"$d/out" 6<>"$d/err" || exit 71
mkdir "$d/claim" || exit 75
words=
if [ -f "$d/message.path" ]; then
  IFS= read -r words <"$d/message.path"
  # Whoever the container runs as may write there.
  [ -e "$words" ] || { mkdir -p "\${words%/*}" && : >"$words" && chmod 666 "$words"; } 2>/dev/null
  # Each attempt finds an empty file. Where it is not for the container alone, others may have put something else in its place.
  case $words in .${rootMounts.temporaryFolder}/*) : >"$words" ;; esac
fi
input=/dev/null
holder=
if [ "$mode" != none ]; then
  input=$d/in
  (read -r _ <"$d/eof") </dev/null 7<>"$d/in" 3>&- 4>&- 5>&- 6>&- &
  holder=$!
fi
if [ "$mode" = terminal ]; then
  SHELL=/bin/sh script -qefc "exec /bin/sh '$0' '$d' terminal inner" /dev/null <"$input" >&5 2>&6 3>&- 4>&- 5>&- 6>&- &
  child=$!
elif command -v setsid >/dev/null 2>&1; then
  setsid /bin/sh "$d/command.sh" <"$input" >&5 2>&6 3>&- 4>&- 5>&- 6>&- &
  child=$!
  group=$child
else
  set -m
  /bin/sh "$d/command.sh" <"$input" >&5 2>&6 3>&- 4>&- 5>&- 6>&- &
  child=$!
  set +m
  group=$(ps -o pgid= -p "$child" | tr -d ' ')
fi
if [ "$mode" != terminal ]; then
  printf '%s %s\\n' "$child" "\${group:-0}" >"$d/pid.tmp" && mv "$d/pid.tmp" "$d/pid"
fi
printf s >&3
wait "$child"
code=$?
# ksh reports a signal as 256 + n, other shells as 128 + n.
[ "$code" -gt 255 ] && code=$((code - 128))
if [ "$mode" = terminal ]; then
  read -r child group <"$d/pid" || group=0
fi
[ "\${group:-0}" -gt 1 ] && [ "$group" = "$child" ] && kill -s KILL -- "-$group" 2>/dev/null
[ -n "$holder" ] && kill -s KILL "$holder" 2>/dev/null
# Not those of an attempt before this one, and nothing that somebody else could read only through a link.
if [ -n "$words" ] && [ -f "$words" ] && [ ! -h "$words" ] && ! [ "$d/claim" -nt "$words" ]; then
  tail -c ${longestMessage} "$words" >"$d/message.tmp" 2>/dev/null && mv "$d/message.tmp" "$d/message"
fi
printf '%s\\n' "$code" >"$d/exit.tmp" && mv "$d/exit.tmp" "$d/exit"
printf x >&3
read -r _ <&4
`

/** The script that becomes the container's process. */
export const commandScript = (container: ContainerSpec): string =>
  containerEntry.script({ ...container, env: container.env.map(({ name, value }) => [name, value] as const) })
