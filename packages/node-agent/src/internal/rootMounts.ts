/**
 * What the root of a container shows of its zone: its devices and its processes, for native zones also the programs of the system where the
 * image brings none, and what the container was told to see. Mounted from inside the zone, when the first process of a container starts: there
 * a path can lead to nothing but the zone itself.
 */
import type { ContainerRoot } from "../supervisor/SupervisorFiles.js"
import { quote } from "./shellWords.js"

/** Where a zone keeps for containers with roots of their own what they write outside of these; nobody but the zone's root can change what is there. */
export const temporaryFolder = "/var/reddwarf-tmp"

/** `bind SOURCE PLACE ro|rw`: mounts one folder or file at another place, unless something is mounted there. */
const functions = `PATH=$PATH:/usr/sbin:/usr/bin:/sbin:/bin
system=$(uname -s 2>/dev/null)
table=/proc/mounts
[ -r "$table" ] || table=/etc/mnttab
mounted() { while read -r _ where _; do [ "$where" = "$1" ] && return 0; done <"$table"; return 1; }
bind() {
  # A root that was made fresh has lost places that came with its first process, and with them what is mounted there.
  mounted "$2" && [ -e "$2" ] && return 0
  # In the root of another container a link would lead somewhere else than for that container.
  case $1 in /var/reddwarf-roots/*) [ "$(cd "$1" 2>/dev/null && pwd -P)" = "$1" ] || { echo "$1 leads out of its container" >&2; return 1; } ;; esac
  if [ -h "$2" ]; then echo "$2 is a symbolic link, and nothing is mounted over one" >&2; return 1; fi
  if [ -d "$1" ]; then [ -d "$2" ] || mkdir -p "$2" || return 1; elif [ ! -e "$2" ]; then : >"$2" || return 1; fi
  if [ "$system" = SunOS ]; then
    mount -F lofs -o "$3" "$1" "$2" && return 0
  else
    if mount -o rbind "$1" "$2" 2>/dev/null || mount -o bind "$1" "$2" 2>/dev/null; then
      [ "$3" = rw ] || mount -o remount,bind,ro "$2"
      return
    fi
    [ -x /native/usr/lib/fs/lofs/mount ] && /native/usr/lib/fs/lofs/mount -o "$3" "$1" "$2" && return 0
  fi
  mounted "$2" || { echo "the zone cannot show its $1 at $2" >&2; return 1; }
}
folder() { [ -d "$1" ] || { mkdir -p "$1" && chmod 1777 "$1"; }; }
file() { [ -e "$1" ] || { mkdir -p "\${1%/*}" && : >"$1" && chmod 666 "$1"; }; }
empty() { [ -z "$(ls -A "$1" 2>/dev/null)" ]; }`

/** Folders of programs of the zone's system that native zones have by loopback mounts themselves. */
export const systemFolders: ReadonlyArray<string> = ["usr", "lib", "sbin", "platform"]

const system = `if [ "$system" = SunOS ]; then
  for f in ${systemFolders.join(" ")}; do
    if mounted "/$f" && empty "$root/$f"; then bind "/$f" "$root/$f" ro || exit 1; fi
  done
fi`

/** The lines; they end the script when something cannot be mounted. */
export const rootMounts = (root: ContainerRoot): ReadonlyArray<string> => [
  // In a subshell: the search path is that of these lines alone.
  `(`,
  functions,
  `root=${quote(root.path)}`,
  `bind /dev "$root/dev" rw || exit 1`,
  `bind /proc "$root/proc" rw || exit 1`,
  `if [ -d /sys/devices ] && [ ! -d "$root/sys/devices" ] && [ -d "$root/sys" ]; then bind /sys "$root/sys" rw || exit 1; fi`,
  system,
  // A file among the devices may be one file more than their file system takes. A container can live without its last words.
  ...(root.binds ?? []).flatMap(({ from, make, readOnly, to }) => [
    ...(make === undefined ? [] : [`${make} ${quote(from)} || exit 1`]),
    `bind ${quote(from)} "$root"${quote(to)} ${readOnly === true ? "ro" : "rw"} ${make === "file" && to.startsWith("/dev/") ? "2>/dev/null || :" : "|| exit 1"}`
  ]),
  `) || exit 126`
]
