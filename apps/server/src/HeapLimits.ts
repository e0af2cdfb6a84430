/**
 * Keeps the engine from taking memory just because the machine has it. By itself it lets the space for new objects grow to
 * 128 MB and waits until the heap is several times what is in use; a control plane shares its machine with what it controls.
 * Collecting a small heap often costs more than it saves: with 10,000 pods under writes, half of all processor time that is not the
 * main thread's.
 */
import { Effect, Layer, Schedule } from "effect"
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"

const mebibyte = 1024 * 1024

/** The space for new objects grows up to this many bytes: two halves of 16 MB. */
const youngBytes = 32 * mebibyte

/**
 * By how much of what is in use the heap may grow until it is collected, in percent: a server without work stays small, one with work and
 * few objects is not held up, and one with many does not keep half as much garbage as objects.
 */
const growthOf = (usedBytes: number): number => usedBytes < 40 * mebibyte || usedBytes > 96 * mebibyte ? 50 : 150

const sizes = (): { readonly young: number; readonly old: number } => {
  const spaces = getHeapSpaceStatistics()
  const find = (name: string) => spaces.find(({ space_name }) => space_name === name)
  return { young: find("new_space")?.space_size ?? 0, old: find("old_space")?.space_used_size ?? 0 }
}

/** Bounds the heap of this process as long as the scope lives. */
export const layer: Layer.Layer<never> = Layer.scopedDiscard(
  Effect.gen(function*() {
    let flags = ""
    // The engine has no bounds that can be set while it runs, but it asks each time by how much a space may grow.
    const govern = Effect.sync(() => {
      const { old, young } = sizes()
      const next = [
        `--semi-space-growth-factor=${young < youngBytes ? 2 : 1}`,
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
 * by half, which on a quiet server may take hours.
 */
export const collectAfterStart: Layer.Layer<never> = Layer.scopedDiscard(Effect.forkScoped(Effect.delay(collect, "3 seconds")))
