/**
 * Faults a test can plant in a simulated host. They live in the state file, so every process that uses the host meets them.
 */
import * as Schema from "effect/Schema"

const times = Schema.Number.pipe(Schema.int(), Schema.greaterThanOrEqualTo(0))

/** The command answers `exitCode` and `stderr` without doing anything, `times` times. */
const FailNext = Schema.mutable(Schema.Struct({
  kind: Schema.Literal("failNext"),
  program: Schema.String,
  /** Text that must occur in the arguments joined by blanks; empty for every call. */
  match: Schema.String,
  times,
  /** How many such commands are let through first. */
  skip: Schema.optional(Schema.Number),
  stderr: Schema.String,
  exitCode: Schema.Number
}))
/** The command waits `delayMillis` before it starts. */
const Slow = Schema.mutable(Schema.Struct({
  kind: Schema.Literal("slow"),
  program: Schema.String,
  match: Schema.String,
  times,
  skip: Schema.optional(Schema.Number),
  delayMillis: Schema.Number
}))
/** The command never ends by itself. */
const Hang = Schema.mutable(Schema.Struct({
  kind: Schema.Literal("hang"),
  program: Schema.String,
  match: Schema.String,
  times,
  skip: Schema.optional(Schema.Number)
}))
/** The process of the command is killed. */
const Killed = Schema.mutable(Schema.Struct({
  kind: Schema.Literal("killed"),
  program: Schema.String,
  match: Schema.String,
  times,
  skip: Schema.optional(Schema.Number),
  /** Before it does anything, after its first step that changes the host, or when all is done and nobody was told. */
  when: Schema.Literal("before", "midway", "after"),
  /** The whole host goes down at that moment. */
  reboots: Schema.Boolean
}))
/** The zone stays in the state while it is being halted. */
const StuckZone = Schema.mutable(Schema.Struct({
  kind: Schema.Literal("stuckZone"),
  zone: Schema.String,
  state: Schema.Literal("shutting_down", "down")
}))
/** `delete-vnic`/`delete-etherstub` of the link reports `link busy`. */
const LinkBusy = Schema.mutable(Schema.Struct({ kind: Schema.Literal("linkBusy"), link: Schema.String, times }))
/** `zfs destroy` of the dataset reports `dataset is busy`. */
const DatasetBusy = Schema.mutable(Schema.Struct({
  kind: Schema.Literal("datasetBusy"),
  dataset: Schema.String,
  times
}))
/** `zfs create`/`zfs clone` makes the dataset, then fails to mount it. */
const NotMounted = Schema.mutable(Schema.Struct({ kind: Schema.Literal("notMounted"), dataset: Schema.String, times }))
/** `zoneadm install`/`clone` ends in the middle with the brand's exit status: 254 puts the zone back to configured. */
const InstallFails = Schema.mutable(Schema.Struct({
  kind: Schema.Literal("installFails"),
  zone: Schema.String,
  times,
  status: Schema.Literal(1, 254, 255)
}))
/** Another zoneadm holds the lock of the zone. */
const ZoneLocked = Schema.mutable(Schema.Struct({ kind: Schema.Literal("zoneLocked"), zone: Schema.String, times }))
/** `zoneadm list` shows the running zone with id `-`. */
const ListRace = Schema.mutable(Schema.Struct({ kind: Schema.Literal("listRace"), zone: Schema.String, times }))
/** The pool has no space left for new datasets. */
const OutOfSpace = Schema.mutable(Schema.Struct({ kind: Schema.Literal("outOfSpace"), pool: Schema.String }))
/** The pool is in this state; SUSPENDED stops every change, FAULTED and UNAVAIL also hide the datasets. */
const PoolHealth = Schema.mutable(Schema.Struct({
  kind: Schema.Literal("poolHealth"),
  pool: Schema.String,
  state: Schema.Literal("DEGRADED", "FAULTED", "UNAVAIL", "SUSPENDED")
}))
/** The start method of a service ends with `exitCode`: 95 and 96 lead to maintenance at once, others after three times. */
const ServiceFails = Schema.mutable(Schema.Struct({
  kind: Schema.Literal("serviceFails"),
  /** FMRI of the instance. */
  service: Schema.String,
  /** `global`, or the zone it runs in. */
  zone: Schema.String,
  times,
  exitCode: Schema.Number
}))
/** Halting the zone takes this long. */
const SlowHalt = Schema.mutable(Schema.Struct({
  kind: Schema.Literal("slowHalt"),
  zone: Schema.String,
  delayMillis: Schema.Number
}))
/** Processes of the booted zone were refused memory beyond its bound, `times` times. It is counted at once, and nothing of it stays planted. */
const MemoryRefused = Schema.mutable(Schema.Struct({ kind: Schema.Literal("memoryRefused"), zone: Schema.String, times }))

