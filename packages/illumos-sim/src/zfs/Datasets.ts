/** The dataset tree of the simulated host and the folders behind it. */
import * as fs from "node:fs"
import * as path from "node:path"
import { randomBytes } from "node:crypto"
import type { HostContext } from "../CommandContext.js"
import * as Faults from "../Faults.js"
import type { Dataset, HostState } from "../HostState.js"
import { isEmptyFolder } from "../internal/hostFiles.js"
import * as Properties from "./Properties.js"

/** The dataset or snapshot called `name`. @category combinators */
export const find = (host: HostState, name: string): Dataset | undefined =>
  host.datasets.find((dataset) => dataset.name === name)

/** The part before `@`. @category combinators */
export const filesystemOf = (name: string): string => name.split("@")[0] ?? name

/** Name of the parent; empty for a pool. @category combinators */
export const parentName = (name: string): string => name.slice(0, Math.max(0, name.lastIndexOf("/")))

/** Name of the pool. @category combinators */
export const poolName = (name: string): string => filesystemOf(name).split("/")[0] ?? name

/** `name` and everything below it, snapshots included, parents first. @category combinators */
export const tree = (host: HostState, name: string): ReadonlyArray<Dataset> =>
  host.datasets
    .filter((dataset) =>
      dataset.name === name || dataset.name.startsWith(`${name}/`) || dataset.name.startsWith(`${name}@`)
    )
    .sort((a, b) => (a.name < b.name ? -1 : 1))

/** Snapshots of one dataset, oldest first. @category combinators */
export const snapshotsOf = (host: HostState, name: string): ReadonlyArray<Dataset> =>
  host.datasets.filter((dataset) => dataset.name.startsWith(`${name}@`)).sort((a, b) => a.createtxg - b.createtxg)

/** Clones of one snapshot. @category combinators */
export const clonesOf = (host: HostState, snapshot: string): ReadonlyArray<Dataset> =>
  host.datasets.filter((dataset) => dataset.origin === snapshot)

/** Clones of any snapshot in the tree of `name` that are not in the tree themselves. @category combinators */
export const outsideClones = (host: HostState, name: string): ReadonlyArray<Dataset> => {
  const inner = tree(host, name)
  const names = new Set(inner.map((dataset) => dataset.name))
  return inner.flatMap((dataset) => clonesOf(host, dataset.name)).filter((clone) => !names.has(clone.name))
}

/** The effective mountpoint: a path, `none`, `legacy`, or `-` where none applies. @category combinators */
export const mountpoint = (host: HostState, dataset: Dataset): string => {
  if (dataset.type !== "filesystem") return "-"
  return Properties.effective(host, dataset, "mountpoint").value
}

/** Real folder of a file system that is mounted. @category combinators */
export const folder = (context: HostContext, dataset: Dataset): string | undefined => {
  const point = mountpoint(context.host, dataset)
  return point.startsWith("/") && dataset.mounted ? context.files.real(point) : undefined
}

/** The file system mounted exactly at an illumos path. @category combinators */
export const mountedAt = (host: HostState, point: string): Dataset | undefined =>
  host.datasets.find((dataset) =>
    dataset.type === "filesystem" && dataset.mounted && mountpoint(host, dataset) === point
  )

/** Why a dataset could not be mounted. @category models */
export interface MountFailure {
  readonly mountpoint: string
  readonly detail: string
}

/** Makes the folder of a file system. The dataset exists afterwards whatever the answer is. @category combinators */
export const mount = (context: HostContext, dataset: Dataset): MountFailure | undefined => {
  const { host, files } = context
  const point = mountpoint(host, dataset)
  if (!point.startsWith("/") || Properties.effective(host, dataset, "canmount").value !== "on") return undefined
  if (Properties.effective(host, dataset, "zoned").value === "on") return undefined
  if (Faults.consume(host, "notMounted", (fault) => fault.dataset === dataset.name) !== undefined) {
    return { mountpoint: dataset.name, detail: "mountpoint or dataset is busy" }
  }
  const real = files.real(point)
  if (!files.makeDirectory(real) && !isEmptyFolder(real)) return { mountpoint: point, detail: "directory is not empty" }
  dataset.mounted = true
  return undefined
}

/** Adds a dataset without mounting it. @category constructors */
export const add = (
  context: HostContext,
  fields: { readonly name: string; readonly type: Dataset["type"]; readonly origin?: string; readonly local?: Dataset["local"] }
): Dataset => {
  const dataset: Dataset = {
    name: fields.name,
    type: fields.type,
    guid: BigInt(`0x${randomBytes(8).toString("hex")}`).toString(),
    creation: Math.floor(context.now / 1000),
    createtxg: context.host.nextTxg++,
    origin: fields.origin ?? "",
    mounted: false,
    local: { ...fields.local },
    holds: []
  }
  context.host.datasets.push(dataset)
  return dataset
}

