/** Persistent volumes, their snapshots, and their way to other hosts. */
import { CommandLine, type CommandRunner } from "@reddwarf/runtime-illumos"
import * as Effect from "effect/Effect"
import type * as Context from "effect/Context"
import * as Stream from "effect/Stream"
import * as DatasetName from "../DatasetName.js"
import * as Marks from "../Marks.js"
import { DatasetNotMounted, DatasetNotOwned, PropertyRejected, type StorageError } from "../StorageError.js"
import type { Layout } from "../StorageLayout.js"
import type * as Volume from "../Volume.js"
import type * as Zfs from "../Zfs.js"
import { type Datasets, type Found, initial, limit, numberOf } from "./datasets.js"

type Dataset = DatasetName.DatasetName

/** A transfer arrives beside the volumes, and gets its name when it is complete. */
export const incomingPrefix = "incoming-"

const snapshotProperties = ["guid"]

const describe = (dataset: Dataset, properties: Found): Volume.Volume | undefined => {
  const marks = Marks.read(properties)
  const owner = marks["uid"]
  const name = marks["volume"]
  if (owner === undefined || name === undefined || properties.get("type")?.value !== "filesystem") return undefined
  const [quota, reservation] = [numberOf(properties, "refquota"), numberOf(properties, "refreservation")]
  const origin = properties.get("origin")?.value ?? "-"
  return {
    dataset,
    name,
    owner,
    mountpoint: properties.get("mountpoint")?.value ?? "-",
    used: numberOf(properties, "used"),
    referenced: numberOf(properties, "referenced"),
    available: numberOf(properties, "available"),
    ...(quota === 0 ? {} : { quota }),
    ...(reservation === 0 ? {} : { reservation }),
    ...(DatasetName.isSnapshot(origin) ? { origin } : {}),
    properties: marks
  }
}

