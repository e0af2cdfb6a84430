/** The POSIX sh that runs a session's command in a zone and says how it ended. */
import { quote } from "./shell.js"

/** What the script is made from. */
export interface SessionCommand {
  readonly token: string
  readonly argv: ReadonlyArray<string>
  readonly environment: ReadonlyArray<readonly [name: string, value: string]>
  readonly workingDirectory: string | undefined
  readonly size: { readonly width: number; readonly height: number } | undefined
}

/**
 * Becomes the command, after looking whether it is there: a shell's own words for that cannot be told from the command's output. Arguments:
 * token, program, search path, then the command line that sets the variables. Descriptor 3 is where marks go.
 */
const launcher = `t=$1 p=$2
no() { printf '\\036rc-%s=%s\\036' "$t" "$1" >&3; exit 127; }
case $p in
*/*)
  [ -e "$p" ] || no missing
  [ -f "$p" ] && [ -x "$p" ] || no denied
  ;;
*)
  s=missing
  IFS=:
  for d in \${3:-$PATH}; do
    [ -f "\${d:-.}/$p" ] || continue
    s=denied
    [ -x "\${d:-.}/$p" ] && s= && break
  done
  [ -z "$s" ] || no "$s"
  unset IFS
  ;;
esac
shift 3
unset OLDPWD
exec "$@" 3>&-`

/**
 * The script. It stays while the command runs, so that the exit code is known whatever ends the command; an interrupt typed in a terminal
 * reaches both, and only the command may die of it.
 */
export const sessionScript = (command: SessionCommand): string => {
  const { token } = command
  const [program = ""] = command.argv
  const words = command.argv.map(quote).join(" ")
  // Variables are set by env(1): shells drop those whose names they do not like. It would take a program name with '=' for one more.
  const variables = command.environment.map(([name, value]) => quote(`${name}=${value}`)).join(" ")
  const call = `env ${variables} ${program.includes("=") ? `/bin/sh -c 'exec "$@"' sh ${words}` : words}`
  const path = command.environment.findLast(([name]) => name === "PATH")?.[1] ?? ""
  const { size, workingDirectory: directory } = command
  return [
    "trap : INT QUIT",
    "exec 3>&2 2>/dev/null",
    "y=$(tty 2>/dev/null) || y=",
    ...(size === undefined ? [] : [`stty rows ${Math.trunc(size.height)} columns ${Math.trunc(size.width)}`]),
    `printf '\\036on-${token}=%s:%s\\036' "$$" "$y" >&3`,
    ...(directory === undefined ? [] : [`cd ${quote(directory)} || { printf '\\036rc-${token}=directory\\036' >&3; exit 126; }`]),
    // In a subshell: what this shell says about a command that was killed is not the command's.
    `(exec /bin/sh -c ${quote(launcher)} sh ${token} ${quote(program)} ${quote(path)} ${call}) 2>&3`,
    "rc=$?",
    // ksh reports a signal as 256 + n, other shells as 128 + n.
    `[ "$rc" -gt 255 ] && rc=$((rc - 128))`,
    `printf '\\036rc-${token}=%s\\036' "$rc" >&3`,
    "exit 0"
  ].join("\n")
}

/** Kills what is left of a session from inside its zone, where its numbers can mean nothing else. Argument: the pid of the script. */
export const killScript = `pkill -KILL -s "$1" 2>/dev/null
kill -s KILL -- "-$1" 2>/dev/null
kill -s KILL "$1" 2>/dev/null
exit 0`

/** Arguments: terminal, rows, columns. */
export const resizeScript = `exec stty rows "$2" columns "$3" <"$1"`