/** One planted fault. `times` counts down to 0, then the fault is gone. @category schemas */
export const Fault = Schema.Union(
  FailNext,
  Slow,
  Hang,
  Killed,
  StuckZone,
  LinkBusy,
  DatasetBusy,
  NotMounted,
  InstallFails,
  ZoneLocked,
  ListRace,
  OutOfSpace,
  PoolHealth,
  ServiceFails,
  SlowHalt,
  MemoryRefused
)
/** @category models */
export type Fault = typeof Fault.Type

type Kind = Fault["kind"]
/** Faults of one kind. @category models */
export type Of<K extends Kind> = Extract<Fault, { readonly kind: K }>

/** Which commands a fault strikes. @category models */
export interface Target {
  /** Name or path of the program. */
  readonly program: string
  /** Text that must occur in the arguments joined by blanks. Default: any arguments. */
  readonly match?: string
  /** How many of them it strikes. Default 1. */
  readonly times?: number
  /** How many of them it lets through first. Default none. */
  readonly skip?: number
}

const target = ({ match, program, skip, times }: Target) => ({
  program,
  match: match ?? "",
  times: times ?? 1,
  ...(skip === undefined ? {} : { skip })
})

/** The commands do nothing, print `stderr` and end with `exitCode`, default 1. @category constructors */
export const failNext = (options: Target & { readonly stderr: string; readonly exitCode?: number }): Fault => ({
  kind: "failNext",
  ...target(options),
  stderr: options.stderr,
  exitCode: options.exitCode ?? 1
})

/** The commands start `delayMillis` late. @category constructors */
export const slow = (options: Target & { readonly delayMillis: number }): Fault => ({
  kind: "slow",
  ...target(options),
  delayMillis: options.delayMillis
})

/** The commands never end; the caller's deadline kills them. @category constructors */
export const hang = (options: Target): Fault => ({ kind: "hang", ...target(options) })

/**
 * The commands are killed: `before` they do anything, `midway` after their first step that changes the host (a zone whose installation is
 * killed is left incomplete), or `after` all is done, so that only the answer is lost. Their exit status is 137 and they say nothing. Default
 * `midway`.
 *
 * @category constructors
 */
export const killed = (options: Target & { readonly when?: Of<"killed">["when"] }): Fault => ({
  kind: "killed",
  ...target(options),
  when: options.when ?? "midway",
  reboots: false
})

/** As {@link killed}, and the whole host is rebooted at that moment. @category constructors */
export const hostReboots = (options: Target & { readonly when?: Of<"killed">["when"] }): Fault => ({
  kind: "killed",
  ...target(options),
  when: options.when ?? "midway",
  reboots: true
})

/** Halting `zone` never gets past `state`, until the fault is cleared or the host reboots. @category constructors */
export const stuckZone = (zone: string, state: "shutting_down" | "down"): Fault => ({ kind: "stuckZone", zone, state })

/** Halting `zone` takes `delayMillis`. @category constructors */
export const slowHalt = (zone: string, delayMillis: number): Fault => ({ kind: "slowHalt", zone, delayMillis })

