/**
 * The small program inside the zone that stands between a container's process and the supervisor.
 *
 * It is POSIX sh, because that is what every zone has. Everything it must not lose is a file or a FIFO in the directory that zone and
 * host share; it never needs the supervisor to be alive:
 * - `out`, `err`: FIFOs for the output. The shim holds them open for reading and writing, so a container never gets SIGPIPE; without a
 *   supervisor it blocks when a FIFO is full, and what is in it stays there until the next supervisor reads it.
 * - `alive`: a FIFO the shim alone holds open. End of file on it means that the shim is gone, however pids were reused meanwhile; a byte
 *   in it means that `pid` or `exit` was written.
 * - `ack`: the supervisor writes a line when output and exit code are safe; only then the shim lets go of the FIFOs.
 * - `claim`: a folder made by the shim before it starts the process, or by a supervisor that gave the attempt up. Who makes it first wins.
 *
 * Paths are relative to the directory in which zlogin starts commands, the root of the zone.
 */
import type { ContainerSpec } from "../SupervisorFiles.js"
import { quote } from "./shellWords.js"

/** Name of the script in the shared directory. */
export const fileName = "shim.sh"

/** Names of what an attempt's folder may hold, for removing it without following anything. */
export const launchFiles: ReadonlyArray<string> = ["command.sh", "out", "err", "alive", "ack", "pid", "exit", "pid.tmp", "exit.tmp"]

/** A new process group where the system has no setsid(1) comes from job control (`set -m`). */
export const script = `# Starts one attempt of a container: sh shim.sh DIRECTORY
d=$1
if [ "$2" != keep ]; then
  mkfifo "$d/out" "$d/err" "$d/alive" "$d/ack" || exit 71
  if command -v setsid >/dev/null 2>&1; then
    setsid /bin/sh "$0" "$d" keep </dev/null >/dev/null 2>&1 &
  else
    set -m
    /bin/sh "$0" "$d" keep </dev/null >/dev/null 2>&1 &
  fi
  exit 0
fi
exec 3<>"$d/alive" 4<>"$d/ack" 5<>"$d/out" 6<>"$d/err" || exit 71
mkdir "$d/claim" || exit 75
if command -v setsid >/dev/null 2>&1; then
  setsid /bin/sh "$d/command.sh" </dev/null >&5 2>&6 3>&- 4>&- 5>&- 6>&- &
  child=$!
  group=$child
else
  set -m
  /bin/sh "$d/command.sh" </dev/null >&5 2>&6 3>&- 4>&- 5>&- 6>&- &
  child=$!
  set +m
  group=$(ps -o pgid= -p "$child" | tr -d ' ')
fi
printf '%s %s\\n' "$child" "\${group:-0}" >"$d/pid.tmp" && mv "$d/pid.tmp" "$d/pid"
printf s >&3
wait "$child"
code=$?
# ksh reports a signal as 256 + n, other shells as 128 + n.
[ "$code" -gt 255 ] && code=$((code - 128))
[ "$group" = "$child" ] && kill -s KILL -- "-$group" 2>/dev/null
printf '%s\\n' "$code" >"$d/exit.tmp" && mv "$d/exit.tmp" "$d/exit"
printf x >&3
read -r _ <&4
`

/**
 * The script that becomes the container's process. Values are single-quoted words; `env` sets the variables, because names that are no
 * shell identifiers, or that mean something to a shell, are legal in a pod.
 *
 * The variables come on top of what zlogin gives to every command in a zone (`PATH`, `HOME`): nothing else is inherited there.
 */
export const commandScript = (container: ContainerSpec): string => {
  const [program] = container.argv
  const words = container.argv.map(quote).join(" ")
  const variables = container.env.map(({ name, value }) => quote(`${name}=${value}`)).join(" ")
  // env(1) would take a program name with '=' in it for one more variable.
  const command = program.includes("=") ? `/bin/sh -c 'exec "$@"' sh ${words}` : words
  const directory = quote(`.${container.workingDirectory}`)
  return [
    // As container runtimes do: a working directory that the file system lacks is made.
    `[ -d ${directory} ] || mkdir -p ${directory}`,
    `cd ${directory} || exit 127`,
    `unset OLDPWD`,
    `exec env ${variables} ${command}`,
    ""
  ].join("\n")
}