/** Takes a snapshot: the content of the folder is kept beside the host. @category combinators */
export const snapshot = (context: HostContext, source: Dataset, name: string, local: Dataset["local"] = {}): Dataset => {
  const taken = add(context, { name: `${source.name}@${name}`, type: "snapshot", local })
  const content = folder(context, source)
  const target = context.files.snapshotFolder(taken.guid)
  fs.mkdirSync(target, { recursive: true })
  if (content !== undefined) context.files.copyContent(content, target)
  return taken
}

/** Fills the folder of a dataset with what a snapshot holds. @category combinators */
export const restore = (context: HostContext, from: Dataset, into: Dataset): void => {
  const target = folder(context, into)
  if (target === undefined) return
  context.files.empty(target)
  context.files.copyContent(context.files.snapshotFolder(from.guid), target)
}

/** Folders of the file systems mounted below another one. @category combinators */
export const foldersBelow = (context: HostContext, dataset: Dataset): ReadonlySet<string> =>
  new Set(
    tree(context.host, dataset.name)
      .filter((child) => child !== dataset)
      .flatMap((child) => folder(context, child) ?? [])
  )

/** Forgets the dataset and removes its folder. @category combinators */
export const remove = (context: HostContext, dataset: Dataset): void => {
  const content = dataset.type === "snapshot"
    ? context.files.snapshotFolder(dataset.guid)
    : folder(context, dataset)
  if (content !== undefined && content !== context.files.root) {
    // What lies in the folder belongs to the dataset; a file system mounted from elsewhere below it is another one.
    const foreign = context.host.datasets.some((other) =>
      other !== dataset && (folder(context, other) ?? "").startsWith(`${content}${path.sep}`)
    )
    if (!foreign) context.files.remove(content)
  }
  context.host.datasets = context.host.datasets.filter((other) => other !== dataset)
}

/** A context in which each folder is measured once, for commands that show many numbers and change nothing. @category combinators */
export const measuringOnce = (context: HostContext): HostContext => {
  const sizes = new Map<string, number>()
  const size: HostContext["files"]["size"] = (real, skip) => {
    const bytes = sizes.get(real) ?? context.files.size(real, skip)
    sizes.set(real, bytes)
    return bytes
  }
  return { ...context, files: { ...context.files, size } }
}

/** Bytes a dataset itself refers to. @category combinators */
export const referenced = (context: HostContext, dataset: Dataset): number => {
  const empty = 24_576
  if (dataset.type === "volume") return empty
  const content = dataset.type === "snapshot" ? context.files.snapshotFolder(dataset.guid) : folder(context, dataset)
  // The pool's own file system is mounted on `/rpool`-like paths, never on the emulated root as a whole.
  if (content === undefined || content === context.files.root) return empty
  return empty + context.files.size(content, foldersBelow(context, dataset))
}

/** Bytes used by a dataset, its snapshots and its descendants. @category combinators */
export const used = (context: HostContext, dataset: Dataset): number => {
  if (dataset.type === "snapshot") return 0
  return tree(context.host, dataset.name)
    .map((member) =>
      member.type === "volume"
        ? Math.max(referenced(context, member), Properties.bytes(member.local["refreservation"] ?? "0") ?? 0)
        : member.type === "snapshot"
        ? 0
        : referenced(context, member)
    )
    .reduce((sum, bytes) => sum + bytes, 0)
}

/** Bytes that can still be written to a dataset: the pool's space and every quota above it. @category combinators */
export const available = (context: HostContext, dataset: Dataset): number => {
  const { host } = context
  const pool = host.pools.find((candidate) => candidate.name === poolName(dataset.name))
  const top = find(host, poolName(dataset.name))
  if (pool === undefined || top === undefined) return 0
  if (Faults.find(host, "outOfSpace", (fault) => fault.pool === pool.name) !== undefined) return 0
  let left = pool.size - used(context, top)
  const chain = filesystemOf(dataset.name).split("/")
  for (let depth = chain.length; depth > 0; depth--) {
    const member = find(host, chain.slice(0, depth).join("/"))
    const quota = Properties.bytes(member?.local["quota"] ?? "none") ?? 0
    if (member !== undefined && quota > 0) left = Math.min(left, quota - used(context, member))
  }
  const refquota = Properties.bytes(dataset.local["refquota"] ?? "none") ?? 0
  if (refquota > 0) left = Math.min(left, refquota - referenced(context, dataset))
  return Math.max(0, left)
}
