import type * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { ZoneConfigRejected } from "../HostError.js"
import * as ZoneConfig from "../ZoneConfig.js"
import type { ZoneSpec } from "../ZoneRuntime.js"

const max = (a: bigint, b: bigint): bigint => (a > b ? a : b)

const cap = (bytes: number): ZoneConfig.CappedMemory => {
  const limit = BigInt(Math.max(0, Math.ceil(bytes)))
  // Both, since physical alone only pages out; and never below what zonecfg accepts.
  return { physical: max(limit, ZoneConfig.leastPhysical), swap: max(limit, ZoneConfig.leastSwap) }
}

/** The configuration of a zone: never booted by the host itself, with its own IP stack. */
const toConfig = (spec: ZoneSpec): ZoneConfig.ZoneConfig => ({
  ...ZoneConfig.make(spec.zonepath, spec.brand),
  limitpriv: "default",
  net: spec.network.map((net) => ({
    physical: net.link,
    allowedAddress: net.address,
    ...(net.defaultRouter === undefined ? {} : { defrouter: net.defaultRouter })
  })),
  fs: spec.fileSystems,
  attr: spec.attributes.map(({ name, value }) => ({ name, type: "string", value })),
  ...(spec.cpuCap === undefined ? {} : { cappedCpuPercent: Math.max(1, Math.round(spec.cpuCap * 100)) }),
  ...(spec.memoryCap === undefined ? {} : { cappedMemory: cap(spec.memoryCap) })
})

/** The configuration for a spec, known to be expressible. */
export const configOf = (spec: ZoneSpec): Effect.Effect<ZoneConfig.ZoneConfig, ZoneConfigRejected> => {
  const config = toConfig(spec)
  return Either.map(ZoneConfig.render(spec.zoneName, config), () => config)
}
