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
  readonly totals: Map<Dataset, number>
  readonly used: Map<Dataset, number>
  readonly room: Map<string, number>
  /** What was counted a moment ago will do. */
  readonly isRough: boolean
}

const counted = new WeakMap<HostContext, Counted>()

/**
 * Bytes of datasets as counted last, by their hosts and guids. To create something costs a look at every file of the pool otherwise, although
 * all that matters is whether the pool is full. Bounded, the oldest go first.
 */
const recent = new Map<string, { readonly bytes: number; readonly until: number }>()
const maxRecent = 20_000
const recentMillis = 30_000

/** With more than this to spare nothing that was written since has filled a pool. */
const ampleBytes = 2 ** 30

const once = <K>(memory: Map<K, number> | undefined, key: K, count: () => number): number => {
  const before = memory?.get(key)
  if (before !== undefined) return before
  const found = count()
  memory?.set(key, found)
  return found
}

/** A context in which every dataset is counted once, for commands that show many numbers and change nothing. @category combinators */
export const countingOnce = (context: HostContext): HostContext => counted.has(context) ? context : counting(context, false)

const counting = (context: HostContext, isRough: boolean): HostContext => {
  const own = { ...context, host: DatasetIndex.indexed(context.host) }
  counted.set(own, { manifests: new Map(), totals: new Map(), used: new Map(), room: new Map(), isRough })
  return own
}

const nowhere: ReadonlySet<string> = new Set()

/** Where the content of a file system or volume is, and what lies there that is not its own; undefined where it has none. */
const placeOf = (context: HostContext, dataset: Dataset): { readonly folder: string; readonly others: ReadonlySet<string> } | undefined => {
  if (dataset.type === "volume") return { folder: Content.device(context, dataset.name), others: nowhere }
  const folder = Datasets.folder(context, dataset)
  // The pool's own file system is mounted on `/rpool`-like paths, never on the emulated root as a whole.
  if (folder === context.files.root) return undefined
  return folder === undefined
    ? { folder: Content.hidden(context, dataset), others: nowhere }
    : { folder, others: Datasets.foldersBelow(context, dataset) }
}

const count = (context: HostContext, dataset: Dataset): Manifest.Manifest => {
  if (dataset.type === "snapshot") return Manifest.readConstant(Content.ofSnapshot(context, dataset))
  const place = placeOf(context, dataset)
  return place === undefined ? new Map() : Manifest.read(place.folder, place.others)
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

/** The bytes of what a dataset holds, by the account of it only where there is one already. */
const bytesOf = (context: HostContext, dataset: Dataset): number => {
  const memory = counted.get(context)
  const known = memory?.manifests.get(dataset)
  if (known !== undefined || dataset.type === "snapshot") return Manifest.total(known ?? manifest(context, dataset))
  return once(memory?.totals, dataset, () => {
    const place = placeOf(context, dataset)
    return place === undefined ? 0 : Manifest.bytes(place.folder, place.others)
  })
}

const limit = (dataset: Dataset, name: string): number =>
  Properties.bytes(dataset.local[name] ?? Properties.receivedValue(dataset, name) ?? "none") ?? 0

/** Bytes a dataset itself refers to, shared or not. @category combinators */
export const referenced = (context: HostContext, dataset: Dataset): number =>
  dataset.type === "snapshot" && dataset.bytes !== undefined
    ? dataset.bytes
    : emptyBytes + bytesOf(context, dataset)

const originOf = (context: HostContext, dataset: Dataset): ReadonlyArray<Manifest.Manifest> => {
  const origin = Datasets.find(context.host, dataset.origin)
  return origin === undefined ? [] : [manifest(context, origin)]
}

/** Bytes that would become free with the dataset, after its snapshots and descendants. @category combinators */
export const usedByDataset = (context: HostContext, dataset: Dataset): number => {
  const origin = originOf(context, dataset)
  return emptyBytes + (origin.length === 0 ? bytesOf(context, dataset) : Manifest.alone(manifest(context, dataset), origin))
}

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

/** Bytes that a dataset and its snapshots take by themselves. */
const usedByItself = (context: HostContext, dataset: Dataset): number => {
  const key = `${context.files.root} ${dataset.guid}`
  // The clock of the machine: that of the simulated host may stand still.
  const now = performance.now()
  const before = recent.get(key)
  if (counted.get(context)?.isRough === true && before !== undefined && now < before.until) return before.bytes
  const bytes = usedByDataset(context, dataset) + usedBySnapshots(context, dataset)
  recent.delete(key)
  recent.set(key, { bytes, until: now + recentMillis })
  for (const oldest of recent.keys()) {
    if (recent.size <= maxRecent) break
    recent.delete(oldest)
  }
  return bytes
}

/** Bytes used by a dataset, its snapshots and its descendants. @category combinators */
export const used = (context: HostContext, dataset: Dataset): number =>
  once(counted.get(context)?.used, dataset, () =>
    dataset.type === "snapshot"
      ? usedBySnapshot(context, dataset)
      : usedByItself(context, dataset) + usedByChildren(context, dataset) + usedByRefreservation(context, dataset))

/** Bytes changed since the newest snapshot, or since ever. @category combinators */
export const written = (context: HostContext, dataset: Dataset): number => {
  const newest = Datasets.snapshotsOf(context.host, dataset.name).at(-1)
  const base = newest === undefined ? originOf(context, dataset) : [manifest(context, newest)]
  return Manifest.alone(manifest(context, dataset), base) + (base.length === 0 ? emptyBytes : 0)
}

/** As a pool shows what was written only with one of its next transactions, so does this one while it is far from full. */
const usedInPool = (context: HostContext, pool: HostContext["host"]["pools"][number], top: Dataset): number => {
  const before = used(counting(context, true), top)
  return pool.size - before > ampleBytes ? before : used(countingOnce(context), top)
}

/** Bytes used in a pool. @category combinators */
export const allocated = (context: HostContext, pool: string): number => {
  const found = context.host.pools.find((candidate) => candidate.name === pool)
  const top = Datasets.find(context.host, pool)
  if (found === undefined || top === undefined) return 0
  if (Faults.find(context.host, "outOfSpace", (fault) => fault.pool === pool) !== undefined) return found.size
  return Math.min(found.size, usedInPool(context, found, top))
}

/** What a directory of datasets may still take: its quota, and its parent's space with the own reservation on top. */
const room = (context: HostContext, name: string): number => once(counted.get(context)?.room, name, () => roomNow(context, name))

const roomNow = (context: HostContext, name: string): number => {
  const dataset = Datasets.find(context.host, name)
  if (dataset === undefined) return 0
  const pool = context.host.pools.find((candidate) => candidate.name === name)
  const [quota, reservation] = [limit(dataset, "quota"), limit(dataset, "reservation")]
  // What it holds is counted only where that has bounds of its own.
  const outer = pool === undefined
    ? room(context, Datasets.parentName(name)) + (reservation === 0 ? 0 : Math.max(0, reservation - used(context, dataset)))
    : Math.max(0, pool.size - usedInPool(context, pool, dataset))
  return Math.max(0, quota === 0 ? outer : Math.min(outer, quota - used(context, dataset)))
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
  if (dataset === undefined) return false
  const unbounded = { ...dataset, local: { ...dataset.local, refquota: "none" } }
  return available(counting(context, true), unbounded) < ampleBytes && available(context, unbounded) < emptyBytes
}
