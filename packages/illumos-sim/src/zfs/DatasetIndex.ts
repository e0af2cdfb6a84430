/** Quick ways to datasets, for commands that only look: a host with hundreds of zones is asked for thousands of values at once. */
import type { Dataset, HostState } from "../HostState.js"

/** What is looked up again and again. @category models */
export interface DatasetIndex {
  readonly byName: ReadonlyMap<string, Dataset>
  /** File systems and volumes directly below, by name of the parent. */
  readonly children: ReadonlyMap<string, ReadonlyArray<Dataset>>
  /** Snapshots by name of the dataset, oldest first. */
  readonly snapshots: ReadonlyMap<string, ReadonlyArray<Dataset>>
}

const indexes = new WeakMap<HostState, DatasetIndex>()

/** The index of a host that was made by `indexed`. @category combinators */
export const of = (host: HostState): DatasetIndex | undefined => indexes.get(host)

/** The same host as a value of its own that has an index. It must not be changed, nor the host while it is used. @category constructors */
export const indexed = (host: HostState): HostState => {
  if (indexes.has(host)) return host
  const children = new Map<string, Array<Dataset>>()
  const snapshots = new Map<string, Array<Dataset>>()
  for (const dataset of host.datasets) {
    const [groups, mark] = dataset.type === "snapshot" ? [snapshots, "@"] as const : [children, "/"] as const
    const parent = dataset.name.slice(0, Math.max(0, dataset.name.lastIndexOf(mark)))
    const group = groups.get(parent)
    if (group === undefined) groups.set(parent, [dataset])
    else group.push(dataset)
  }
  for (const group of snapshots.values()) group.sort((a, b) => a.createtxg - b.createtxg)
  const copy = { ...host }
  indexes.set(copy, { byName: new Map(host.datasets.map((dataset) => [dataset.name, dataset])), children, snapshots })
  return copy
}
