/** The dataset tree of the simulated host and the folders behind it. */
import * as fs from "node:fs"
import * as path from "node:path"
import { randomBytes } from "node:crypto"
import type { HostContext } from "../CommandContext.js"
import * as Faults from "../Faults.js"
import type { Dataset, HostState } from "../HostState.js"
import { copyTree } from "../internal/copyTree.js"
import { isEmptyFolder } from "../internal/hostFiles.js"
import * as Content from "./Content.js"
import * as DatasetIndex from "./DatasetIndex.js"
import * as Properties from "./Properties.js"

/** The dataset or snapshot called `name`. @category combinators */
export const find = (host: HostState, name: string): Dataset | undefined =>
  DatasetIndex.of(host)?.byName.get(name) ?? (DatasetIndex.of(host) === undefined ? host.datasets.find((dataset) => dataset.name === name) : undefined)

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

/** File systems and volumes directly below. @category combinators */
export const childrenOf = (host: HostState, name: string): ReadonlyArray<Dataset> =>
  DatasetIndex.of(host) !== undefined ? DatasetIndex.of(host)?.children.get(name) ?? [] : host.datasets.filter((dataset) =>
    dataset.type !== "snapshot" && dataset.name.startsWith(`${name}/`) && !dataset.name.slice(name.length + 1).includes("/")
  )

/** Every dataset by name, parents first. @category combinators */
export const sorted = (host: HostState): ReadonlyArray<Dataset> => [...host.datasets].sort((a, b) => (a.name < b.name ? -1 : 1))

/** Snapshots of one dataset, oldest first. @category combinators */
export const snapshotsOf = (host: HostState, name: string): ReadonlyArray<Dataset> =>
  DatasetIndex.of(host) !== undefined ? DatasetIndex.of(host)?.snapshots.get(name) ?? [] : host.datasets.filter((dataset) => dataset.name.startsWith(`${name}@`)).sort((a, b) => a.createtxg - b.createtxg)

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

/** Whether a file system is mounted by itself: it has a path, may be mounted, and no zone has it. @category combinators */
export const mountsItself = (host: HostState, dataset: Dataset): boolean =>
  mountpoint(host, dataset).startsWith("/")
  && Properties.effective(host, dataset, "canmount").value === "on"
  && Properties.effective(host, dataset, "zoned").value !== "on"
  && dataset.partial?.fresh !== true

/** Mounts a file system where its mountpoint says. @category combinators */
export const mountNow = (context: HostContext, dataset: Dataset): MountFailure | undefined => {
  const point = mountpoint(context.host, dataset)
  if (Faults.consume(context.host, "notMounted", (fault) => fault.dataset === dataset.name) !== undefined) {
    return { mountpoint: dataset.name, detail: "mountpoint or dataset is busy" }
  }
  if (!Content.reveal(context, dataset, context.files.real(point))) return { mountpoint: point, detail: "directory is not empty" }
  dataset.mounted = true
  return undefined
}

/** Mounts a file system that mounts itself. The dataset exists afterwards whatever the answer is. @category combinators */
export const mount = (context: HostContext, dataset: Dataset): MountFailure | undefined =>
  !dataset.mounted && mountsItself(context.host, dataset) ? mountNow(context, dataset) : undefined

