/**
 * How far the heap of a server may grow. Collecting a small heap often costs more than it saves: with 10,000 pods under writes, half of
 * all processor time that is not the main thread's.
 */
import { HeapLimits } from "@reddwarf/cli"
import type { Layer } from "effect"

const mebibyte = 1024 * 1024

/**
 * By how much of what is in use the heap may grow until it is collected, in percent: a server without work stays small, one with work and
 * few objects is not held up, and one with many does not keep half as much garbage as objects.
 */
const growthOf = (usedBytes: number): number => usedBytes < 40 * mebibyte || usedBytes > 96 * mebibyte ? 50 : 150

/** Bounds the heap of this process as long as the scope lives. The space for new objects: two halves of 16 MB. */
export const layer: Layer.Layer<never> = HeapLimits.layer({ youngBytes: 32 * mebibyte, growthOf })

/** Collects once what the start has left behind. */
export const collectAfterStart: Layer.Layer<never> = HeapLimits.collectAfterStart
