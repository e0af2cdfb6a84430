/** Which boot of the host the last agent ran on, and whether it ended in order: `ledger/boot` in the data directory. */
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as ledgerRecord from "../internal/ledgerRecord.js"
import type { SupervisorFileFailed } from "../supervisor/SupervisorError.js"

const Step = Schema.Struct({
  name: Schema.String,
  result: Schema.Literal("done", "failed", "timedOut"),
  /** Milliseconds. */
  took: Schema.Number,
  detail: Schema.optional(Schema.String)
})

/** How one step of a recovery ended. @category models */
export type StepResult = Schema.Schema.Type<typeof Step>

const Body = Schema.Struct({
  bootId: Schema.String,
  /** Set by an agent that ended in order, taken away by the next one. */
  clean: Schema.Boolean,
  steps: Schema.Array(Step)
})

/** @category models */
export type Boot = Schema.Schema.Type<typeof Body>

/**
 * What has to be done before pods are worked on: nothing after a mere restart of the agent, a look at the host after a boot that followed an
 * orderly end, everything after a crash.
 *
 * @category models
 */
export type RecoveryKind = "none" | "short" | "full"

/** @category constructors */
export const kindOf = (before: Option.Option<Boot>, bootId: string): RecoveryKind =>
  Option.match(before, {
    // A first start, or a record that was lost: nothing is known, so everything is looked at.
    onNone: () => "full",
    onSome: (boot) => boot.bootId === bootId ? "none" : boot.clean ? "short" : "full"
  })

/** @category models */
export interface BootRecord {
  readonly before: Option.Option<Boot>
  /** Whether there was a record and no copy of it was good. */
  readonly wasLost: boolean
  readonly write: (boot: Boot) => Effect.Effect<void, SupervisorFileFailed, FileSystem.FileSystem>
}

/** Reads the record. Fails for one of a newer version. @category constructors */
export const open = (dataDir: string): Effect.Effect<BootRecord, SupervisorFileFailed, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const record = ledgerRecord.make(`${dataDir}/ledger/boot`, 1, Body)
    const found = yield* record.read
    let sequence = found.sequence
    return {
      before: found.body,
      wasLost: Option.isNone(found.body) && found.problems.length > 0,
      write: (boot) => Effect.suspend(() => record.write(boot, ++sequence))
    }
  })
