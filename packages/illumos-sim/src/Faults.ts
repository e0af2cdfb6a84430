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
  stderr: Schema.String,
  exitCode: Schema.Number
}))
/** The command waits `delayMillis` before it starts. */
const Slow = Schema.mutable(Schema.Struct({
  kind: Schema.Literal("slow"),
  program: Schema.String,
  match: Schema.String,
  times,
  delayMillis: Schema.Number
}))
/** The command never ends by itself. */
const Hang = Schema.mutable(Schema.Struct({
  kind: Schema.Literal("hang"),
  program: Schema.String,
  match: Schema.String,
  times
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
/** Halting the zone takes this long. */
const SlowHalt = Schema.mutable(Schema.Struct({
  kind: Schema.Literal("slowHalt"),
  zone: Schema.String,
  delayMillis: Schema.Number
}))

/** One planted fault. `times` counts down to 0, then the fault is gone. @category schemas */
export const Fault = Schema.Union(
  FailNext,
  Slow,
  Hang,
  StuckZone,
  LinkBusy,
  DatasetBusy,
  NotMounted,
  InstallFails,
  ZoneLocked,
  ListRace,
  OutOfSpace,
  SlowHalt
)
/** @category models */
export type Fault = typeof Fault.Type

type Kind = Fault["kind"]
/** Faults of one kind. @category models */
export type Of<K extends Kind> = Extract<Fault, { readonly kind: K }>

/** A command of `program` whose joined arguments contain `match` fails the next `times` times. @category constructors */
export const failNext = (options: {
  readonly program: string
  readonly match?: string
  readonly times?: number
  readonly stderr: string
  readonly exitCode?: number
}): Fault => ({
  kind: "failNext",
  program: options.program,
  match: options.match ?? "",
  times: options.times ?? 1,
  stderr: options.stderr,
  exitCode: options.exitCode ?? 1
})

/** The next `times` matching commands start `delayMillis` late. @category constructors */
export const slow = (options: {
  readonly program: string
  readonly match?: string
  readonly times?: number
  readonly delayMillis: number
}): Fault => ({
  kind: "slow",
  program: options.program,
  match: options.match ?? "",
  times: options.times ?? 1,
  delayMillis: options.delayMillis
})

/** The next `times` matching commands never end; the caller's deadline kills them. @category constructors */
export const hang = (options: {
  readonly program: string
  readonly match?: string
  readonly times?: number
}): Fault => ({ kind: "hang", program: options.program, match: options.match ?? "", times: options.times ?? 1 })

/** Halting `zone` never gets past `state`, until the fault is cleared or the host reboots. @category constructors */
export const stuckZone = (zone: string, state: "shutting_down" | "down"): Fault => ({ kind: "stuckZone", zone, state })

/** Halting `zone` takes `delayMillis`. @category constructors */
export const slowHalt = (zone: string, delayMillis: number): Fault => ({ kind: "slowHalt", zone, delayMillis })

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

/** New datasets in `pool` fail with `out of space` until the fault is cleared. @category constructors */
export const outOfSpace = (pool: string): Fault => ({ kind: "outOfSpace", pool })

/** A list of faults that is part of a host state. @category models */
export interface FaultList {
  faults: Array<Fault>
}

const isOf = <K extends Kind>(kind: K) => (fault: Fault): fault is Of<K> => fault.kind === kind

/** The first fault of `kind` that satisfies `where`; it stays planted. @category combinators */
export const find = <K extends Kind>(host: FaultList, kind: K, where: (fault: Of<K>) => boolean): Of<K> | undefined =>
  host.faults.filter(isOf(kind)).find(where)

/** As {@link find}, and one of its `times` is used up. @category combinators */
export const consume = <K extends Kind>(
  host: FaultList,
  kind: K,
  where: (fault: Of<K>) => boolean
): Of<K> | undefined => {
  const found = find(host, kind, where)
  if (found === undefined) return undefined
  const fault: Fault = found
  if ("times" in fault) {
    if (fault.times <= 0) return undefined
    fault.times -= 1
    if (fault.times === 0) host.faults = host.faults.filter((other) => other !== fault)
  }
  return found
}
