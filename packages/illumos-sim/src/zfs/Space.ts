/** Space accounting: used, referenced and available bytes, quotas, reservations, and what snapshots and clones share. */
import type { HostContext } from "../CommandContext.js"
import * as Faults from "../Faults.js"
import type { Dataset } from "../HostState.js"
import * as Content from "./Content.js"
import * as DatasetIndex from "./DatasetIndex.js"
import * as Datasets from "./Datasets.js"
import * as Manifest from "./Manifest.js"
import * as Properties from "./Properties.js"

/** What an empty file system takes. @category models */
export const emptyBytes = 24_576

/** What has been counted in a context that changes nothing. */
interface Counted {
  readonly manifests: Map<Dataset, Manifest.Manifest>
  readonly used: Map<Dataset, number>
  readonly room: Map<string, number>
}

const counted = new WeakMap<HostContext, Counted>()

const once = <K>(memory: Map<K, number> | undefined, key: K, count: () => number): number => {
  const before = memory?.get(key)
  if (before !== undefined) return before
  const found = count()
  memory?.set(key, found)
  return found
}

/** A context in which every dataset is counted once, for commands that show many numbers and change nothing. @category combinators */
export const countingOnce = (context: HostContext): HostContext => {
  if (counted.has(context)) return context
  const own = { ...context, host: DatasetIndex.indexed(context.host) }
  counted.set(own, { manifests: new Map(), used: new Map(), room: new Map() })
  return own
}

const count = (context: HostContext, dataset: Dataset): Manifest.Manifest => {
  if (dataset.type === "snapshot") return Manifest.readConstant(Content.ofSnapshot(context, dataset))
  if (dataset.type === "volume") return Manifest.read(Content.device(context, dataset.name), new Set())
  const folder = Datasets.folder(context, dataset)
  // The pool's own file system is mounted on `/rpool`-like paths, never on the emulated root as a whole.
  if (folder === context.files.root) return new Map()
  return Manifest.read(folder ?? Content.hidden(context, dataset), folder === undefined ? new Set() : Datasets.foldersBelow(context, dataset))
}

/** What a dataset holds. @category combinators */
export const manifest = (context: HostContext, dataset: Dataset): Manifest.Manifest => {
  const memory = counted.get(context)?.manifests
  const before = memory?.get(dataset)
  if (before !== undefined) return before
  const found = count(context, dataset)
  memory?.set(dataset, found)
  return found
}

const limit = (dataset: Dataset, name: string): number =>
  Properties.bytes(dataset.local[name] ?? Properties.receivedValue(dataset, name) ?? "none") ?? 0

/** Bytes a dataset itself refers to, shared or not. @category combinators */
export const referenced = (context: HostContext, dataset: Dataset): number =>
  dataset.type === "snapshot" && dataset.bytes !== undefined
    ? dataset.bytes
    : emptyBytes + Manifest.total(manifest(context, dataset))

const originOf = (context: HostContext, dataset: Dataset): ReadonlyArray<Manifest.Manifest> => {
  const origin = Datasets.find(context.host, dataset.origin)
  return origin === undefined ? [] : [manifest(context, origin)]
}

/** Bytes that would become free with the dataset, after its snapshots and descendants. @category combinators */
export const usedByDataset = (context: HostContext, dataset: Dataset): number =>
  emptyBytes + Manifest.alone(manifest(context, dataset), originOf(context, dataset))

/** Bytes that only snapshots keep. @category combinators */
export const usedBySnapshots = (context: HostContext, dataset: Dataset): number => {
  const snapshots = Datasets.snapshotsOf(context.host, dataset.name)
  if (snapshots.length === 0) return 0
  const others = [manifest(context, dataset), ...originOf(context, dataset)]
  const union = new Map(snapshots.flatMap((snapshot) => [...manifest(context, snapshot)]))
  return Manifest.alone(union, others)
}