/** The operations of `StorageEngine` on volumes. */
export const make = (
  zfs: Context.Tag.Service<Zfs.Zfs>,
  runner: Context.Tag.Service<CommandRunner.CommandRunner>,
  datasets: Datasets,
  { volumes }: Layout
) => {
  const datasetOf = (name: string) =>
    name.startsWith(incomingPrefix)
      ? Effect.fail(new PropertyRejected({ operation: "name the dataset of volume", dataset: name, detail: `names beginning with ${incomingPrefix} are for transfers` }))
      : datasets.named(volumes, name, "volume")

  const snapshotOf = (name: string, snapshot: string): Effect.Effect<DatasetName.SnapshotName, StorageError> =>
    Effect.flatMap(datasetOf(name), (dataset) => {
      const full = `${dataset}@${snapshot}`
      return DatasetName.isSnapshot(full)
        ? Effect.succeed(full)
        : Effect.fail(new PropertyRejected({ operation: "name a snapshot of volume", dataset: name, detail: `${full} is not a snapshot name` }))
    })

  /** Only numbers reach the command, and the path is one that ZFS has mounted. */
  const giveTo = Effect.fnUntraced(function*(dataset: Dataset, mountpoint: string, access: Volume.Access) {
    const numbers = [access.uid, access.gid, access.mode]
    if (numbers.some((number) => !Number.isInteger(number) || number < 0 || number > 4_294_967_294) || access.mode > 0o7777) {
      yield* new PropertyRejected({ operation: "set the owner of", dataset, detail: `${numbers.join(":")} are no ids and mode` })
    }
    const lines = [
      CommandLine.make("/usr/bin/chown", `${access.uid}:${access.gid}`, mountpoint),
      CommandLine.make("/usr/bin/chmod", access.mode.toString(8).padStart(4, "0"), mountpoint)
    ]
    for (const line of lines) {
      const done = yield* runner.run(line)
      if (done.exitCode !== 0) {
        yield* new DatasetNotMounted({ operation: "set the owner of", dataset, detail: done.stderr.trim() })
      }
    }
  })

  const ensure = Effect.fn("StorageEngine.ensureVolume")(function*(spec: Volume.VolumeSpec) {
    const dataset = yield* datasetOf(spec.name)
    const marks = yield* datasets.checkedMarks({ ...spec.properties, uid: spec.owner, volume: spec.name }, spec.name)
    const limits = { refquota: limit(spec.quota), refreservation: limit(spec.reservation) }
    const properties = initial(marks, limits)
    yield* datasets.makeIfMissing(dataset, spec.from === undefined ? zfs.create(dataset, properties) : zfs.clone(spec.from, dataset, properties))
    const found = yield* datasets.owned(dataset, spec.owner)
    // The larger limit first: a reservation may never exceed the quota.
    const ordered = limits.refquota === 0 || limits.refquota > numberOf(found, "refquota") ? limits : { refreservation: limits.refreservation, refquota: limits.refquota }
    const access = spec.access === undefined ? undefined : `${spec.access.uid}:${spec.access.gid}:${spec.access.mode.toString(8)}`
    const before = Marks.read(found)["access"]
    if (found.get("mounted")?.value === "no") yield* datasets.ensureMounted(dataset)
    // The mark is written last: a crash before it repeats the change, one after it does not touch what users have changed since.
    if (spec.access !== undefined && before !== access) yield* giveTo(dataset, found.get("mountpoint")?.value ?? "-", spec.access)
    const after = yield* datasets.update(dataset, spec.owner, found, { ...marks, ...(access === undefined ? {} : { access }) }, ordered)
    return describe(dataset, after) ?? (yield* new DatasetNotOwned({ operation: "use dataset", dataset, detail: "it is no volume" }))
  })

  const ensureBlock = Effect.fn("StorageEngine.ensureBlockVolume")(function*(spec: Volume.BlockVolumeSpec) {
    const dataset = yield* datasetOf(spec.name)
    const marks = yield* datasets.checkedMarks({ ...spec.properties, uid: spec.owner, volume: spec.name }, spec.name)
    const options = {
      ...(spec.sparse === undefined ? {} : { sparse: spec.sparse }),
      ...(spec.blockSize === undefined ? {} : { blockSize: spec.blockSize })
    }
    yield* datasets.makeIfMissing(
      dataset,
      spec.from === undefined
        ? zfs.createVolume(dataset, spec.size, Marks.toProperties(marks), options)
        : zfs.clone(spec.from, dataset, Marks.toProperties(marks))
    )
    const found = yield* datasets.owned(dataset, spec.owner)
    const block = Math.max(512, numberOf(found, "volblocksize"))
    const wanted = Math.ceil(spec.size / block) * block
    const size = numberOf(found, "volsize")
    if (wanted < size) {
      return yield* new PropertyRejected({ operation: "shrink volume", dataset, detail: `it has ${size} bytes; a smaller device would lose data` })
    }
    const after = yield* datasets.update(dataset, spec.owner, found, marks, { volsize: wanted })
    const result: Volume.BlockVolume = {
      dataset,
      name: spec.name,
      owner: spec.owner,
      size: numberOf(after, "volsize"),
      used: numberOf(after, "used"),
      rawDevice: `/dev/zvol/rdsk/${dataset}`,
      properties: Marks.read(after)
    }
    return result
  })

  const destroy = Effect.fn("StorageEngine.destroyVolume")(function*(name: string, owner: string) {
    const dataset = yield* datasetOf(name)
    const found = yield* Effect.catchTags(datasets.owned(dataset, owner), { DatasetNotFound: () => Effect.succeed(undefined) })
    if (found !== undefined) yield* datasets.destroy(dataset)
  })

  const list: Effect.Effect<ReadonlyArray<Volume.Volume>, StorageError> = Effect.map(
    Effect.catchTags(zfs.getTree(volumes, "all", 1), { DatasetNotFound: () => Effect.succeed(new Map<never, never>()) }),
    (table) => [...table].flatMap(([name, properties]) => DatasetName.is(name) && name !== volumes ? describe(name, properties) ?? [] : [])
  )

  const snapshotsIn = (dataset: Dataset) =>
    Effect.map(zfs.list(dataset, { depth: 1, types: ["snapshot"], properties: snapshotProperties }), (entries) =>
      entries.flatMap(({ createtxg, name, properties, referenced, used }): ReadonlyArray<Volume.VolumeSnapshot> =>
        DatasetName.isSnapshot(name) ? [{ name, guid: properties.get("guid")?.value ?? "", createtxg, referenced, used }] : []
      ).sort((a, b) => a.createtxg - b.createtxg))

  const snapshots = (name: string) => Effect.flatMap(datasetOf(name), snapshotsIn)

  const takeSnapshot = Effect.fn("StorageEngine.snapshotVolume")(function*(name: string, snapshot: string) {
    const full = yield* snapshotOf(name, snapshot)
    yield* Effect.catchTags(zfs.snapshot(full), { DatasetExists: () => Effect.void })
    return full
  })

  const destroySnapshot = (name: string, snapshot: string): Effect.Effect<void, StorageError> =>
    Effect.flatMap(snapshotOf(name, snapshot), (full) =>
      Effect.catchTags(zfs.destroy(full, { deferred: true }), { DatasetNotFound: () => Effect.void }))

  const rollback = (name: string, snapshot: string): Effect.Effect<void, StorageError> =>
    Effect.flatMap(snapshotOf(name, snapshot), (full) =>
      Effect.retry(zfs.rollback(full, { destroyNewer: true }), { times: 5, while: (error) => error._tag === "DatasetBusy" }))

  const send = (name: string, snapshot: string, options: { readonly from?: string } = {}): Stream.Stream<Uint8Array, StorageError> =>
    Stream.unwrap(Effect.gen(function*() {
      const full = yield* snapshotOf(name, snapshot)
      const from = options.from === undefined ? undefined : yield* snapshotOf(name, options.from)
      return zfs.send(full, from === undefined ? {} : { from })
    }))

  const incomingOf = (name: string) => Effect.flatMap(datasetOf(name), () => datasets.named(volumes, `${incomingPrefix}${name}`, "volume"))

  /** What a transfer to this name has left behind, and what a complete one has brought. */
  const arrival = Effect.fnUntraced(function*(name: string) {
    const dataset = yield* incomingOf(name)
    const found = yield* Effect.catchTags(datasets.read(dataset), { DatasetNotFound: () => Effect.succeed(undefined) })
    if (found === undefined) return undefined
    const token = found.get("receive_resume_token")?.value
    return { dataset, token: token === undefined || token === "-" ? undefined : token, snapshots: yield* snapshotsIn(dataset) }
  })

  const resumable = <E>(target: Dataset, stream: Stream.Stream<Uint8Array, E>, options: { readonly rollback?: boolean }) =>
    Effect.catchIf(
      zfs.receive(target, stream, { unmounted: true, resumable: true, ...options }),
      (error) => typeof error === "object" && error !== null && "_tag" in error && error._tag === "NotSupported",
      // The stream begins anew with each run.
      () => zfs.receive(target, stream, { unmounted: true, ...options })
    )

  /** Gives a complete transfer its marks and its name. Every step can be repeated. */
  const finish = Effect.fnUntraced(function*(name: string, owner: string) {
    const [incoming, dataset] = [yield* incomingOf(name), yield* datasetOf(name)]
    for (const [mark, value] of Object.entries({ uid: owner, volume: name })) yield* zfs.set(incoming, `${Marks.prefix}${mark}`, value)
    yield* Effect.retry(zfs.rename(incoming, dataset), { times: 5, while: (error) => error._tag === "DatasetBusy" })
    yield* datasets.ensureMounted(dataset)
  })

  const receive = Effect.fn("StorageEngine.receiveVolume")(function*<E>(
    target: { readonly name: string; readonly owner: string; readonly discardChanges?: boolean | undefined },
    stream: Stream.Stream<Uint8Array, E>
  ) {
    yield* datasets.checkedMarks({ uid: target.owner, volume: target.name }, target.name)
    const dataset = yield* datasetOf(target.name)
    const existing = yield* Effect.catchTags(datasets.owned(dataset, target.owner), { DatasetNotFound: () => Effect.succeed(undefined) })
    if (existing === undefined) {
      yield* resumable(yield* incomingOf(target.name), stream, {})
      yield* finish(target.name, target.owner)
    } else yield* resumable(dataset, stream, { rollback: target.discardChanges === true })
  })

  const discardArrival = (name: string): Effect.Effect<void, StorageError> => Effect.flatMap(incomingOf(name), datasets.destroy)

  return {
    ensure, ensureBlock, destroy, list, snapshots, takeSnapshot, destroySnapshot, rollback, send, receive,
    arrival, finish, discardArrival, resume: zfs.sendResume
  }
}
