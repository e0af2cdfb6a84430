/**
 * prctl: the resource controls of a zone that runs. What is changed here holds until the zone halts; write the same into its configuration to
 * keep it. Values are `bigint`: controls are 64 bits wide, and "no limit" is the largest of them.
 */
import * as Effect from "effect/Effect"
import * as CommandLine from "./CommandLine.js"
import type { CommandResult, CommandRunner } from "./CommandRunner.js"
import { type HostError, HostPermissionDenied, UnreadableOutput, WrongZoneState } from "./HostError.js"
import { lines } from "./internal/parsable.js"
import * as refusal from "./internal/refusal.js"
import { ResourceControlRejected } from "./ServiceError.js"
import type * as ZoneName from "./ZoneName.js"

const program = "/usr/bin/prctl"

/** How a resource control of a zone is counted, and what it does at its limit. @category models */
export interface ControlTraits {
  readonly unit: "percent" | "shares" | "count" | "bytes"
  /** `deny` refuses the resource at the limit; `none` belongs to controls that are no limits. */
  readonly action: "deny" | "none"
  /** Least value zonecfg takes for it; prctl itself does not ask. */
  readonly minimum: bigint
  /** Largest value the kernel takes. */
  readonly maximum: bigint
}

const unlimited = 0xffff_ffff_ffff_ffffn
const largestInt = 0x7fff_ffffn
const largestIds = 1n << 24n

const bytes = (minimum = 0n): ControlTraits => ({ unit: "bytes", action: "deny", minimum, maximum: unlimited })
const count = (maximum: bigint, minimum = 0n): ControlTraits => ({ unit: "count", action: "deny", minimum, maximum })

/**
 * The resource controls a zone can have. `zone.max-physical-memory` exists on OmniOS and SmartOS only, where the kernel enforces it.
 *
 * @category models
 */
export const controls = {
  "zone.cpu-cap": { unit: "percent", action: "deny", minimum: 1n, maximum: 0xffff_ffffn },
  "zone.cpu-shares": { unit: "shares", action: "none", minimum: 0n, maximum: 65_535n },
  "zone.max-lwps": count(largestInt, 100n),
  "zone.max-processes": count(largestInt, 100n),
  "zone.max-swap": bytes(50n * 1024n * 1024n),
  "zone.max-locked-memory": bytes(),
  "zone.max-physical-memory": bytes(1024n * 1024n),
  "zone.max-shm-memory": bytes(),
  "zone.max-shm-ids": count(largestIds),
  "zone.max-msg-ids": count(largestIds),
  "zone.max-sem-ids": count(largestIds),
  "zone.max-lofi": count(unlimited)
} as const satisfies Readonly<Record<string, ControlTraits>>

/** Name of a resource control of zones. @category models */
export type ControlName = keyof typeof controls

/** One value of a control. @category models */
export interface ControlValue {
  /** `system` is the bound of the kernel; `privileged` is what an administrator or the zone's configuration set. */
  readonly privilege: "basic" | "privileged" | "system"
  readonly value: bigint
  /** Whether the value is the largest there is: `max`, or `inf` where that means no limit. */
  readonly flag?: "max" | "inf"
  /** `none`, `deny`, `signal=KILL`, or several of them joined by commas. */
  readonly action: string
  /** The process a basic value belongs to. */
  readonly recipient?: number
}

/** A control with its values, the least first. @category models */
export interface Control {
  readonly name: string
  /** What the zone uses now; absent where the kernel does not count it. */
  readonly usage?: bigint
  readonly values: ReadonlyArray<ControlValue>
}

/** The controls of one zone. @category models */
export interface ZoneControls {
  readonly zone: string
  /** Changes with every boot. */
  readonly zoneId: number
  readonly controls: ReadonlyArray<Control>
}

const onZone = (zone: ZoneName.ZoneName, ...args: ReadonlyArray<string>): CommandLine.CommandLine =>
  CommandLine.make(program, ...args, "-i", "zone", zone)

/** Every control of a zone, or those of one name. @category constructors */
export const list = (zone: ZoneName.ZoneName, name?: ControlName): CommandLine.CommandLine =>
  onZone(zone, "-P", ...(name === undefined ? [] : ["-n", name]))

/** Adds a privileged value; refused when that very value is there. @category constructors */
export const set = (zone: ZoneName.ZoneName, name: ControlName, value: bigint): CommandLine.CommandLine =>
  onZone(
    zone,
    "-n",
    name,
    "-s",
    // Without a privilege prctl takes basic, which belongs to one process and not to the zone.
    "-t",
    "privileged",
    "-v",
    String(value),
    ...(controls[name].action === "deny" ? ["-e", "deny"] : [])
  )

/** Replaces the privileged value; refused when there is none. @category constructors */
export const replace = (zone: ZoneName.ZoneName, name: ControlName, value: bigint): CommandLine.CommandLine =>
  onZone(zone, "-n", name, "-r", "-t", "privileged", "-v", String(value))

/** Deletes the privileged value; refused when there is none. @category constructors */
export const remove = (zone: ZoneName.ZoneName, name: ControlName): CommandLine.CommandLine =>
  onZone(zone, "-n", name, "-x", "-t", "privileged")

const isPrivilege = (text: string): text is ControlValue["privilege"] => text === "basic" || text === "privileged" || text === "system"

/**
 * Reads the output of {@link list}. `undefined` when it has another form; lines of controls it does not know are kept.
 *
 * @category combinators
 */
