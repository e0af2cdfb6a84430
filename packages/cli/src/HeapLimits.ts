/**
 * Keeps the engine from taking memory just because the machine has it. By itself it lets the space for new objects grow to
 * 128 MB and waits until the heap is several times what is in use; what runs a machine shares it with what the machine is for.
 */
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

const collect = Effect.sync(() => {
  setFlagsFromString("--expose-gc")
  const gc: unknown = runInNewContext("gc")
  if (typeof gc === "function") gc()
})

/**
 * Collects once what the start has left behind, some seconds after this layer is built. The engine would keep it until the heap has grown
 * by half, which in a quiet program may take hours.
 *
 * @category layers
 */
export const collectAfterStart: Layer.Layer<never> = Layer.scopedDiscard(Effect.forkScoped(Effect.delay(collect, "3 seconds")))
