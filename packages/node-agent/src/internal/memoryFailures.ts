/**
 * Whether a process died for want of memory. illumos has no killer of processes: an allocation beyond the bound of a zone fails, and the kernel
 * counts that for the zone, not for the process. So it is known of an attempt only that it was killed or gave up by itself (SIGKILL, SIGABRT),
 * with nobody having asked for it, in a zone with a bound that was refused memory while it ran. What merely exceeds physical memory is paged
 * out: that ends nothing, and is not looked at.
 */
import { CommandLine, Kstat } from "@reddwarf/runtime-illumos"
import * as Effect from "effect/Effect"
import * as AllocationFailures from "../supervisor/AllocationFailures.js"
import type * as Files from "../supervisor/SupervisorFiles.js"
import type { PodPlace } from "./containerAttempt.js"

/** Exit statuses of processes that were killed, or that called abort(3C). */
const endings: ReadonlySet<number> = new Set([137, 134])

const counters = CommandLine.withTimeout(
  Kstat.read({ module: "zones", statistic: "zonename" }, { module: "memory_cap", statistic: "anon_alloc_fail" }),
  "5 seconds"
)

/** What the zone of a pod has counted; undefined where it has no bound, where the host does not say, or where it does not run. */
export const read = ({ runner, spec }: Pick<PodPlace, "runner" | "spec">): Effect.Effect<AllocationFailures.AllocationFailures | undefined> =>
  spec.memoryBound !== true ? Effect.succeed(undefined) : Kstat.run(runner, counters).pipe(
    Effect.map((statistics) => {
      const zone = statistics.find(({ module, statistic, value }) => module === "zones" && statistic === "zonename" && value === spec.zone)
      const failures = statistics.find(({ instance, module }) => module === "memory_cap" && instance === zone?.instance)
      const count = Kstat.counterOf(failures?.value ?? "")
      return zone === undefined || count === undefined ? undefined : { zoneId: zone.instance, count: Number(count) }
    }),
    // Why a process ended is worth a look, not a failure.
    Effect.catchAll((error) => Effect.as(Effect.logDebug("how often the zone was refused memory is not known", error), undefined))
  )

/** What is recorded of an attempt that ended with nobody having asked for it; undefined for an ordinary end. */
export const reason = (
  place: Pick<PodPlace, "runner" | "spec">,
  { allocationFailures }: Pick<Files.ContainerState, "allocationFailures">,
  exitCode: number | undefined
): Effect.Effect<{ readonly reason: "OOMKilled" } | undefined> =>
  exitCode === undefined || !endings.has(exitCode) || allocationFailures === undefined
    ? Effect.succeed(undefined)
    : Effect.map(read(place), (now) => AllocationFailures.rose(allocationFailures, now) ? { reason: "OOMKilled" } : undefined)
