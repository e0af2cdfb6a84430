/** What a process uses, under the names that Prometheus' own client libraries give it. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import { readdir } from "node:fs/promises"

const cpuSeconds = Metric.counter("process_cpu_seconds_total", { description: "Seconds of user and system CPU time", incremental: true })
const residentBytes = Metric.gauge("process_resident_memory_bytes", { description: "Resident memory in bytes" })
const startSeconds = Metric.gauge("process_start_time_seconds", { description: "Start of the process, seconds since the epoch" })
const openFiles = Metric.gauge("process_open_fds", { description: "Open file descriptors" })
const heapUsed = Metric.gauge("nodejs_heap_size_used_bytes", { description: "Heap of the runtime in use, bytes" })
const heapTotal = Metric.gauge("nodejs_heap_size_total_bytes", { description: "Heap of the runtime, bytes" })
const buildInfo = Metric.gauge("reddwarf_build_info", { description: "1, with the component and its version as labels" })

/** Microseconds that are counted already. */
let countedMicros = 0

/** Absent where the system does not show a process its descriptors. */
const descriptors = Effect.option(Effect.tryPromise(() => readdir("/proc/self/fd")))

/**
 * Reads what the process uses now into the metrics. To be run before each look at them; costs less than a millisecond.
 *
 * @category constructors
 */
export const refresh: Effect.Effect<void> = Effect.gen(function*() {
  const { system, user } = process.cpuUsage()
  const { heapTotal: total, heapUsed: used, rss } = process.memoryUsage()
  const now = yield* Clock.currentTimeMillis
  const open = yield* descriptors
  const micros = user + system
  yield* Metric.incrementBy(cpuSeconds, (micros - countedMicros) / 1e6)
  countedMicros = micros
  yield* Metric.set(residentBytes, rss)
  yield* Metric.set(startSeconds, Math.round(now / 1000 - process.uptime()))
  yield* Metric.set(heapUsed, used)
  yield* Metric.set(heapTotal, total)
  if (open._tag === "Some") yield* Metric.set(openFiles, open.value.length)
})

/**
 * Says which program this is.
 *
 * @category constructors
 */
export const identify = (component: string, version: string): Effect.Effect<void> =>
  Metric.set(buildInfo.pipe(Metric.tagged("component", component), Metric.tagged("version", version)), 1)
