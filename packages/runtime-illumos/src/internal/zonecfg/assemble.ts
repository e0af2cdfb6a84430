/** Blocks and global properties put together into the model. */
import type * as Model from "../../ZoneConfig.js"
import * as blocks from "./blocks.js"
import { fold } from "./controls.js"

/** A configuration, and the resources that the model has no place for. */
export interface Reading {
  readonly config: Model.ZoneConfig
  /** Names of resources that could not be read. */
  readonly unknown: ReadonlyArray<string>
}

interface Caps {
  percent: number | undefined
  readonly memory: { -readonly [K in keyof Model.CappedMemory]: Model.CappedMemory[K] }
}

/** `capped-cpu` and `capped-memory` blocks; exact numbers of the resource controls win over rounded ones. */
const readCaps = (found: ReadonlyArray<blocks.Block>): Caps => {
  const caps: Caps = { percent: undefined, memory: {} }
  for (const block of found) {
    // The small term undoes the binary error of decimal fractions such as 0.29.
    if (block.resource === "capped-cpu") caps.percent = Math.trunc(Number(block.values.get("ncpus")) * 100 + 1e-9)
    if (block.resource !== "capped-memory") continue
    for (const kind of ["physical", "swap", "locked"] as const) {
      const bytes = blocks.bytesOf(block.values.get(kind) ?? "")
      if (bytes !== undefined) caps.memory[kind] = bytes
    }
  }
  return caps
}

export const assemble = (
  globals: ReadonlyMap<string, string>,
  found: ReadonlyArray<blocks.Block>,
  limits: Model.ZoneLimits = {}
): Reading => {
  const unknown: Array<string> = found.flatMap(({ resource }) => resource === "capped-cpu" || resource === "capped-memory" ? [] : [resource])
  const of = <A>(resource: string, build: (block: blocks.Block) => A | undefined): Array<A> =>
    found.flatMap((block) => {
      const value = block.resource === resource ? build(block) : undefined
      if (value === undefined) return []
      unknown.splice(unknown.indexOf(resource), 1)
      return [value]
    })
  const folded = fold(of("rctl", blocks.rctl))
  const caps = readCaps(found)
  const memory = { ...caps.memory, ...folded.cappedMemory }
  const admin = of("admin", blocks.admin)
  const config: Model.ZoneConfig = {
    ...blocks.globals(globals),
    ...limits,
    ...folded.limits,
    net: of("net", blocks.net),
    fs: of("fs", blocks.fs),
    device: of("device", blocks.device),
    rctl: folded.rctl,
    attr: of("attr", blocks.attr),
    dataset: of("dataset", blocks.dataset),
    ...(admin.length === 0 ? {} : { admin }),
    ...blocks.optional(of("security-flags", blocks.securityFlags)[0], (securityFlags) => ({ securityFlags })),
    ...blocks.optional(of("dedicated-cpu", blocks.dedicatedCpu)[0], (dedicatedCpu) => ({ dedicatedCpu })),
    ...blocks.optional(folded.cappedCpuPercent ?? caps.percent, (cappedCpuPercent) => ({ cappedCpuPercent })),
    ...(Object.keys(memory).length === 0 ? {} : { cappedMemory: memory })
  }
  return { config, unknown }
}
