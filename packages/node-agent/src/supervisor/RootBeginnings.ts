/**
 * What the roots of the containers of a pod begin with, as the agent leaves it for the supervisor in `roots.json`: before each further attempt of
 * a container the supervisor gives its root that again, also while there is no agent.
 */
import type * as FileSystem from "@effect/platform/FileSystem"
import { DatasetName } from "@reddwarf/storage-zfs"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as durableFile from "../internal/durableFile.js"
import type { SupervisorFileFailed } from "./SupervisorError.js"
import * as Paths from "./SupervisorPaths.js"

/** @category schemas */
export const RootBeginning = Schema.Struct({
  container: Schema.String,
  /** A snapshot of its root, taken before anything ran in it. */
  snapshot: DatasetName.SnapshotName
})
/** @category models */
export type RootBeginning = typeof RootBeginning.Type

const RootsJson = Schema.parseJson(Schema.Struct({ schema: Schema.Literal(1), roots: Schema.Array(RootBeginning) }), { space: 1 })

const encode = Schema.encodeSync(RootsJson)

/**
 * Takes the place of what was there. The folder of the pod must exist. On disk before the zone boots, so that nothing can run in a root whose
 * beginning is not known.
 *
 * @category constructors
 */
export const write = (
  dataDir: string,
  uid: string,
  roots: ReadonlyArray<RootBeginning>
): Effect.Effect<void, SupervisorFileFailed, FileSystem.FileSystem> => durableFile.write(Paths.roots(dataDir, uid), encode({ schema: 1, roots }))

/**
 * Those of a pod; none where its containers have no roots of their own.
 *
 * @category constructors
 */
export const read = (
  dataDir: string,
  uid: string
): Effect.Effect<ReadonlyArray<RootBeginning>, SupervisorFileFailed, FileSystem.FileSystem> =>
  Effect.map(durableFile.read(Paths.roots(dataDir, uid), RootsJson), Option.match({ onNone: () => [], onSome: ({ roots }) => roots }))