/** Unmounts a file system and those mounted below it. @category combinators */
export const unmount = (context: HostContext, dataset: Dataset): void => {
  const point = folder(context, dataset)
  if (point === undefined) return
  for (const inner of context.host.datasets) {
    if (inner !== dataset && (folder(context, inner) ?? "").startsWith(`${point}${path.sep}`)) unmount(context, inner)
  }
  Content.conceal(context, dataset, point)
  dataset.mounted = false
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

/** Names of the user properties a dataset has, its own and those it inherits. @category combinators */
export const userPropertyNames = (host: HostState, dataset: Dataset): ReadonlyArray<string> => {
  const parts = filesystemOf(dataset.name).split("/")
  const above = parts.map((_, index) => find(host, parts.slice(0, index + 1).join("/")))
  const all = new Set([dataset, ...above].flatMap((member) => Object.keys({ ...member?.local, ...member?.received })))
  return [...all].filter((name) => Properties.isUserProperty(name) && Properties.effective(host, dataset, name).value !== "-").sort()
}

/** A mounted file system and those mounted below its mountpoint. @category combinators */
export const mountedBelow = (context: HostContext, dataset: Dataset): ReadonlyArray<Dataset> => {
  const point = folder(context, dataset)
  if (point === undefined) return []
  return [dataset, ...context.host.datasets.filter((other) => (folder(context, other) ?? "").startsWith(`${point}${path.sep}`))]
}

/** Where the content of a dataset is; it need not exist. @category combinators */
export const content = (context: HostContext, dataset: Dataset): string =>
  dataset.type === "snapshot"
    ? Content.ofSnapshot(context, dataset)
    : dataset.type === "volume"
    ? Content.device(context, dataset.name)
    : folder(context, dataset) ?? Content.hidden(context, dataset)

/** Takes a snapshot: the content of the dataset is kept beside the host. @category combinators */
export const snapshot = (context: HostContext, source: Dataset, name: string, local: Dataset["local"] = {}): Dataset => {
  const taken = add(context, { name: `${source.name}@${name}`, type: "snapshot", local })
  const target = Content.ofSnapshot(context, taken)
  fs.mkdirSync(target, { recursive: true })
  const from = content(context, source)
  const skip = foldersBelow(context, source)
  if (source.type === "volume") copyTree(from, path.join(target, Content.volumeFile))
  else if (fs.existsSync(from)) copyTree(from, target, skip)
  return taken
}

/** Fills a dataset with what a snapshot holds. What other file systems are mounted below it stays. @category combinators */
export const restore = (context: HostContext, from: Dataset, into: Dataset): void => {
  const source = Content.ofSnapshot(context, from)
  const target = content(context, into)
  if (into.type === "volume") {
    Content.sizeVolume(context, into.name, Number(into.local["volsize"] ?? 0))
    if (fs.existsSync(path.join(source, Content.volumeFile))) copyTree(path.join(source, Content.volumeFile), target)
    return
  }
  const inner = tree(context.host, into.name).filter((member) => member !== into && member.mounted)
  for (const member of inner.toReversed()) unmount(context, member)
  context.files.empty(target)
  context.files.copyContent(source, target)
  for (const member of inner) mountNow(context, member)
}

const filesystemsBelow = (host: HostState, name: string): ReadonlyArray<Dataset> =>
  DatasetIndex.of(host) === undefined
    ? tree(host, name).filter((dataset) => dataset.type === "filesystem" && dataset.name !== name)
    : childrenOf(host, name).flatMap((child) => [child, ...filesystemsBelow(host, child.name)])

/** Folders of the file systems mounted below another one. @category combinators */
export const foldersBelow = (context: HostContext, dataset: Dataset): ReadonlySet<string> =>
  new Set(filesystemsBelow(context.host, dataset.name).flatMap((child) => folder(context, child) ?? []))

/** Forgets the dataset and removes its content and its mountpoint. @category combinators */
export const remove = (context: HostContext, dataset: Dataset): void => {
  const { files, host } = context
  if (dataset.partial !== undefined) files.remove(files.partialFile(dataset.partial.file))
  if (dataset.type === "volume") Content.removeVolume(context, dataset.name)
  else {
    const point = folder(context, dataset)
    if (point !== files.root) unmount(context, dataset)
    files.remove(dataset.type === "snapshot" ? Content.ofSnapshot(context, dataset) : Content.hidden(context, dataset))
    if (point !== undefined && point !== files.root && isEmptyFolder(point)) files.remove(point)
  }
  host.datasets = host.datasets.filter((other) => other !== dataset)
  // A snapshot whose destruction was put off goes with the last clone.
  const origin = find(host, dataset.origin)
  if (origin !== undefined) collect(context, origin)
}

/** Removes a snapshot whose destruction was put off, once nothing needs it any more. @category combinators */
export const collect = (context: HostContext, snapshot: Dataset): void => {
  if (snapshot.deferred === true && snapshot.holds.length === 0 && clonesOf(context.host, snapshot.name).length === 0) remove(context, snapshot)
}
