/** ZFS datasets of one host as typed operations. */
import { CommandRunner } from "@reddwarf/runtime-illumos"
import type { CommandLine } from "@reddwarf/runtime-illumos"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as DatasetName from "./DatasetName.js"
import * as streams from "./internal/streams.js"
import * as PropertyName from "./PropertyName.js"
import { PropertyRejected, type StorageError, UnreadableZfsOutput } from "./StorageError.js"
import * as ZfsCommands from "./ZfsCommands.js"
import * as ZfsDelegation from "./ZfsDelegation.js"
import * as ZfsFailure from "./ZfsFailure.js"
import * as ZfsOutput from "./ZfsOutput.js"
import * as ZfsSnapshotCommands from "./ZfsSnapshotCommands.js"
import * as ZpoolCommands from "./ZpoolCommands.js"
import * as ZpoolStatus from "./ZpoolStatus.js"

/** What `list` tells about a dataset; sizes in bytes. @category models */
export interface DatasetEntry {
  readonly name: DatasetName.DatasetName | DatasetName.SnapshotName
  /** `filesystem`, `volume` or `snapshot`. */
  readonly type: string
  /** With descendants and snapshots. Of a snapshot: what only it keeps. */
  readonly used: number
  /** What the dataset itself refers to. */
  readonly referenced: number
  /** Absent for a snapshot. */
  readonly available?: number
  /** A path, `none` or `legacy`; absent for a volume or snapshot. */
  readonly mountpoint?: string
  /** The snapshot a clone was made from. */
  readonly origin?: string
  /** Transaction group of its creation: orders snapshots, where `creation` has ties. */
  readonly createtxg: number
  /** Values that were asked for and are set, by name, with their source. */
  readonly properties: ReadonlyMap<string, ZfsOutput.PropertyValue>
}

type Dataset = DatasetName.DatasetName
type Snapshot = DatasetName.SnapshotName
type Done = Effect.Effect<void, StorageError>

const listed = ["type", "used", "referenced", "available", "mountpoint", "origin", "createtxg"]

/**
 * zfs and zpool of one host. Names and values are validated before a command exists, numbers are exact, refusals typed. Every operation
 * is one command and can be repeated; none retries by itself.
 *
 * @category services
 */