/** The kernel counts `times` allocations in `zone` as refused. @category constructors */
export const memoryRefused = (zone: string, times = 1): Fault => ({ kind: "memoryRefused", zone, times })

/** Deleting `link` reports `link busy` the next `times` times. @category constructors */
export const linkBusy = (link: string, times = 1): Fault => ({ kind: "linkBusy", link, times })

/** Destroying `dataset` reports `dataset is busy` the next `times` times. @category constructors */
export const datasetBusy = (dataset: string, times = 1): Fault => ({ kind: "datasetBusy", dataset, times })

/** Creating or cloning `dataset` works, but mounting it fails, the next `times` times. @category constructors */
export const notMounted = (dataset: string, times = 1): Fault => ({ kind: "notMounted", dataset, times })

/** Installing `zone` fails in the middle; status 254 leaves it configured, others incomplete. @category constructors */
export const installFails = (zone: string, status: 1 | 254 | 255 = 1, times = 1): Fault => ({
  kind: "installFails",
  zone,
  times,
  status
})

/** The next `times` changing zoneadm commands on `zone` find its lock taken. @category constructors */
export const zoneLocked = (zone: string, times = 1): Fault => ({ kind: "zoneLocked", zone, times })

/** The next `times` listings show the running `zone` with id `-`. @category constructors */
export const listRace = (zone: string, times = 1): Fault => ({ kind: "listRace", zone, times })

/**
 * The start method of the instance `service` (a whole FMRI) fails the next `times` times: with 95 or 96 the instance goes into maintenance at
 * once, with others after three failures in a row.
 *
 * @category constructors
 */
export const serviceFails = (options: {
  readonly service: string
  readonly zone?: string
  readonly times?: number
  readonly exitCode?: number
}): Fault => ({
  kind: "serviceFails",
  service: options.service,
  zone: options.zone ?? "global",
  times: options.times ?? 1,
  exitCode: options.exitCode ?? 1
})

/** New datasets in `pool` fail with `out of space` until the fault is cleared. @category constructors */
export const outOfSpace = (pool: string): Fault => ({ kind: "outOfSpace", pool })

/** `pool` is degraded, faulted, unavailable or suspended until the fault is cleared. @category constructors */
export const poolHealth = (pool: string, state: "DEGRADED" | "FAULTED" | "UNAVAIL" | "SUSPENDED"): Fault => ({ kind: "poolHealth", pool, state })

/** A list of faults that is part of a host state. @category models */
export interface FaultList {
  faults: Array<Fault>
}

const isOf = <K extends Kind>(kind: K) => (fault: Fault): fault is Of<K> => fault.kind === kind

/** Every fault of `kind`. @category combinators */
export const all = <K extends Kind>(host: FaultList, kind: K): ReadonlyArray<Of<K>> => host.faults.filter(isOf(kind))

/** The first fault of `kind` that satisfies `where`; it stays planted. @category combinators */
export const find = <K extends Kind>(host: FaultList, kind: K, where: (fault: Of<K>) => boolean): Of<K> | undefined =>
  host.faults.filter(isOf(kind)).find(where)

/** Counts a command that a fault is to let through. */
const letsThrough = (fault: Fault): boolean => {
  if (!("skip" in fault) || fault.skip === undefined || fault.skip <= 0) return false
  fault.skip -= 1
  return true
}

/** As {@link find}, and one of its `times` is used up. @category combinators */
export const consume = <K extends Kind>(
  host: FaultList,
  kind: K,
  where: (fault: Of<K>) => boolean
): Of<K> | undefined => {
  const found = host.faults.filter(isOf(kind)).find((candidate) => where(candidate) && !letsThrough(candidate))
  if (found === undefined) return undefined
  const fault: Fault = found
  if ("times" in fault) {
    if (fault.times <= 0) return undefined
    fault.times -= 1
    if (fault.times === 0) host.faults = host.faults.filter((other) => other !== fault)
  }
  return found
}
