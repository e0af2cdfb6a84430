/**
 * Loopback and memory file systems of a booted zone. A loopback mount is emulated by a symbolic link to its source, so that
 * changes are visible at once in both directions; what was at the mount point is set aside until the zone halts.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import type { HostContext } from "./CommandContext.js"
import * as ContainedRoot from "./ContainedRoot.js"
import { resources, type Zone, type ZoneConfiguration, zonepath } from "./HostState.js"
import { present } from "./internal/hostFiles.js"

type Mount = NonNullable<Zone["kernel"]>["mounts"][number]

/** Real path of the zone's `/`. @category combinators */
export const zoneRoot = (context: HostContext, zone: Zone): string => context.files.real(`${zonepath(zone)}/root`)

/** The first source of a loopback mount that does not exist, as verify reports it. @category combinators */
export const missingSource = (context: HostContext, configuration: ZoneConfiguration): string | undefined => {
  for (const entry of resources(configuration, "fs")) {
    const { dir = "", special = "", type } = entry.properties
    if (type === "lofs" && context.files.locate(special) === undefined) {
      return `could not verify fs ${dir}: could not access ${special}: No such file or directory`
    }
  }
  return undefined
}

const aside = (point: string): string => path.join(path.dirname(point), `.${path.basename(point)}.covered`)

const inside = (folder: string, candidate: string): boolean => candidate === folder || candidate.startsWith(`${folder}${path.sep}`)

const existingAncestor = (target: string): string => {
  for (let candidate = target;; candidate = path.dirname(candidate)) {
    if (present(candidate) || candidate === path.dirname(candidate)) return fs.realpathSync(candidate)
  }
}

/** Whether the place would have to be made in a loopback mount that nobody may write to. */
const isMissingReadOnly = (mounts: ReadonlyArray<Mount>, point: string): boolean => {
  const above = mounts.findLast((mount) => point !== mount.path && inside(mount.path, point))
  return above?.readOnly === true && !present(path.join(above.target, path.relative(above.path, point)))
}

/** With `contained` only the place is made: each command of the zone mounts the source there for itself. */
const mountOne = (point: string, source: string | undefined, contained: boolean, readOnly: boolean): Mount => {
  fs.mkdirSync(path.dirname(point), { recursive: true })
  if (present(point)) fs.renameSync(point, aside(point))
  if (source === undefined) {
    fs.mkdirSync(point)
    // Everybody may write to memory, as to /tmp.
    fs.chmodSync(point, 0o1777)
  } else if (contained && fs.statSync(source).isDirectory()) fs.mkdirSync(point)
  else if (contained) fs.writeFileSync(point, "")
  else fs.symlinkSync(source, point)
  return { path: point, target: source ?? "", ...(readOnly ? { readOnly } : {}) }
}

/** Mounts every `fs` of the configuration, parents first; gives what was mounted or zoneadmd's complaint. @category combinators */
export const mountAll = (context: HostContext, zone: Zone, configuration: ZoneConfiguration): { readonly mounts: Array<Mount>; readonly problem?: string } => {
  const root = zoneRoot(context, zone)
  const contained = ContainedRoot.applies(root)
  const entries = resources(configuration, "fs")
    .filter((entry) => ["lofs", "tmpfs"].includes(entry.properties["type"] ?? ""))
    .sort((a, b) => (a.properties["dir"] ?? "").split("/").length - (b.properties["dir"] ?? "").split("/").length)
  const mounts: Array<Mount> = []
  for (const entry of entries) {
    const { dir = "", special = "", type } = entry.properties
    const source = type === "lofs" ? context.files.locate(special) : undefined
    const point = path.join(root, path.posix.normalize(`/${dir}`))
    const parent = existingAncestor(path.dirname(point))
    const allowed = inside(fs.realpathSync(root), parent) || mounts.some((mount) => mount.target !== "" && inside(fs.realpathSync(mount.target), parent))
    if (!allowed || (type === "lofs" && source === undefined)) {
      return { mounts, problem: `cannot mount ${special} on ${dir}: ${allowed ? "No such file or directory" : "mount point leads out of the zone"}` }
    }
    if (isMissingReadOnly(mounts, point)) return { mounts, problem: `cannot mount ${special} on ${dir}: Read-only file system` }
    mounts.push(mountOne(point, source, contained, entry.options.includes("ro")))
  }
  return { mounts }
}

/** Undoes `mountAll`, children first. A link that somebody else replaced is left alone. @category combinators */
export const unmountAll = (mounts: ReadonlyArray<Mount>): void => {
  for (const mount of mounts.toReversed()) {
    const stat = fs.lstatSync(mount.path, { throwIfNoEntry: false })
    if (mount.target !== "" && stat?.isSymbolicLink() === true && fs.readlinkSync(mount.path) === mount.target) fs.unlinkSync(mount.path)
    if (mount.target !== "" && stat?.isDirectory() === true && fs.readdirSync(mount.path).length === 0) fs.rmdirSync(mount.path)
    if (mount.target !== "" && stat?.isFile() === true && stat.size === 0) fs.unlinkSync(mount.path)
    if (mount.target === "" && stat?.isDirectory() === true) fs.rmSync(mount.path, { recursive: true, force: true })
    const covered = aside(mount.path)
    if (present(covered) && !present(mount.path)) fs.renameSync(covered, mount.path)
  }
}

/**
 * Exchanges the content of a folder below the loopback mounts of booted zones: what is mounted in it stays mounted where the new content has the
 * place, and is out of sight elsewhere.
 *
 * @category combinators
 */
export const underMounts = (context: HostContext, folder: string, exchange: () => void): void => {
  const real = fs.realpathSync(folder)
  const mounts = context.host.zones.flatMap(({ kernel }) => kernel?.mounts ?? [])
    .filter(({ path: point, target }) => target !== "" && present(point) && inside(real, fs.realpathSync(path.dirname(point))))
  unmountAll(mounts)
  exchange()
  for (const { path: point, readOnly, target } of mounts) if (present(point)) mountOne(point, target, false, readOnly === true)
}
