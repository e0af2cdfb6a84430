/**
 * Reading and writing the files of a zone from inside it, by POSIX sh and the few programs that every zone has. A path is never looked at by
 * the host: whatever links a container makes, they lead to nothing but its own zone. The scripts look themselves whether the folder they
 * are in is still below the root where they began.
 */
import type { HostError } from "@reddwarf/runtime-illumos"
import { type CommandRunner, type ZoneName, ZoneSession } from "@reddwarf/runtime-illumos"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { Readable } from "node:stream"
import type { ContainerRoot } from "../supervisor/SupervisorFiles.js"
import * as byteStreams from "./byteStreams.js"
import * as containerEntry from "./containerEntry.js"
import { quote } from "./shellWords.js"

/** A file could not be read or written, for people. */
export class ZoneFileFailed extends Data.TaggedError("ZoneFileFailed")<{ readonly message: string }> {}

/** Something in a zone. */
export interface ZoneEntry {
  readonly kind: "file" | "directory" | "link"
  /** As the user wrote the beginning of it. */
  readonly path: string
  /** Permission bits. */
  readonly mode: number
  readonly size: number
  /** Where a link leads. */
  readonly target: string
}

/** Where files are. */
export interface Zone {
  readonly runner: CommandRunner.CommandRunner["Type"]
  readonly zone: ZoneName.ZoneName
  /** The root of a container in the zone; absent is that of the zone. */
  readonly root?: ContainerRoot | undefined
  /** Whose shell is used: that of the root, or that of the zone for a root that has none; then links with absolute targets lead nowhere. */
  readonly shell?: "root" | "zone" | undefined
}

/** The command that runs a script with its arguments. */
const commandOf = ({ root, shell }: Zone, source: string, args: ReadonlyArray<string>): ReadonlyArray<string> => {
  const plain = (text: string) => ["/bin/sh", "-c", text, "sh", ...args]
  if (root === undefined) return plain(source)
  return shell === "zone"
    ? plain(`cd ${quote(`.${root.path}`)} || exit 2\n${source}`)
    : ["/bin/sh", "-c", containerEntry.script({ root, workingDirectory: "/", env: [], argv: plain(source) })]
}

/** The beginning of every script: `r` is the root, and `inside` looks whether the present folder is below it. */
const prelude = `r=$(pwd -P)
[ "$r" = / ] && r=
inside() { case $(pwd -P)/ in "$r"/*) ;; *) echo "$1: leads out of the container" >&2; exit 3 ;; esac; }
`

/** Goes to the folder of an entry, making what is missing. Arguments: destination, path below it. Leaves the last part in `p`. */
const descend = `cd "./$1" 2>/dev/null || { echo "$1: Cannot open: No such file or directory" >&2; exit 2; }
inside "$1"
p=$2
while :; do
  case $p in */*) ;; *) break ;; esac
  c=\${p%%/*}
  p=\${p#*/}
  [ -d "./$c" ] || mkdir "./$c" || exit 2
  cd "./$c" || exit 2
  inside "$2"
done
`

/** Arguments: destination, path, mode. */
const writeFile = `${prelude}${descend}[ -d "./$p" ] && [ ! -h "./$p" ] && { echo "$2: Cannot open: Is a directory" >&2; exit 2; }
rm -f "./$p"
cat >"./$p" && chmod "$3" "./$p"`

const makeDirectory = `${prelude}${descend}[ -h "./$p" ] && rm -f "./$p"
[ -d "./$p" ] || mkdir "./$p" || exit 2
chmod "$3" "./$p"`

/** Arguments: destination, path, target. */
const makeLink = `${prelude}${descend}[ -d "./$p" ] && [ ! -h "./$p" ] && { echo "$2: Cannot create symlink: Is a directory" >&2; exit 2; }
rm -f "./$p"
ln -s "$3" "./$p"`

/**
 * Arguments: folder, name in it, the path as the user wrote it. One line for each entry: kind, permissions, size, path; the target of a link
 * follows on a line of its own. A link is listed, never followed. Names with line ends are left out.
 */
const list = `${prelude}cd "./$1" 2>/dev/null && { [ -e "./$2" ] || [ -h "./$2" ]; } || { echo "$3: Cannot stat: No such file or directory" >&2; exit 2; }
inside "$3"
nl='
'
walk() {
  case $2 in *"$nl"*) return ;; esac
  m=$(ls -ld "$1")
  m=\${m%% *}
  if [ -h "$1" ]; then
    t=$(readlink "$1" 2>/dev/null) || { t=$(ls -ld "$1"); t=\${t#* -> }; }
    printf 'link %s 0 %s\\n%s\\n' "$m" "$2" "$t"
  elif [ -d "$1" ]; then
    printf 'directory %s 0 %s\\n' "$m" "$2"
    for f in "$1"/* "$1"/.[!.]* "$1"/..?*; do
      if [ -e "$f" ] || [ -h "$f" ]; then walk "$f" "$2/\${f##*/}"; fi
    done
  elif [ -f "$1" ]; then
    printf 'file %s %s %s\\n' "$m" "$(($(wc -c <"$1")))" "$2"
  fi
}
walk "./$2" "$3"`

