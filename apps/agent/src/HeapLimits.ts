/** How far the heaps of an agent and of a supervisor may grow: both are there for the zones, to which the memory of the host belongs. */
import { HeapLimits } from "@reddwarf/cli"
import { Layer } from "effect"

const mebibyte = 1024 * 1024

/**
 * Bounds the heap of an agent: the space for new objects is two halves of 1 MB with few pods, of 4 MB with hundreds, whose looks leave more
 * behind; and a quarter of what is in use may be garbage, until there is nothing to do.
 */
export const agent: Layer.Layer<never> = Layer.merge(
  HeapLimits.layer({ youngBytes: (usedBytes) => usedBytes < 40 * mebibyte ? 2 * mebibyte : 8 * mebibyte, growthOf: () => 25 }),
  HeapLimits.collectWhenQuiet
)

/** Bounds the heap of a supervisor. It starts processes, and the larger a process is the longer that takes. */
export const supervisor: Layer.Layer<never> = Layer.merge(HeapLimits.layer({ youngBytes: 2 * mebibyte, growthOf: () => 25 }), HeapLimits.collectWhenQuiet)

/** Bounds the heap of a simulated host, which with each command reads and writes the state of all zones. */
export const simulatedHost: Layer.Layer<never> = HeapLimits.layer({ youngBytes: 8 * mebibyte, growthOf: () => 50 })
