import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { ZoneConfigRejected } from "../HostError.js"
import type { ZoneBrand } from "../ZoneBrand.js"
import * as ZoneConfig from "../ZoneConfig.js"
import * as ZoneResources from "../ZoneResources.js"
import type { ZoneSpec } from "../ZoneSpec.js"

/** What zones of every brand have in common: never booted by the host itself, with their own IP stack. */
const common = (brand: ZoneBrand, spec: ZoneSpec): ZoneConfig.ZoneConfig => ({
  ...ZoneConfig.make(spec.zonepath, brand.base ?? brand.name),
  limitpriv: spec.privileges ?? "default",
  net: spec.network.map((net) => ({
    physical: net.link,
    allowedAddress: net.address,
    ...(net.defaultRouter === undefined ? {} : { defrouter: net.defaultRouter })
  })),
  fs: spec.fileSystems,
  attr: spec.attributes.map(({ name, value }) => ({ name, type: "string", value })),
  device: spec.devices ?? [],
  dataset: spec.datasets ?? [],
  ...ZoneResources.configured(spec.resources ?? {})
})

/** The configuration for a spec by its brand, known to be expressible in zonecfg. */
export const toConfig = (
  brand: ZoneBrand,
  spec: ZoneSpec,
  dialect: ZoneConfig.Dialect = "omnios"
): Either.Either<ZoneConfig.ZoneConfig, ZoneConfigRejected> =>
  Either.flatMap(
    brand.configure(spec, common(brand, spec)),
    (config) => Either.map(ZoneConfig.render(spec.zoneName, config, { dialect }), () => config)
  )

/** As `toConfig`, for a program that runs. */
export const configOf = (
  brand: ZoneBrand,
  spec: ZoneSpec,
  dialect: ZoneConfig.Dialect
): Effect.Effect<ZoneConfig.ZoneConfig, ZoneConfigRejected> => Effect.suspend(() => toConfig(brand, spec, dialect))
