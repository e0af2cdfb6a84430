/** The zonepath: its dataset, its permissions, and what the brands put into it. */
import * as fs from "node:fs"
import * as path from "node:path"
import { spawnSync } from "node:child_process"
import type { HostContext } from "../CommandContext.js"
import { type Dataset, type Zone, zonepath } from "../HostState.js"
import { isEmptyFolder, present } from "../internal/hostFiles.js"
import * as Datasets from "../zfs/Datasets.js"

const parentOf = (illumosPath: string): string => path.posix.dirname(illumosPath)

/** What zoneadm says about an existing zonepath that others may read, or about a root that is already there. @category combinators */
export const problems = (context: HostContext, zone: Zone, operation: string): ReadonlyArray<string> => {
  const named = zonepath(zone)
  const real = context.files.real(named)
  const stat = fs.lstatSync(real, { throwIfNoEntry: false })
  if (stat === undefined) return []
  if (!stat.isDirectory()) return [`${named} is not a directory.`, `could not verify zonepath ${named} because of the above errors.`]
  const names: ReadonlyArray<readonly [number, string]> = [
    [0o040, "group readable"], [0o020, "group writable"], [0o010, "group executable"],
    [0o004, "world readable"], [0o002, "world writable"], [0o001, "world executable"]
  ]
  const lines = names.flatMap(([bit, text]) => (stat.mode & bit) === 0 ? [] : [`${named} must not be ${text}.`])
  if (lines.length > 0) return [...lines, `could not verify zonepath ${named} because of the above errors.`]
  const fresh = zone.indexState === "configured" && ["install", "clone"].includes(operation)
  if (fresh && present(`${real}/root`)) return [`Rootpath ${named}/root exists; remove or move aside prior to ${operation}.`]
  return []
}

/** The warning of `verify` about a zonepath that does not exist yet. @category combinators */
export const absentWarning = (zone: Zone): string => {
  const named = zonepath(zone)
  return `WARNING: ${named} does not exist, so it could not be verified.\nWhen 'zoneadm install' is run, 'install' will try to create\n${named}, and 'verify' will be tried again,\n`
    + `but the 'verify' may fail if:\nthe parent directory of ${named} is group- or other-writable\nor\n${named} overlaps with any other installed zones.`
}

/** Makes the zonepath: a dataset below the one mounted on its parent, else a folder. @category combinators */
export const make = (context: HostContext, zone: Zone): void => {
  const named = zonepath(zone)
  const real = context.files.real(named)
  const parent = Datasets.mountedAt(context.host, parentOf(named))
  if (!present(real) && parent !== undefined) {
    const name = `${parent.name}/${path.posix.basename(named)}`
    if (Datasets.find(context.host, name) === undefined) Datasets.mount(context, Datasets.add(context, { name, type: "filesystem" }))
  }
  context.files.makeDirectory(real, 0o700)
  fs.chmodSync(real, 0o700)
}

const skeleton = (root: string): void => {
  for (const folder of ["dev", "etc", "home", "opt", "proc", "sbin", "system", "tmp", "usr/bin", "usr/sbin", "var/adm", "var/run", "var/svc/log", "var/tmp"]) {
    fs.mkdirSync(path.join(root, folder), { recursive: true })
  }
  const write = (name: string, content: string, mode: number) => {
    if (!present(path.join(root, name))) fs.writeFileSync(path.join(root, name), content, { mode })
  }
  write("etc/passwd", "root:x:0:0:Super-User:/:/sbin/sh\nnobody:x:60001:60001:NFS Anonymous Access User:/:\n", 0o644)
  write("etc/group", "root::0:\nnobody::60001:\n", 0o644)
  write("etc/release", "  OmniOS (simulated)\n", 0o644)
  write("sbin/init", "#!/bin/sh\n", 0o755)
}