export class Zfs extends Context.Tag("@reddwarf/storage-zfs/Zfs")<Zfs, {
  /** Fails with `DatasetNotMounted` when the dataset was made but could not be mounted, `DatasetExists` when it was there (not with `parents`). */
  readonly create: (name: Dataset, properties?: ZfsCommands.Properties, options?: { readonly parents?: boolean }) => Done
  /** A volume of `size` bytes, rounded up to the block size. Not every ZFS has volumes. */
  readonly createVolume: (
    name: Dataset,
    size: number,
    properties?: ZfsCommands.Properties,
    options?: { readonly parents?: boolean; readonly sparse?: boolean; readonly blockSize?: number }
  ) => Done
  /** `DatasetNotFound` when it is missing, `DatasetBusy`, `DatasetHasChildren` or `DatasetHasClones` when something depends on it. */
  readonly destroy: (name: Dataset | Snapshot, options?: Omit<ZfsCommands.DestroyOptions, "dryRun">) => Done
  /** What `destroy` would do, and the bytes it would free. Not every ZFS can tell. */
  readonly previewDestroy: (
    name: Dataset | Snapshot,
    options?: Omit<ZfsCommands.DestroyOptions, "dryRun">
  ) => Effect.Effect<ZfsOutput.DestroyPreview, StorageError>
  /** `root` and what is below it, snapshots included, parents before children; with `properties`, those too. */
  readonly list: (
    root: Dataset,
    options?: {
      /** Levels below `root`; snapshots are one level below their dataset. Default `all`. */
      readonly depth?: number | "all"
      /** Default all types. */
      readonly types?: ReadonlyArray<ZfsCommands.DatasetType>
      /** Native or user properties to read. */
      readonly properties?: ReadonlyArray<string>
    }
  ) => Effect.Effect<ReadonlyArray<DatasetEntry>, StorageError>
  /** Properties of one dataset by name; `all` includes its user properties. */
  readonly get: (
    name: Dataset | Snapshot,
    properties: ReadonlyArray<string> | "all"
  ) => Effect.Effect<ReadonlyMap<string, ZfsOutput.PropertyValue>, StorageError>
  /** Properties of a dataset and of what is below it. */
  readonly getTree: (
    root: Dataset,
    properties: ReadonlyArray<string> | "all",
    depth: number | "all",
    /** Only values from there. Default from anywhere. */
    sources?: ZfsCommands.Sources
  ) => Effect.Effect<ZfsOutput.PropertyTable, StorageError>
  readonly set: (name: Dataset | Snapshot, property: string, value: string) => Done
  readonly inherit: (
    name: Dataset | Snapshot,
    property: string,
    options?: { readonly recursive?: boolean; readonly received?: boolean }
  ) => Done
  readonly snapshot: (name: Snapshot, options?: { readonly recursive?: boolean; readonly properties?: ZfsCommands.Properties }) => Done
  readonly clone: (source: Snapshot, target: Dataset, properties?: ZfsCommands.Properties, options?: { readonly parents?: boolean }) => Done
  readonly promote: (name: Dataset) => Done
  readonly rename: (
    from: Dataset | Snapshot,
    to: Dataset | Snapshot,
    options?: { readonly parents?: boolean; readonly recursive?: boolean }
  ) => Done
  readonly rollback: (name: Snapshot, options?: { readonly destroyNewer?: boolean; readonly destroyClones?: boolean }) => Done
  readonly mount: (name: Dataset) => Done
  readonly unmount: (name: Dataset, options?: { readonly force?: boolean }) => Done
  /** Keeps a snapshot from being destroyed. `HoldExists` when the tag is on it already. */
  readonly hold: (tag: string, name: Snapshot, options?: { readonly recursive?: boolean }) => Done
  /** `HoldNotFound` when the tag is not on it. */
  readonly release: (tag: string, name: Snapshot, options?: { readonly recursive?: boolean }) => Done
  /** Who holds a snapshot. Their number is also its property `userrefs`, which every ZFS can tell. */
  readonly holds: (name: Snapshot) => Effect.Effect<ReadonlyArray<ZfsOutput.Hold>, StorageError>
  /** A snapshot as bytes that only `receive` understands. Fails when nothing moves for 10 minutes. */
  readonly send: (name: Snapshot, options?: ZfsSnapshotCommands.SendOptions) => Stream.Stream<Uint8Array, StorageError>
  /** The rest of a stream that was cut; the token is `receive_resume_token` of the receiving dataset. */
  readonly sendResume: (token: string) => Stream.Stream<Uint8Array, StorageError>
  /** Makes a dataset or a snapshot from what `send` gave. A failure of the stream is the failure of the whole. */
  readonly receive: <E>(
    target: Dataset | Snapshot,
    stream: Stream.Stream<Uint8Array, E>,
    options?: ZfsSnapshotCommands.ReceiveOptions
  ) => Effect.Effect<void, StorageError | E>
  /** Throws away what arrived of a cut stream. */
  readonly abortReceive: (target: Dataset) => Done
  readonly allow: (name: Dataset, grantee: ZfsDelegation.Grantee, permissions: ReadonlyArray<string>, scope?: ZfsDelegation.Scope) => Done
  readonly unallow: (name: Dataset, grantee: ZfsDelegation.Grantee, permissions?: ReadonlyArray<string>, scope?: ZfsDelegation.Scope) => Done
  readonly grants: (name: Dataset) => Effect.Effect<ReadonlyArray<ZfsDelegation.Grant>, StorageError>
  /** Exact where zpool knows `-p`, else as rounded as zpool prints it. */
  readonly pool: (name: Dataset) => Effect.Effect<ZfsOutput.PoolRow, StorageError>
  /** Every pool of the host. */
  readonly pools: Effect.Effect<ReadonlyArray<ZfsOutput.PoolRow>, StorageError>
  /** Devices, errors and the last scrub of a pool. */
  readonly poolStatus: (name: Dataset) => Effect.Effect<ZpoolStatus.Status, StorageError>
}>() {}

const entryOf = (
  name: string,
  properties: ReadonlyMap<string, ZfsOutput.PropertyValue>,
  wanted: ReadonlyArray<string>
): ReadonlyArray<DatasetEntry> => {
  if (!DatasetName.is(name) && !DatasetName.isSnapshot(name)) return []
  const text = (property: string): string | undefined => {
    const value = properties.get(property)?.value
    return value === "-" ? undefined : value
  }
  const available = text("available")
  const mountpoint = text("mountpoint")
  const origin = text("origin")
  return [{
    name,
    type: text("type") ?? "",
    used: Number(text("used") ?? 0),
    referenced: Number(text("referenced") ?? 0),
    createtxg: Number(text("createtxg") ?? 0),
    ...(available === undefined ? {} : { available: Number(available) }),
    ...(mountpoint === undefined ? {} : { mountpoint }),
    ...(origin === undefined ? {} : { origin }),
    properties: new Map(wanted.flatMap((property) => {
      const found = properties.get(property)
      return found === undefined || found.value === "-" ? [] : [[property, found] as const]
    }))
  }]
}