/** Arguments: folder, path below it. */
const readFile = `${prelude}cd "./$1" || exit 2
p=$2
d=.
case $p in */*) d=\${p%/*} ;; esac
cd "./$d" || exit 2
inside "$2"
exec cat "./\${p##*/}"`

const longestComplaint = 4096
const longestListing = 64 * 1024 * 1024

/** Runs a script with an input, and hands its output on as it comes. */
const script = (
  place: Zone,
  source: string,
  args: ReadonlyArray<string>,
  options: { readonly input?: Readable; readonly onOutput?: (chunk: Buffer) => Effect.Effect<void, ZoneFileFailed> }
): Effect.Effect<void, HostError.HostError | ZoneFileFailed> =>
  Effect.gen(function*() {
    const session = yield* ZoneSession.open(place.runner, place.zone, commandOf(place, source, args))
    let complaint = ""
    session.stderr.setEncoding("utf8")
    session.stderr.on("data", (text: string) => {
      if (complaint.length < longestComplaint) complaint += text
    })
    if (options.input === undefined) session.stdin.end()
    else yield* Effect.forkScoped(byteStreams.copyAll(options.input, session.stdin))
    yield* byteStreams.forEach(session.stdout, (chunk) => options.onOutput?.(chunk) ?? Effect.void)
    const outcome = yield* session.outcome
    if (outcome._tag !== "Exited" || outcome.exitCode !== 0) {
      yield* new ZoneFileFailed({ message: complaint.trim() === "" ? `the zone's /bin/sh ended with ${JSON.stringify(outcome)}` : complaint.trim() })
    }
  }).pipe(Effect.scoped)

/** Bits of what `ls -l` prints, such as `-rwxr-x---`. */
const modeOf = (text: string): number =>
  text.slice(1, 10).split("").reduce((mode, letter, index) => {
    const bit = 1 << (8 - index)
    if (letter === "-" || letter === "S" || letter === "T") return mode
    return mode | bit
  }, 0)

/** Everything at and below a path. The folder is absolute in the zone. */
export const listTree = (zone: Zone, folder: string, name: string, shown: string): Effect.Effect<ReadonlyArray<ZoneEntry>, HostError.HostError | ZoneFileFailed> =>
  Effect.gen(function*() {
    const chunks: Array<Buffer> = []
    let size = 0
    yield* script(zone, list, [folder, name, shown], {
      onOutput: (chunk) => {
        size += chunk.length
        chunks.push(chunk)
        return size > longestListing ? new ZoneFileFailed({ message: `${shown}: too many files` }) : Effect.void
      }
    })
    const lines = Buffer.concat(chunks).toString("utf8").split("\n")
    const entries: Array<ZoneEntry> = []
    for (let at = 0; at < lines.length; at += 1) {
      const match = /^(file|directory|link) (\S+) (\d+) (.*)$/.exec(lines[at] ?? "")
      const [, kind, mode = "", length, path = ""] = match ?? []
      if (kind !== "file" && kind !== "directory" && kind !== "link") continue
      if (kind === "link") at += 1
      entries.push({ kind, path, mode: modeOf(mode), size: Number(length), target: kind === "link" ? lines[at] ?? "" : "" })
    }
    return entries
  })

/** The content of a file, chunk by chunk. */
export const read = (zone: Zone, folder: string, path: string, onChunk: (chunk: Buffer) => Effect.Effect<void>) =>
  script(zone, readFile, [folder, path], { onOutput: onChunk })

const octal = (mode: number): string => (mode & 0o777).toString(8)

/** Replaces a file. A link at its place is replaced, not followed. */
export const write = (zone: Zone, folder: string, path: string, mode: number, content: Readable) =>
  script(zone, writeFile, [folder, path, octal(mode)], { input: content })

/** Makes a folder unless it is there. */
export const mkdir = (zone: Zone, folder: string, path: string, mode: number) =>
  script(zone, makeDirectory, [folder, path, octal(mode)], { input: Readable.from([]) })

/** Makes a symbolic link. */
export const link = (zone: Zone, folder: string, path: string, target: string) =>
  script(zone, makeLink, [folder, path, target], { input: Readable.from([]) })