/** Dataset layout of the package brands: `<zonepath dataset>/ROOT/zbe`, mounted by the brand. */
const bootEnvironment = (context: HostContext, dataset: Dataset): void => {
  for (const name of [`${dataset.name}/ROOT`, `${dataset.name}/ROOT/zbe`]) {
    if (Datasets.find(context.host, name) === undefined) {
      Datasets.add(context, { name, type: "filesystem", local: name.endsWith("/ROOT") ? { mountpoint: "legacy", zoned: "on" } : { canmount: "noauto" } })
    }
  }
}

const unpack = (archive: string, root: string): string | undefined => {
  const done = spawnSync("tar", ["-xf", archive, "-C", root], { stdio: ["ignore", "ignore", "pipe"], timeout: 60_000 })
  return done.status === 0 ? undefined : `Seed file ${archive} not in a supported format (data)`
}

const fromDataset = (context: HostContext, source: string, root: string): string | undefined => {
  const dataset = Datasets.find(context.host, source)
  if (dataset === undefined) {
    return source.includes("@") ? `Could not find ZFS snapshot ${source}` : `Could not find ZFS filesystem ${source}`
  }
  const content = Datasets.content(context, dataset)
  if (dataset.type === "volume") return `ZFS clone (${source}) failed (1)`
  // An image may be a whole zonepath with its `root`, or just the root itself.
  const inner = path.join(content, "root")
  context.files.copyContent(present(inner) && fs.lstatSync(inner).isDirectory() ? inner : content, root)
  return undefined
}

const imageBrands = new Set(["lx", "illumos"])
const packageBrands = new Set(["ipkg", "lipkg", "sparse", "pkgsrc"])

const sourceOf = (args: ReadonlyArray<string>): string | undefined => {
  const at = args.findIndex((word) => /^-[st]/.test(word))
  const word = args[at]
  return word === undefined ? undefined : word.length > 2 ? word.slice(2) : args[at + 1]
}

/** Puts a system into `<zonepath>/root` as the brand's installer does; the text is why it failed. @category combinators */
export const populate = (context: HostContext, zone: Zone, args: ReadonlyArray<string>): string | undefined => {
  const brand = zone.configuration.properties["brand"] ?? ""
  const root = context.files.real(`${zonepath(zone)}/root`)
  fs.mkdirSync(root, { recursive: true })
  const dataset = Datasets.mountedAt(context.host, zonepath(zone))
  if (packageBrands.has(brand) && dataset !== undefined) bootEnvironment(context, dataset)
  if (imageBrands.has(brand)) {
    const source = sourceOf(args)
    if (source === undefined) return "The installation source must be specified."
    const failure = source.startsWith("/")
      ? context.files.locate(source) === undefined ? `Source file '${source}' not found` : unpack(context.files.locate(source) ?? source, root)
      : fromDataset(context, source, root)
    if (failure !== undefined) return failure
    if (brand === "illumos") skeleton(root)
    return undefined
  }
  skeleton(root)
  return undefined
}

/** Where file systems of the global zone are mounted below the root of the zone. @category combinators */
export const mountsBelowRoot = (context: HostContext, zone: Zone): ReadonlyArray<string> =>
  context.host.datasets.flatMap((dataset) => {
    const point = dataset.type === "filesystem" && dataset.mounted ? Datasets.mountpoint(context.host, dataset) : ""
    return point.startsWith(`${zonepath(zone)}/root/`) ? [point] : []
  })

/** Removes everything install made: the root, the datasets below the zonepath, the zonepath itself. @category combinators */
export const destroy = (context: HostContext, zone: Zone): void => {
  const named = zonepath(zone)
  if (named === "") return
  const real = context.files.real(named)
  const dataset = Datasets.mountedAt(context.host, named)
  if (dataset !== undefined) {
    const pinned = Datasets.outsideClones(context.host, dataset.name).length > 0
    context.files.remove(`${real}/root`)
    if (pinned) {
      context.files.empty(real)
      return
    }
    for (const member of Datasets.tree(context.host, dataset.name).toReversed()) Datasets.remove(context, member)
    return
  }
  context.files.remove(`${real}/root`)
  if (isEmptyFolder(real)) context.files.remove(real)
}
