/** What differs between two configurations of a zone, in words for people: `net rd_web_0`, `attr owner`, `autoboot`. */
import { isDeepStrictEqual } from "node:util"
import { normal } from "./internal/zonecfg/normal.js"
import type { ZoneConfig } from "./ZoneConfig.js"

/** One part of a configuration that is not as wanted. @category models */
export interface Difference {
  /** The property, or the kind of resource. */
  readonly what: string
  /** Which resource of its kind; absent for a property of the zone. */
  readonly name?: string
}

type Keyed = ReadonlyArray<readonly [key: string, value: unknown]>

/** The name by which zonecfg knows a property of the model: `cappedMemory` is `capped-memory`. */
const zonecfgName = (property: string): string => property.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)

const named = (what: string, found: Keyed, wanted: Keyed): ReadonlyArray<Difference> => {
  const [before, after] = [new Map(found), new Map(wanted)]
  return [...new Set([...before.keys(), ...after.keys()])].filter((key) => !isDeepStrictEqual(before.get(key), after.get(key))).toSorted()
    .map((name) => ({ what, name }))
}

const resources = ({ admin, attr, dataset, device, fs, net, rctl }: ZoneConfig): Readonly<Record<string, Keyed>> => ({
  net: net.map((one) => [one.allowedAddress === undefined ? one.physical : `${one.physical} ${one.allowedAddress}`, one]),
  fs: fs.map((one) => [one.dir, one]),
  device: device.map((match) => [match, match]),
  rctl: rctl.map((one) => [one.name, one]),
  attr: attr.map((one) => [one.name, one]),
  dataset: dataset.map((name) => [name, name]),
  admin: (admin ?? []).map((one) => [one.user, one])
})

/**
 * Every part in which `found` is not `wanted`; none when a host could not tell the two apart.
 *
 * @category combinators
 */
export const of = (found: ZoneConfig, wanted: ZoneConfig): ReadonlyArray<Difference> => {
  const [before, after] = [normal(found), normal(wanted)]
  const [had, has] = [resources(before), resources(after)]
  const properties = (config: ZoneConfig): Keyed => Object.entries(config).filter(([name]) => !(name in had)).map(([name, value]) => [zonecfgName(name), value])
  return [
    ...named("", properties(before), properties(after)).map(({ name = "" }): Difference => ({ what: name })),
    ...Object.keys(had).flatMap((kind) => named(kind, had[kind] ?? [], has[kind] ?? []))
  ]
}

/** In words. @category combinators */
export const describe = ({ name, what }: Difference): string => name === undefined ? what : `${what} ${name}`