export const parse = (text: string): ZoneControls | undefined => {
  const [heading = "", ...rows] = lines(text)
  const match = /^zone: (\d+): (\S*)$/.exec(heading)
  if (match === null) return undefined
  const found = new Map<string, { usage?: bigint; values: Array<ControlValue> }>()
  for (const row of rows) {
    const [name = "", kind = "", value = "", flag = "", action = "", recipient = ""] = row.split(" ")
    if (!/^\d+$/.test(value) || recipient === "") return undefined
    const control = found.get(name) ?? { values: [] }
    found.set(name, control)
    if (kind === "usage") control.usage = BigInt(value)
    else if (!isPrivilege(kind)) return undefined
    else {
      control.values.push({
        privilege: kind,
        value: BigInt(value),
        ...(flag === "max" || flag === "inf" ? { flag } : {}),
        action,
        ...(/^\d+$/.test(recipient) ? { recipient: Number(recipient) } : {})
      })
    }
  }
  return { zoneId: Number(match[1]), zone: match[2] ?? "", controls: [...found].map(([name, control]) => ({ name, ...control })) }
}

/** The privileged value of a control: what limits the zone, beyond the bound of the kernel. @category combinators */
export const limitOf = (zone: ZoneControls, name: ControlName): bigint | undefined =>
  zone.controls.find((control) => control.name === name)?.values.find(({ privilege }) => privilege === "privileged")?.value

/**
 * The texts by which prctl refuses. Every one leaves the controls as they were.
 *
 * @category errors
 */
export const refusals: ReadonlyArray<refusal.Row> = [
  // A zone without a process is not under the control of prctl: it is not running.
  { pattern: /No controllable process found/, error: WrongZoneState },
  { pattern: /resource control already exists|replacement resource control already exists/, error: ResourceControlRejected },
  { pattern: /no matching resource control/, error: ResourceControlRejected },
  { pattern: /exceeds system limit for resource control|invalid -v value|cannot modify system values/, error: ResourceControlRejected },
  { pattern: /failed to get (system )?resource control for/, error: ResourceControlRejected },
  { pattern: /unable to (enable|disable) (deny|signal) on rctl|basic values not allowed on rctl/, error: ResourceControlRejected },
  { pattern: /: Not owner|[Pp]ermission denied|cannot (get|set) (process|global-zone) privileges/, error: HostPermissionDenied }
]

/**
 * The error a refusal of prctl means.
 *
 * @category errors
 */
export const classify = (operation: string, zone: string, result: CommandResult): HostError =>
  refusal.classify(refusals, operation, zone, result)

/**
 * prctl on one host.
 *
 * @category models
 */
export interface Prctl {
  /** Every control of a running zone. */
  readonly list: (zone: ZoneName.ZoneName) => Effect.Effect<ZoneControls, HostError>
  /** The limit of a running zone; `undefined` when it has none beyond the bound of the kernel. */
  readonly limit: (zone: ZoneName.ZoneName, name: ControlName) => Effect.Effect<bigint | undefined, HostError>
  /**
   * Gives a running zone this limit, or none with `undefined`. Reads what it has first, changes only what differs, and reads again to see
   * that it holds. Fails with `WrongZoneState` when the zone does not run: then its configuration is all there is to change.
   */
  readonly ensure: (zone: ZoneName.ZoneName, name: ControlName, value: bigint | undefined) => Effect.Effect<void, HostError>
}

/**
 * prctl through the given runner.
 *
 * @category constructors
 */
export const make = (runner: CommandRunner["Type"]): Prctl => {
  const output = (operation: string, zone: ZoneName.ZoneName, line: CommandLine.CommandLine) =>
    Effect.flatMap(
      runner.run(line),
      (result) => result.exitCode === 0 ? Effect.succeed(result.stdout) : Effect.fail(classify(operation, zone, result))
    )
  const read = (zone: ZoneName.ZoneName, name?: ControlName) =>
    Effect.flatMap(output("read the resource controls of zone", zone, list(zone, name)), (text) => {
      const parsed = parse(text)
      return parsed === undefined
        ? Effect.fail(new UnreadableOutput({ operation: "read the resource controls of zone", object: zone, detail: text.slice(0, 200) }))
        : Effect.succeed(parsed)
    })
  const limit = (zone: ZoneName.ZoneName, name: ControlName) => Effect.map(read(zone, name), (found) => limitOf(found, name))

  return {
    list: (zone) => read(zone),
    limit,
    ensure: (zone, name, value) =>
      Effect.gen(function*() {
        const operation = value === undefined ? `remove ${name} of zone` : `set ${name} to ${value} on zone`
        const { maximum } = controls[name]
        if (value !== undefined && (value < 0n || value > maximum)) {
          return yield* new ResourceControlRejected({ operation, object: zone, detail: `the value must be from 0 to ${maximum}` })
        }
        const present = yield* limit(zone, name)
        if (present === value) return yield* Effect.void
        const change = value === undefined ? remove(zone, name) : present === undefined ? set(zone, name, value) : replace(zone, name, value)
        yield* output(operation, zone, change)
        const reached = yield* limit(zone, name)
        // Lowering cpu-shares to nothing leaves the one share every zone has.
        if (reached === value || (value === undefined && name === "zone.cpu-shares")) return yield* Effect.void
        return yield* new ResourceControlRejected({ operation, object: zone, detail: `afterwards it is ${reached ?? "not set"}` })
      })
  }
}
