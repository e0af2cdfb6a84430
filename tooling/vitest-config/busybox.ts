/** The root of an image of busybox, for tests that run images. */
import { execFileSync } from "node:child_process"
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"

/** What an image has beside busybox: text files and links by path, and programs of this machine with their libraries. */
export interface Extras {
  /** Further commands of busybox. */
  readonly applets?: ReadonlyArray<string>
  readonly texts?: Readonly<Record<string, string>>
  readonly links?: Readonly<Record<string, string>>
  readonly programs?: ReadonlyArray<string>
}

/** No tar: copying into a container has to work without it. */
const applets = ["sh", "cat", "chmod", "chroot", "env", "grep", "id", "kill", "ls", "mkdir", "mkfifo", "mount", "mv", "ps", "pwd", "rm", "setsid", "sleep", "stat", "su", "tail", "tr", "true", "tty", "uname"]

const librariesOf = (path: string): ReadonlyArray<string> =>
  [...execFileSync("ldd", [path], { encoding: "utf8" }).matchAll(/(?:=> )?(\/\S+) \(0x/g)].map(([, file = ""]) => file)

const put = (root: string, path: string, write: (target: string) => void): void => {
  const target = join(root, path)
  mkdirSync(dirname(target), { recursive: true })
  write(target)
}

/** A layer with the program `busybox`, an account `web` (1234:1235), a file `srv/app/greeting` and what else is asked for, as a tar archive. */
export const layer = (busybox: string, { applets: more = [], links = {}, programs = [], texts = {} }: Extras = {}): Uint8Array => {
  const folder = mkdtempSync(join(tmpdir(), "reddwarf-layer-"))
  try {
    const root = join(folder, "root")
    for (const name of ["bin", "etc", "srv/app", "tmp"]) mkdirSync(join(root, name), { recursive: true })
    chmodSync(join(root, "tmp"), 0o1777)
    copyFileSync(busybox, join(root, "bin/busybox"))
    for (const name of [...applets, ...more]) symlinkSync("busybox", join(root, "bin", name))
    writeFileSync(join(root, "etc/passwd"), "root:x:0:0::/:/bin/sh\nweb:x:1234:1235::/srv/app:/bin/sh\n")
    writeFileSync(join(root, "etc/group"), "root:x:0:\nweb:x:1235:\n")
    writeFileSync(join(root, "srv/app/greeting"), "from the image\n")
    for (const [path, content] of Object.entries(texts)) put(root, path, (target) => writeFileSync(target, content))
    for (const [path, to] of Object.entries(links)) put(root, path, (target) => symlinkSync(to, target))
    for (const file of new Set(programs.flatMap((path) => [path, ...librariesOf(path)]))) put(root, file, (target) => copyFileSync(file, target))
    execFileSync("tar", ["--numeric-owner", "--owner=0", "--group=0", "-C", root, "-cf", join(folder, "layer.tar"), "."])
    return new Uint8Array(readFileSync(join(folder, "layer.tar")))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