/** Bytes that only this snapshot keeps: neither its neighbours nor, for the newest, the dataset. @category combinators */
export const usedBySnapshot = (context: HostContext, snapshot: Dataset): number => {
  const { host } = context
  const owner = Datasets.find(host, Datasets.filesystemOf(snapshot.name))
  if (owner === undefined) return 0
  const all = Datasets.snapshotsOf(host, owner.name)
  const at = all.indexOf(snapshot)
  const before = all[at - 1]
  const neighbours = [
    ...(before === undefined ? originOf(context, owner) : [manifest(context, before)]),
    manifest(context, all[at + 1] ?? owner)
  ]
  return Manifest.alone(manifest(context, snapshot), neighbours)
}

/** Bytes kept free for the dataset itself. @category combinators */
export const usedByRefreservation = (context: HostContext, dataset: Dataset): number => {
  const wanted = limit(dataset, "refreservation")
  return wanted === 0 ? 0 : Math.max(0, wanted - usedByDataset(context, dataset))
}

/** Bytes of everything below, reservations included. @category combinators */
export const usedByChildren = (context: HostContext, dataset: Dataset): number =>
  Datasets.childrenOf(context.host, dataset.name)
    .reduce((sum, child) => sum + Math.max(used(context, child), limit(child, "reservation")), 0)

/** Bytes used by a dataset, its snapshots and its descendants. @category combinators */
export const used = (context: HostContext, dataset: Dataset): number =>
  once(counted.get(context)?.used, dataset, () =>
    dataset.type === "snapshot"
      ? usedBySnapshot(context, dataset)
      : usedByDataset(context, dataset) + usedBySnapshots(context, dataset) + usedByChildren(context, dataset)
        + usedByRefreservation(context, dataset))

/** Bytes changed since the newest snapshot, or since ever. @category combinators */
export const written = (context: HostContext, dataset: Dataset): number => {
  const newest = Datasets.snapshotsOf(context.host, dataset.name).at(-1)
  const base = newest === undefined ? originOf(context, dataset) : [manifest(context, newest)]
  return Manifest.alone(manifest(context, dataset), base) + (base.length === 0 ? emptyBytes : 0)
}

/** Bytes used in a pool. @category combinators */
export const allocated = (context: HostContext, pool: string): number => {
  const found = context.host.pools.find((candidate) => candidate.name === pool)
  const top = Datasets.find(context.host, pool)
  if (found === undefined || top === undefined) return 0
  if (Faults.find(context.host, "outOfSpace", (fault) => fault.pool === pool) !== undefined) return found.size
  return Math.min(found.size, used(countingOnce(context), top))
}

/** What a directory of datasets may still take: its quota, and its parent's space with the own reservation on top. */
const room = (context: HostContext, name: string): number => once(counted.get(context)?.room, name, () => roomNow(context, name))

const roomNow = (context: HostContext, name: string): number => {
  const dataset = Datasets.find(context.host, name)
  if (dataset === undefined) return 0
  const pool = context.host.pools.find((candidate) => candidate.name === name)
  const taken = used(context, dataset)
  const outer = pool === undefined
    ? room(context, Datasets.parentName(name)) + Math.max(0, limit(dataset, "reservation") - taken)
    : Math.max(0, pool.size - taken)
  const quota = limit(dataset, "quota")
  return Math.max(0, quota === 0 ? outer : Math.min(outer, quota - taken))
}

/** Bytes that can still be written to a dataset: the pool's space, every quota above it, its own limits. @category combinators */
export const available = (given: HostContext, dataset: Dataset): number => {
  const context = countingOnce(given)
  const name = Datasets.filesystemOf(dataset.name)
  if (Faults.find(context.host, "outOfSpace", (fault) => fault.pool === Datasets.poolName(name)) !== undefined) return 0
  const space = room(context, name) + usedByRefreservation(context, dataset)
  const quota = limit(dataset, "refquota")
  return Math.max(0, quota === 0 ? space : Math.min(space, quota - referenced(context, dataset)))
}

/** Whether nothing more fits below a dataset: it or something above it is full. @category combinators */
export const isFull = (context: HostContext, name: string): boolean => {
  const dataset = Datasets.find(context.host, name)
  return dataset !== undefined && available(context, { ...dataset, local: { ...dataset.local, refquota: "none" } }) < emptyBytes
}
