/** ZFS datasets of one host as typed operations. */
import { CommandRunner } from "@reddwarf/runtime-illumos"
import type { CommandLine } from "@reddwarf/runtime-illumos"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as DatasetName from "./DatasetName.js"
import { type StorageError, UnreadableZfsOutput } from "./StorageError.js"
import * as ZfsCommands from "./ZfsCommands.js"
import * as ZfsFailure from "./ZfsFailure.js"
import * as ZfsOutput from "./ZfsOutput.js"
import * as ZpoolCommands from "./ZpoolCommands.js"

/** What `list` tells about a dataset; sizes in bytes. @category models */
export interface DatasetEntry {
  readonly name: DatasetName.DatasetName | DatasetName.SnapshotName
  /** `filesystem`, `volume` or `snapshot`. */
  readonly type: string
  readonly used: number
  readonly referenced: number
  /** Absent for a snapshot. */
  readonly available?: number
  /** A path, `none` or `legacy`; absent for a volume or snapshot. */
  readonly mountpoint?: string
  /** The snapshot a clone was made from. */
  readonly origin?: string
}

const listed = ["type", "used", "referenced", "available", "mountpoint", "origin"]

/**
 * zfs and zpool of one host. Names are validated, numbers exact, refusals typed.
 *
 * @category services
 */
export class Zfs extends Context.Tag("@reddwarf/storage-zfs/Zfs")<Zfs, {
  /** Fails with `DatasetNotMounted` when the dataset was made but could not be mounted. */
  readonly create: (
    name: DatasetName.DatasetName,
    properties?: ZfsCommands.Properties,
    options?: { readonly parents?: boolean }
  ) => Effect.Effect<void, StorageError>
  readonly destroy: (
    name: DatasetName.DatasetName | DatasetName.SnapshotName,
    options?: { readonly recursive?: boolean; readonly force?: boolean }
  ) => Effect.Effect<void, StorageError>
  /** `root` and what is below it, snapshots included, parents before children. */
  readonly list: (
    root: DatasetName.DatasetName,
    options?: { readonly depth?: number | "all" }
  ) => Effect.Effect<ReadonlyArray<DatasetEntry>, StorageError>
  /** Properties of one dataset by name. */
  readonly get: (
    name: DatasetName.DatasetName | DatasetName.SnapshotName,
    properties: ReadonlyArray<string> | "all"
  ) => Effect.Effect<ReadonlyMap<string, ZfsOutput.PropertyValue>, StorageError>
  /** Properties of a dataset and of what is below it. */
  readonly getTree: (
    root: DatasetName.DatasetName,
    properties: ReadonlyArray<string> | "all",
    depth: number | "all"
  ) => Effect.Effect<ZfsOutput.PropertyTable, StorageError>
  readonly set: (name: DatasetName.DatasetName, property: string, value: string) => Effect.Effect<void, StorageError>
  readonly inherit: (name: DatasetName.DatasetName, property: string) => Effect.Effect<void, StorageError>
  readonly snapshot: (
    name: DatasetName.SnapshotName,
    options?: { readonly recursive?: boolean; readonly properties?: ZfsCommands.Properties }
  ) => Effect.Effect<void, StorageError>
  readonly clone: (
    source: DatasetName.SnapshotName,
    target: DatasetName.DatasetName,
    properties?: ZfsCommands.Properties
  ) => Effect.Effect<void, StorageError>
  readonly promote: (name: DatasetName.DatasetName) => Effect.Effect<void, StorageError>
  readonly mount: (name: DatasetName.DatasetName) => Effect.Effect<void, StorageError>
  readonly unmount: (
    name: DatasetName.DatasetName,
    options?: { readonly force?: boolean }
  ) => Effect.Effect<void, StorageError>
  /** Exact where zpool knows `-p`, else as rounded as zpool prints it. */
  readonly pool: (name: DatasetName.DatasetName) => Effect.Effect<ZfsOutput.PoolRow, StorageError>
}>() {}

const entryOf = (name: string, properties: ReadonlyMap<string, ZfsOutput.PropertyValue>): ReadonlyArray<DatasetEntry> => {
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
    ...(available === undefined ? {} : { available: Number(available) }),
    ...(mountpoint === undefined ? {} : { mountpoint }),
    ...(origin === undefined ? {} : { origin })
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

    const getTree = (
      root: DatasetName.DatasetName | DatasetName.SnapshotName,
      properties: ReadonlyArray<string> | "all",
      depth?: number | "all"
    ) =>
      Effect.map(
        output("read properties of", root, ZfsCommands.get(root, properties, depth === undefined ? {} : { depth })),
        ZfsOutput.parseProperties
      )

    const pool = Effect.fnUntraced(function*(name: DatasetName.DatasetName) {
      const exact = yield* runner.run(ZpoolCommands.list(name))
      // Exit 2 is a usage error: this zpool has no -p.
      const text = exact.exitCode === 2
        ? yield* output("read pool", name, ZpoolCommands.listRounded(name))
        : exact.exitCode === 0
        ? exact.stdout
        : yield* Effect.fail(ZfsFailure.classify("read pool", name, exact))
      const row = ZfsOutput.parsePool(text.trimEnd())
      return row ?? (yield* new UnreadableZfsOutput({ operation: "read pool", dataset: name, detail: text.slice(0, 200) }))
    })

    return Zfs.of({
      create: (name, properties, options) => done("create dataset", name, ZfsCommands.create(name, properties, options)),
      destroy: (name, options) => done("destroy", name, ZfsCommands.destroy(name, options)),
      list: (root, options) =>
        Effect.map(
          getTree(root, listed, options?.depth ?? "all"),
          (table) => [...table].flatMap(([name, properties]) => entryOf(name, properties))
        ),
      get: (name, properties) =>
        Effect.flatMap(getTree(name, properties), (table) => {
          const found = table.get(name)
          return found === undefined
            ? Effect.fail(new UnreadableZfsOutput({ operation: "read properties of", dataset: name, detail: "nothing printed" }))
            : Effect.succeed(found)
        }),
      getTree,
      set: (name, property, value) => done(`set ${property} of`, name, ZfsCommands.set(name, property, value)),
      inherit: (name, property) => done(`inherit ${property} of`, name, ZfsCommands.inherit(name, property)),
      snapshot: (name, options) =>
        done(
          "create snapshot",
          name,
          ZfsCommands.snapshot(name, options?.properties, { recursive: options?.recursive ?? false })
        ),
      clone: (source, target, properties) =>
        done(`clone ${source} to`, target, ZfsCommands.clone(source, target, properties)),
      promote: (name) => done("promote", name, ZfsCommands.promote(name)),
      mount: (name) => done("mount", name, ZfsCommands.mount(name)),
      unmount: (name, options) => done("unmount", name, ZfsCommands.unmount(name, options)),
      pool
    })
  })
)