/**
 * The live service.
 *
 * @category layers
 */
export const layer: Layer.Layer<Zfs, never, CommandRunner.CommandRunner> = Layer.effect(
  Zfs,
  Effect.gen(function*() {
    const runner = yield* CommandRunner.CommandRunner

    const output = (operation: string, dataset: string, line: CommandLine.CommandLine) =>
      Effect.flatMap(runner.run(line), (result) =>
        result.exitCode === 0
          ? Effect.succeed(result.stdout)
          : Effect.fail(ZfsFailure.classify(operation, dataset, result)))
    const done = (operation: string, dataset: string, line: CommandLine.CommandLine) =>
      Effect.asVoid(output(operation, dataset, line))
    /** Runs the command when there is nothing wrong with what it was made from. */
    const checked = (operation: string, dataset: string, wrong: string | undefined, line: CommandLine.CommandLine) =>
      wrong === undefined
        ? done(operation, dataset, line)
        : Effect.fail(new PropertyRejected({ operation, dataset, detail: wrong }))

    const names = (properties: ReadonlyArray<string> | "all"): string | undefined => {
      const bad = properties === "all" ? undefined : properties.find((name) => !PropertyName.is(name))
      return bad === undefined ? undefined : `'${bad}' is no property name`
    }

    const getTree = (root: Dataset | Snapshot, properties: ReadonlyArray<string> | "all", depth?: number | "all", sources?: ZfsCommands.Sources) => {
      const operation = "read properties of"
      const wrong = names(properties)
      return wrong !== undefined
        ? Effect.fail(new PropertyRejected({ operation, dataset: root, detail: wrong }))
        : Effect.map(
          output(operation, root, ZfsCommands.get(root, properties, { ...(depth === undefined ? {} : { depth }), ...(sources === undefined ? {} : { sources }) })),
          ZfsOutput.parseProperties
        )
    }

    /** The exact form where zpool knows it; exit 2 is a usage error of one that has no `-p`. */
    const poolRows = Effect.fnUntraced(function*(name: string, line: CommandLine.CommandLine, rounded: CommandLine.CommandLine) {
      const exact = yield* runner.run(line)
      if (exact.exitCode === 0) return exact.stdout
      return exact.exitCode === 2
        ? yield* output("read pool", name, rounded)
        : yield* Effect.fail(ZfsFailure.classify("read pool", name, exact))
    })

    const pool = Effect.fnUntraced(function*(name: Dataset) {
      const text = yield* poolRows(name, ZpoolCommands.list(name), ZpoolCommands.listRounded(name))
      const row = ZfsOutput.parsePool(text.trimEnd())
      return row ?? (yield* new UnreadableZfsOutput({ operation: "read pool", dataset: name, detail: text.slice(0, 200) }))
    })

    const poolStatus = Effect.fnUntraced(function*(name: Dataset) {
      const text = yield* output("read the state of pool", name, ZpoolCommands.status(name))
      const found = ZpoolStatus.parse(text).find((status) => status.pool === name)
      return found ?? (yield* new UnreadableZfsOutput({ operation: "read the state of pool", dataset: name, detail: text.slice(0, 200) }))
    })

    const sizeProblem = (size: number, blockSize: number | undefined): string | undefined => {
      if (!Number.isSafeInteger(size) || size <= 0) return `a volume cannot have ${size} bytes`
      return blockSize === undefined || (Number.isInteger(Math.log2(blockSize)) && blockSize >= 512 && blockSize <= 131_072)
        ? undefined
        : `a block of a volume is a power of 2 from 512 to 131072 bytes, not ${blockSize}`
    }

    const tagProblem = (tag: string): string | undefined => PropertyName.isTag(tag) ? undefined : `'${tag}' is no tag for a hold`

    const grantProblem = (grantee: ZfsDelegation.Grantee, permissions: ReadonlyArray<string>): string | undefined => {
      const words = grantee.kind === "everyone" ? permissions : [grantee.name, ...permissions]
      const bad = words.find((word) => !ZfsDelegation.isName(word))
      return bad === undefined ? undefined : `'${bad}' is no name of a user, group or permission`
    }

    return Zfs.of({
      create: (name, properties = {}, options) =>
        checked("create dataset", name, PropertyName.problem(properties), ZfsCommands.create(name, properties, options)),
      createVolume: (name, size, properties = {}, options) =>
        checked(
          "create volume",
          name,
          sizeProblem(size, options?.blockSize) ?? PropertyName.problem(properties),
          ZfsCommands.createVolume(name, size, properties, options)
        ),
      destroy: (name, options) => done("destroy", name, ZfsCommands.destroy(name, options)),
      previewDestroy: (name, options) =>
        Effect.map(
          output("preview destroying", name, ZfsCommands.destroy(name, { ...options, dryRun: true })),
          ZfsOutput.parseDestroyPreview
        ),
      list: (root, { depth = "all", properties = [], types } = {}) =>
        Effect.map(
          getTree(root, [...new Set([...listed, ...properties])], depth),
          (table) =>
            [...table]
              .flatMap(([name, found]) => entryOf(name, found, properties))
              .filter((entry) => types === undefined || types.some((type) => type === entry.type))
        ),
      get: (name, properties) =>
        Effect.flatMap(getTree(name, properties), (table) => {
          const found = table.get(name)
          return found === undefined
            ? Effect.fail(new UnreadableZfsOutput({ operation: "read properties of", dataset: name, detail: "nothing printed" }))
            : Effect.succeed(found)
        }),
      getTree,
      set: (name, property, value) =>
        checked(`set ${property} of`, name, PropertyName.problem({ [property]: value }), ZfsCommands.set(name, property, value)),
      inherit: (name, property, options) =>
        checked(`inherit ${property} of`, name, names([property]), ZfsCommands.inherit(name, property, options)),
      snapshot: (name, { properties = {}, recursive = false } = {}) =>
        checked("create snapshot", name, PropertyName.problem(properties), ZfsCommands.snapshot(name, properties, { recursive })),
      clone: (source, target, properties = {}, options) =>
        checked(`clone ${source} to`, target, PropertyName.problem(properties), ZfsCommands.clone(source, target, properties, options)),
      promote: (name) => done("promote", name, ZfsCommands.promote(name)),
      rename: (from, to, options) => done(`rename to ${to} dataset`, from, ZfsCommands.rename(from, to, options)),
      rollback: (name, options) => done("roll back to", name, ZfsCommands.rollback(name, options)),
      mount: (name) => done("mount", name, ZfsCommands.mount(name)),
      unmount: (name, options) => done("unmount", name, ZfsCommands.unmount(name, options)),
      hold: (tag, name, options) => checked("hold", name, tagProblem(tag), ZfsSnapshotCommands.hold(tag, [name], options)),
      release: (tag, name, options) => checked("release", name, tagProblem(tag), ZfsSnapshotCommands.release(tag, [name], options)),
      holds: (name) => Effect.map(output("read the holds of", name, ZfsSnapshotCommands.holds([name])), ZfsOutput.parseHolds),
      send: (name, options) => streams.send(runner, "send", name, ZfsSnapshotCommands.send(name, options)),
      sendResume: (token) =>
        /^[0-9a-zA-Z-]{1,4096}$/.test(token)
          ? streams.send(runner, "resume sending", "a cut stream", ZfsSnapshotCommands.sendResume(token))
          : Stream.fail(new PropertyRejected({ operation: "resume sending", dataset: "a cut stream", detail: "this is no resume token" })),
      receive: (target, stream, options = {}) => {
        const wrong = PropertyName.problem(options.properties ?? {})
        return wrong === undefined
          ? streams.receive(runner, "receive", target, ZfsSnapshotCommands.receive(target, options), stream)
          : Effect.fail(new PropertyRejected({ operation: "receive", dataset: target, detail: wrong }))
      },
      abortReceive: (target) => done("abort receiving", target, ZfsSnapshotCommands.abortReceive(target)),
      allow: (name, grantee, permissions, scope) =>
        checked("allow on", name, grantProblem(grantee, permissions), ZfsDelegation.allow(name, grantee, permissions, scope)),
      unallow: (name, grantee, permissions = [], scope) =>
        checked("unallow on", name, grantProblem(grantee, permissions), ZfsDelegation.unallow(name, grantee, permissions, scope)),
      grants: (name) => Effect.map(output("read permissions on", name, ZfsDelegation.show(name)), ZfsDelegation.parse),
      pool,
      pools: Effect.map(poolRows("all", ZpoolCommands.listAll, ZpoolCommands.listAllRounded), ZfsOutput.parsePools),
      poolStatus
    })
  })
)
