/**
 * Keeps the engine from taking memory just because the machine has it. By itself it lets the space for new objects grow to
 * 128 MB and waits until the heap is several times what is in use; what runs a machine shares it with what the machine is for.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"

/**
 * How far the heap of a program may grow.
 *
 * @category models
 */
export interface Limits {
  /**
   * The space for new objects grows up to so many bytes, always or by the bytes in use beside it. Collecting a small one often costs more than
   * it saves under much work.
   */
  readonly youngBytes: number | ((usedBytes: number) => number)
  /** By how much of the bytes in use the rest may grow until it is collected, in percent. */
  readonly growthOf: (usedBytes: number) => number
}

const sizes = (): { readonly young: number; readonly old: number } => {
  const spaces = getHeapSpaceStatistics()
  const find = (name: string) => spaces.find(({ space_name }) => space_name === name)
  return { young: find("new_space")?.space_size ?? 0, old: find("old_space")?.space_used_size ?? 0 }
}

/**
 * Bounds the heap of this process as long as the scope lives.
 *
 * @category layers
 */
export const layer = ({ growthOf, youngBytes }: Limits): Layer.Layer<never> =>
  Layer.scopedDiscard(
    Effect.gen(function*() {
      let flags = ""
      // The engine has no bounds that can be set while it runs, but it asks each time by how much a space may grow.
      const govern = Effect.sync(() => {
        const { old, young } = sizes()
        const most = typeof youngBytes === "number" ? youngBytes : youngBytes(old)
        const next = [
          `--semi-space-growth-factor=${young < most ? 2 : 1}`,
          `--heap-growing-percent=${growthOf(old)}`
        ]
        if (next.join() === flags) return
        flags = next.join()
        for (const flag of next) setFlagsFromString(flag)
      })
      yield* Effect.forkScoped(Effect.repeat(govern, Schedule.spaced("500 millis")))
    })
  )

const collector = Effect.sync((): () => void => {
  setFlagsFromString("--expose-gc")
  const gc: unknown = runInNewContext("gc")
  return () => {
    if (typeof gc === "function") gc()
  }
})

const collect = Effect.map(collector, (run) => run())

/**
 * Collects once what the start has left behind, some seconds after this layer is built. The engine would keep it until the heap has grown
 * by half, which in a quiet program may take hours.
 *
 * @category layers
 */
export const collectAfterStart: Layer.Layer<never> = Layer.scopedDiscard(Effect.forkScoped(Effect.delay(collect, "3 seconds")))

/** A program that was awake for a smaller part of this time than this is quiet. */
const quiet = { time: "5 seconds", share: 0.1 } as const

/** It is worth a collection when the heap has grown by more than this part since the last one, and by more than these bytes. */
const worthwhile = { share: 0.1, bytes: 2 * 1024 * 1024 }

/** Between two collections, in milliseconds. */
const pauseMillis = 30_000

/**
 * Whether a heap that had `after` bytes in use when it was collected last, and has `used` now, is to be collected.
 *
 * @category combinators
 */
export const isWorthwhile = (used: number, after: number): boolean => used - after > Math.max(worthwhile.bytes, after * worthwhile.share)

/**
 * Collects what work has left behind as soon as the program is quiet after it, at most twice a minute. The engine would keep it until the heap has
 * grown by a quarter more, which in a quiet program may take hours; it also gives back most of the space for new objects then.
 *
 * @category layers
 */
export const collectWhenQuiet: Layer.Layer<never> = Layer.scopedDiscard(
  Effect.gen(function*() {
    const run = yield* collector
    let after = 0
    let collectedAt = Number.NEGATIVE_INFINITY
    let before = performance.eventLoopUtilization()
    const look = Effect.gen(function*() {
      const now = performance.eventLoopUtilization()
      const { utilization } = performance.eventLoopUtilization(now, before)
      before = now
      const time = yield* Clock.currentTimeMillis
      if (utilization > quiet.share || time - collectedAt < pauseMillis || !isWorthwhile(sizes().old, after)) return
      run()
      after = sizes().old
      collectedAt = time
    })
    yield* Effect.forkScoped(Effect.repeat(Effect.delay(look, quiet.time), Schedule.forever))
  })
)
