/**
 * Processes that see nothing but the root of their zone, where that is possible: on Linux, as root, for a root that brings its own shell.
 *
 * Each command gets a mount namespace of its own, in which the loopback file systems of the zone are real mounts, and a chroot into the zone's
 * root. So nothing is ever mounted on the machine itself, and nothing has to be unmounted. A root without a shell (that of a native zone, whose
 * programs are those of the global zone) cannot run anything by itself: its processes keep the programs of the machine.
 */
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"

const unshare = "/usr/bin/unshare"

let possible: boolean | undefined

/** Whether this machine lets this process make mount namespaces; found out once. */
const canContain = (): boolean => {
  possible ??= process.platform === "linux" && process.getuid?.() === 0 && fs.existsSync(unshare)
    && spawnSync(unshare, ["-m", "--propagation", "private", "/bin/sh", "-c", "mount -t tmpfs tmpfs /mnt && cp -a /dev/null /mnt/null && : >/mnt/null && mkdir /mnt/d && mount --bind / /mnt/d && chroot / /bin/true"], {
      stdio: "ignore",
      env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" }
    }).status === 0
  return possible
}

/** Where a name in the root leads when the root is `/`; nothing when there is none, or the links go round. @category combinators */
export const resolveInside = (root: string, name: string): string | undefined => {
  let rest = name.split("/").filter((part) => part !== "")
  let at: ReadonlyArray<string> = []
  for (let links = 0; rest.length > 0;) {
    const [part = "", ...more] = rest
    if (part === "..") {
      at = at.slice(0, -1)
      rest = more
      continue
    }
    const stat = fs.lstatSync(path.join(root, ...at, part), { throwIfNoEntry: false })
    if (stat === undefined || links > 20) return undefined
    if (stat.isSymbolicLink()) {
      links += 1
      const target = fs.readlinkSync(path.join(root, ...at, part))
      if (target.startsWith("/")) at = []
      rest = [...target.split("/").filter((word) => word !== "" && word !== "."), ...more]
      continue
    }
    at = [...at, part]
    rest = more
  }
  return path.join(root, ...at)
}

/** Whether the file is a program of this machine's kind, and not a text that stands for one. */
const isProgram = (file: string): boolean => {
  const descriptor = fs.openSync(file, "r")
  try {
    const magic = Buffer.alloc(4)
    fs.readSync(descriptor, magic, 0, 4, 0)
    return magic.equals(Buffer.from([0x7f, 0x45, 0x4c, 0x46]))
  } finally {
    fs.closeSync(descriptor)
  }
}

/** Whether processes of a zone with this root run in it. @category combinators */
export const applies = (root: string): boolean => {
  const shell = resolveInside(root, "/bin/sh")
  if (shell === undefined) return false
  const stat = fs.statSync(shell, { throwIfNoEntry: false })
  return stat?.isFile() === true && (stat.mode & 0o111) !== 0 && isProgram(shell) && canContain()
}

/** `PATH` of a zone whose programs are in its own root. @category models */
export const searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/** What is mounted where; both are real paths. @category models */
export interface Mount {
  readonly path: string
  readonly target: string
  readonly readOnly?: boolean | undefined
}

/** Arguments: root, directory in it, search path, number of mounts, for each of them source, place and `ro` or `rw`, then the command. */
const enter = `export PATH=/usr/sbin:/usr/bin:/sbin:/bin
root=$1 home=$2 path=$3 n=$4; shift 4
while [ "$n" -gt 0 ]; do
  # A place inside another mount may be missing in what is mounted there.
  if [ -d "$1" ]; then [ -d "$2" ] || mkdir -p "$2"; elif [ ! -e "$2" ]; then : >"$2"; fi || exit 126
  mount --bind "$1" "$2" || exit 126
  [ "$3" = rw ] || mount -o remount,bind,ro "$2" || exit 126
  shift 3
  n=$((n - 1))
done
mkdir -p "$root/dev" "$root/proc" || exit 126
# The devices that every program may have, and no others.
mount -t tmpfs -o mode=755 tmpfs "$root/dev" || exit 126
cp -a /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty /dev/ptmx "$root/dev/" || exit 126
mkdir "$root/dev/pts" && mount --rbind /dev/pts "$root/dev/pts" && mount --rbind /proc "$root/proc" || exit 126
ln -s /proc/self/fd "$root/dev/fd"
export PATH="$path"
exec /usr/sbin/chroot "$root" /bin/sh -c 'cd "$1" 2>/dev/null || cd /; shift; exec "$@"' sh "$home" "$@"`

/** The words that run a command in a root. @category constructors */
export const command = (options: {
  readonly root: string
  /** Absolute in the root. */
  readonly workingDirectory: string
  readonly mounts: ReadonlyArray<Mount>
  readonly words: readonly [string, ...ReadonlyArray<string>]
}): readonly [string, ...ReadonlyArray<string>] => {
  const mounts = options.mounts.filter(({ path: place, target }) => target !== "" && fs.lstatSync(place, { throwIfNoEntry: false })?.isSymbolicLink() === false)
  return [
    unshare,
    "-m",
    "--propagation",
    "private",
    "/bin/sh",
    "-c",
    enter,
    "sh",
    options.root,
    options.workingDirectory,
    searchPath,
    String(mounts.length),
    ...mounts.flatMap(({ path: place, readOnly, target }) => [target, place, readOnly === true ? "ro" : "rw"]),
    ...options.words
  ]
}
