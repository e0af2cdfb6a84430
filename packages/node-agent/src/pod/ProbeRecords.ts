/** Where the counting of a pod's probes stands, in a file beside the pod's other records, so that it goes on when the agent is killed. */
import type * as FileSystem from "@effect/platform/FileSystem"
import { ProbeSnapshot } from "@reddwarf/probes"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as durableFile from "../internal/durableFile.js"
import type { SupervisorFileFailed } from "../supervisor/SupervisorError.js"
import * as Paths from "../supervisor/SupervisorPaths.js"

const ProbeRecord = Schema.Struct({
  schema: Schema.Literal(1),
  /** By the name of the container. */
  containers: Schema.Record({ key: Schema.String, value: ProbeSnapshot.ProbeSnapshot })
})

/** Text form of `probes.json`. */
const ProbeRecordJson = Schema.parseJson(ProbeRecord)

const encode = Schema.encodeSync(ProbeRecordJson)

const pathOf = (dataDir: string, uid: string): string => `${Paths.pod(dataDir, uid)}/probes.json`

/**
 * What was written last, by container. What cannot be read counts as nothing: the probes begin anew then, and nothing else is lost.
 *
 * @category constructors
 */
export const read = (
  dataDir: string,
  uid: string
): Effect.Effect<Readonly<Record<string, ProbeSnapshot.ProbeSnapshot>>, never, FileSystem.FileSystem> =>
  durableFile.read(pathOf(dataDir, uid), ProbeRecordJson).pipe(
    Effect.map(Option.match({ onNone: () => ({}), onSome: ({ containers }) => containers })),
    Effect.catchAll((error) => Effect.as(Effect.logWarning("the state of a pod's probes is lost; they begin anew", error), {}))
  )

/**
 * Writes it; the pod's folder must exist.
 *
 * @category combinators
 */
export const write = (
  dataDir: string,
  uid: string,
  containers: Readonly<Record<string, ProbeSnapshot.ProbeSnapshot>>
): Effect.Effect<void, SupervisorFileFailed, FileSystem.FileSystem> =>
  durableFile.write(pathOf(dataDir, uid), encode({ schema: 1, containers }))
