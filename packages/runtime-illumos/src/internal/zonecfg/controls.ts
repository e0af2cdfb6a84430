/** The host stores caps and limits as resource controls; here they become caps and limits again. */
import type * as Model from "../../ZoneConfig.js"
import { type Alias, aliases } from "./resources.js"

type Draft<A> = { -readonly [K in keyof A]: A[K] }

/** What a list of resource controls means. */
export interface Folded {
  readonly limits: Model.ZoneLimits
  readonly cappedCpuPercent?: number
  readonly cappedMemory?: Model.CappedMemory
  /** Those that stand for nothing else. */
  readonly rctl: ReadonlyArray<Model.RctlResource>
}

const memoryControls: Readonly<Record<string, keyof Model.CappedMemory>> = {
  "zone.max-physical-memory": "physical",
  "zone.max-swap": "swap",
  "zone.max-locked-memory": "locked"
}

const isPlain = (rctl: Model.RctlResource): boolean => (rctl.further ?? []).length === 0

const asNumber = (limit: bigint): number | undefined => limit <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(limit) : undefined

const put = (limits: Draft<Model.ZoneLimits>, alias: Alias, limit: bigint): boolean => {
  if (alias.field === "maxShmMemory") {
    limits.maxShmMemory = limit
    return true
  }
  const value = asNumber(limit)
  if (value === undefined || value < alias.least) return false
  limits[alias.field] = value
  return true
}

export const fold = (controls: ReadonlyArray<Model.RctlResource>): Folded => {
  const limits: Draft<Model.ZoneLimits> = {}
  const memory: Draft<Model.CappedMemory> = {}
  const rctl: Array<Model.RctlResource> = []
  let cappedCpuPercent: number | undefined
  for (const control of controls) {
    const alias = aliases.find((candidate) => candidate.rctl === control.name && candidate.action === control.action)
    const kind = Object.hasOwn(memoryControls, control.name) ? memoryControls[control.name] : undefined
    const percent = control.name === "zone.cpu-cap" && control.action === "deny" ? asNumber(control.limit) : undefined
    if (!isPlain(control)) rctl.push(control)
    else if (percent !== undefined && percent > 0) cappedCpuPercent = percent
    else if (kind !== undefined && control.action === "deny") memory[kind] = control.limit
    else if (alias === undefined || !put(limits, alias, control.limit)) rctl.push(control)
  }
  return {
    limits,
    rctl,
    ...(cappedCpuPercent === undefined ? {} : { cappedCpuPercent }),
    ...(Object.keys(memory).length === 0 ? {} : { cappedMemory: memory })
  }
}
