/**
 * The last two samples of every node, and the usage that lies between them. In memory only, and as large as what runs: a sample replaces
 * the one before. Plain functions, because reads of metrics answer from here at once.
 */
import type { Point, PodSample, UsageSample } from "./UsageSample.js"

/** What was used, on average over a time. @category models */
export interface Usage {
  /** End of the time, milliseconds since the epoch by the clock of the node. */
  readonly time: number
  /** Length of the time in milliseconds. */
  readonly window: number
  /** Nanoseconds of CPU time each second. */
  readonly cpuNanoCores: number
  /** Memory in use at the end, in bytes. */
  readonly memory: number
}

/** @category models */
export interface PodUsage {
  readonly uid: string
  /** The oldest of its containers' times. */
  readonly time: number
  readonly window: number
  readonly containers: ReadonlyArray<{ readonly name: string; readonly usage: Usage }>
}

/** @category models */
export interface MetricsWindow {
  /** A node was asked and answered. */
  readonly add: (node: string, sample: UsageSample) => void
  /** A node did not answer: nothing is known of it until it does. */
  readonly hide: (node: string) => void
  /** A node is gone. */
  readonly forget: (node: string) => void
  readonly node: (name: string) => Usage | undefined
  readonly pod: (namespace: string, name: string) => PodUsage | undefined
}

/** A container that is at least so old and was not there at the sample before is measured since its start, in milliseconds. */
const freshMinimum = 10_000

interface Known {
  readonly sample: UsageSample
  readonly pods: ReadonlyMap<string, PodSample>
  readonly usage: Usage | undefined
  /** What is shown, by pod. */
  readonly shown: ReadonlyMap<string, PodUsage>
}

const keyOf = ({ name, namespace }: { readonly name: string; readonly namespace: string }): string => `${namespace}/${name}`

/** The usage between two points of the same counter; undefined when they are not. */
const between = (before: Pick<Point, "time" | "cpuNanos">, after: Point): Usage | undefined => {
  const window = after.time - before.time
  const used = after.cpuNanos - before.cpuNanos
  return window <= 0 || used < 0
    ? undefined
    : { time: after.time, window, cpuNanoCores: Math.floor(used * 1000 / window), memory: after.memory }
}

const usageSince = (before: Point | undefined, after: Point): Usage | undefined =>
  before === undefined || after.startedAt !== undefined && after.startedAt > before.time ? undefined : between(before, after)

const containerUsage = (before: Point | undefined, after: Point, resolution: number): Usage | undefined => {
  const age = after.startedAt === undefined ? undefined : after.time - after.startedAt
  if (after.startedAt !== undefined && age !== undefined && age >= freshMinimum && (age < resolution || before === undefined && age < 2 * resolution)) {
    return between({ time: after.startedAt, cpuNanos: 0 }, after)
  }
  return usageSince(before, after)
}

/** A pod is shown when all of its containers can be. */
const podUsage = (before: PodSample | undefined, after: PodSample, resolution: number): PodUsage | undefined => {
  const previous = before?.uid === after.uid ? before : undefined
  const containers: Array<{ readonly name: string; readonly usage: Usage }> = []
  for (const [name, point] of after.containers) {
    const usage = containerUsage(previous?.containers.get(name), point, resolution)
    if (usage === undefined) return undefined
    containers.push({ name, usage })
  }
  const [first, ...others] = containers.map(({ usage }) => usage)
  if (first === undefined) return undefined
  const oldest = others.reduce((left, right) => right.time < left.time ? right : left, first)
  return { uid: after.uid, time: oldest.time, window: oldest.window, containers }
}

/**
 * An empty window. `resolution` is the time between two samples of a node, in milliseconds.
 *
 * @category constructors
 */
export const make = (resolution: number): MetricsWindow => {
  const nodes = new Map<string, Known>()
  const shownBy = new Map<string, string>()

  const withdraw = (node: string): void => {
    for (const key of nodes.get(node)?.shown.keys() ?? []) if (shownBy.get(key) === node) shownBy.delete(key)
  }

  return {
    add: (node, sample) => {
      const before = nodes.get(node)
      // The same look at the host twice tells nothing new.
      if (before !== undefined && sample.node !== undefined && before.sample.node?.time === sample.node.time && before.usage !== undefined) return
      withdraw(node)
      const pods = new Map(sample.pods.map((pod) => [keyOf(pod), pod]))
      const shown = new Map<string, PodUsage>()
      for (const [key, pod] of pods) {
        const usage = podUsage(before?.pods.get(key), pod, resolution)
        if (usage === undefined) continue
        shown.set(key, usage)
        shownBy.set(key, node)
      }
      nodes.set(node, { sample, pods, shown, usage: sample.node === undefined ? undefined : usageSince(before?.sample.node, sample.node) })
    },
    hide: (node) => {
      const before = nodes.get(node)
      if (before === undefined) return
      withdraw(node)
      nodes.set(node, { ...before, usage: undefined, shown: new Map() })
    },
    forget: (node) => {
      withdraw(node)
      nodes.delete(node)
    },
    node: (name) => nodes.get(name)?.usage,
    pod: (namespace, name) => {
      const key = keyOf({ namespace, name })
      const node = shownBy.get(key)
      return node === undefined ? undefined : nodes.get(node)?.shown.get(key)
    }
  }
}
