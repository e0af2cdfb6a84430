/** The resource controls of booted zones: what the kernel knows, what a zone was booted with, what was changed since. */
import type { HostState, Kernel } from "./HostState.js"

/** A control as the kernel registers it. @category models */
export interface Control {
  readonly name: string
  readonly unit: "bytes" | "count"
  /** The system value: nothing above it is taken. */
  readonly maximum: bigint
  /** Whether the largest value means that there is no limit. */
  readonly infinite: boolean
  /** Refuses at the limit, always; others never do. */
  readonly denies: boolean
  /** Flags in the order in which rctladm prints them. */
  readonly flags: ReadonlyArray<string>
  /** Privileged value that a zone has without being given one. */
  readonly initial?: bigint
}

const unlimited = 0xffff_ffff_ffff_ffffn

const bytes = (name: string): Control => (
  { name, unit: "bytes", maximum: unlimited, infinite: false, denies: true, flags: ["no-basic", "deny", "no-signal", "bytes"] }
)
const count = (name: string, maximum: bigint): Control => (
  { name, unit: "count", maximum, infinite: false, denies: true, flags: ["no-basic", "deny", "no-signal", "count"] }
)

const ids = 1n << 24n
const largestInt = 0x7fff_ffffn

/** The controls of zones in the order in which prctl lists them. @category combinators */
export const of = (dialect: HostState["dialect"]): ReadonlyArray<Control> => [
  count("zone.max-lofi", unlimited),
  bytes("zone.max-swap"),
  ...(dialect === "omnios" ? [bytes("zone.max-physical-memory")] : []),
  bytes("zone.max-locked-memory"),
  bytes("zone.max-shm-memory"),
  count("zone.max-shm-ids", ids),
  count("zone.max-sem-ids", ids),
  count("zone.max-msg-ids", ids),
  count("zone.max-processes", largestInt),
  count("zone.max-lwps", largestInt),
  { name: "zone.cpu-cap", unit: "count", maximum: 0xffff_ffffn, infinite: true, denies: true, flags: ["no-basic", "deny", "no-signal", "inf", "no-syslog", "count"] },
  {
    name: "zone.cpu-shares",
    unit: "count",
    maximum: 65_535n,
    infinite: false,
    denies: false,
    flags: ["no-basic", "no-deny", "no-signal", "no-syslog", "count"],
    initial: 1n
  }
]

/** A privileged value and what happens at it. @category models */
export interface Value {
  readonly limit: string
  readonly action: string
}

/** The privileged values of a control of a booted zone, the least first. @category combinators */
export const values = (kernel: Kernel, control: Control): ReadonlyArray<Value> => {
  const changed = kernel.controls?.[control.name]
  if (changed !== undefined) return changed
  const given = kernel.snapshot.resources
    .filter(({ kind, properties }) => kind === "rctl" && properties["name"] === control.name)
    .flatMap((resource) => resource.values.map(({ action = "none", limit = "0" }) => ({ limit, action })))
  return given.length > 0 || control.initial === undefined ? given : [{ limit: String(control.initial), action: "none" }]
}

/** The limit of a booted zone, where it has one. @category combinators */
export const limit = (host: HostState, kernel: Kernel, name: string): string | undefined => {
  const control = of(host.dialect).find((known) => known.name === name)
  return control === undefined ? undefined : values(kernel, control)[0]?.limit
}

/** Gives a booted zone other privileged values. @category combinators */
export const change = (kernel: Kernel, control: Control, next: ReadonlyArray<Value>): void => {
  const sorted = [...next].sort((a, b) => BigInt(a.limit) < BigInt(b.limit) ? -1 : 1)
  kernel.controls = { ...kernel.controls, [control.name]: sorted }
}
