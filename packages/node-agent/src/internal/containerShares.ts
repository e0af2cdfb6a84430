/**
 * The CPU time of a zone shared out among the containers in it. The kernel counts for zones only; which of the processes that live now
 * belong to which container is known, and how long each of them was on a CPU in whole seconds. So what a zone used between two looks is
 * divided in the proportion of what the processes of its containers used, and each container's part is added up: exact for a pod with
 * one container, an estimate for the others, and never less than before.
 */
import type { ResourceUsage } from "@reddwarf/runtime-illumos"

/** A running container and its process. */
export interface Running {
  readonly name: string
  readonly attempt: number
  readonly pid: number
}

/** What was counted up to a look at the zone. */
export interface Shares {
  /** Another value means that the zone booted anew: its counter began at 0 again. */
  readonly bootTime: number
  readonly zoneId: number
  readonly zoneNanos: number
  readonly containers: ReadonlyMap<string, Share>
}

/** The part of one container. */
export interface Share {
  readonly attempt: number
  readonly cpuNanos: number
  /** Of its living processes. */
  readonly cpuSeconds: number
  /** The proportion at which it last took part. */
  readonly weight: number
}

/**
 * The processes of each container: its first process, the session and process group that this one leads, and the descendants of all of
 * them. A process belongs to the nearest container above it.
 */
export const processesOf = (
  roots: ReadonlyArray<number>,
  processes: ReadonlyArray<ResourceUsage.ProcessUsage>
): ReadonlyMap<number, ReadonlyArray<ResourceUsage.ProcessUsage>> => {
  const members = new Map<number, Array<ResourceUsage.ProcessUsage>>(roots.map((root) => [root, []]))
  const byPid = new Map(processes.map((process) => [process.pid, process]))
  const owners = new Map<number, number | undefined>()
  const ownerOf = (process: ResourceUsage.ProcessUsage): number | undefined => {
    const path: Array<number> = []
    let owner: number | undefined
    // A chain of parents that is longer than there are processes goes in a circle.
    for (let at: ResourceUsage.ProcessUsage | undefined = process; at !== undefined && path.length <= processes.length; at = byPid.get(at.parent)) {
      if (owners.has(at.pid)) {
        owner = owners.get(at.pid)
        break
      }
      path.push(at.pid)
      owner = [at.pid, at.group, at.session].find((candidate) => members.has(candidate))
      if (owner !== undefined) break
    }
    for (const pid of path) owners.set(pid, owner)
    return owner
  }
  for (const process of processes) {
    const owner = ownerOf(process)
    if (owner !== undefined) members.get(owner)?.push(process)
  }
  return members
}

/** For so many nanoseconds of CPU time and container nothing is given to anybody until it is known to whom. */
const patience = 2e9

const total = (values: ReadonlyArray<number>): number => values.reduce((sum, value) => sum + value, 0)

/** Adds what the zone used since `before` to the containers that run now; `seconds` is what the living processes of each have used. */
export const next = (
  before: Shares | undefined,
  zone: ResourceUsage.ZoneUsage,
  running: ReadonlyArray<Running>,
  seconds: (container: Running) => number
): Shares => {
  const known = before?.bootTime === zone.bootTime && before.zoneId === zone.zoneId ? before : undefined
  const used = Math.max(0, zone.cpuNanos - (known?.zoneNanos ?? 0))
  const looks = running.map((container) => {
    const last = known?.containers.get(container.name)
    const same = last?.attempt === container.attempt ? last : undefined
    const cpuSeconds = seconds(container)
    return { container, cpuSeconds, cpuNanos: same?.cpuNanos ?? 0, fresh: Math.max(0, cpuSeconds - (same?.cpuSeconds ?? 0)), lastWeight: same?.weight ?? 0 }
  })
  const fresh = total(looks.map((look) => look.fresh))
  const last = total(looks.map((look) => look.lastWeight))
  // Within one second of process time nothing is to be seen: then as before. At first it waits until something is, but not for ever,
  // as processes that live for less than a second may be all there are.
  const waits = fresh === 0 && last === 0 && looks.length > 1 && used < looks.length * patience
  const weightOf = (look: (typeof looks)[number]): number =>
    fresh > 0 ? look.fresh / fresh : last > 0 ? look.lastWeight / last : 1 / looks.length
  return {
    bootTime: zone.bootTime,
    zoneId: zone.zoneId,
    zoneNanos: waits ? known?.zoneNanos ?? 0 : Math.max(zone.cpuNanos, known?.zoneNanos ?? 0),
    containers: new Map(looks.map((look) => {
      const weight = waits ? 0 : weightOf(look)
      const { attempt, name } = look.container
      return [name, { attempt, weight, cpuSeconds: look.cpuSeconds, cpuNanos: look.cpuNanos + Math.round(used * weight) }]
    }))
  }
}
