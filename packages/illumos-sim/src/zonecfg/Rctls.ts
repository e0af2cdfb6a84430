/** The resource controls behind capped-cpu, capped-memory and the alias properties. */
import type { ZoneConfiguration, ZoneResource } from "../HostState.js"

/** The value of a resource control that has exactly one. @category combinators */
export const limit = (configuration: ZoneConfiguration, name: string): string | undefined =>
  configuration.resources.find((resource) => resource.kind === "rctl" && resource.properties["name"] === name)?.values[0]?.["limit"]

/** Removes a resource control. @category combinators */
export const remove = (configuration: ZoneConfiguration, name: string): void => {
  configuration.resources = configuration.resources.filter((resource) => resource.kind !== "rctl" || resource.properties["name"] !== name)
}

/** Sets a resource control, replacing the one of that name. @category combinators */
export const set = (configuration: ZoneConfiguration, name: string, value: string, action: string): void => {
  remove(configuration, name)
  configuration.resources.push({ kind: "rctl", properties: { name }, options: [], values: [{ priv: "privileged", limit: value, action }] })
}

/** Where `capped-memory.physical` is kept: the kernel's control, or a cap enforced by rcapd on gate. @category combinators */
export const physical = {
  get: (configuration: ZoneConfiguration, dialect: "gate" | "omnios"): string | undefined =>
    dialect === "gate"
      ? configuration.resources.find((resource) => resource.kind === "mcap")?.properties["physcap"]
      : limit(configuration, "zone.max-physical-memory"),
  set: (configuration: ZoneConfiguration, dialect: "gate" | "omnios", value: string | undefined): void => {
    configuration.resources = configuration.resources.filter((resource) => resource.kind !== "mcap")
    if (dialect === "omnios") {
      remove(configuration, "zone.max-physical-memory")
      if (value !== undefined) set(configuration, "zone.max-physical-memory", value, "deny")
    } else if (value !== undefined) {
      configuration.resources.push({ kind: "mcap", properties: { physcap: value }, options: [], values: [] })
    }
  }
}

const draft = (kind: string, properties: Record<string, string>): ZoneResource => ({ kind, properties, options: [], values: [] })

/** capped-cpu or capped-memory as a resource that can be shown and edited; `undefined` when not set. @category combinators */
export const virtual = (configuration: ZoneConfiguration, kind: string, dialect: "gate" | "omnios"): ZoneResource | undefined => {
  if (kind === "capped-cpu") {
    const cap = limit(configuration, "zone.cpu-cap")
    return cap === undefined ? undefined : draft(kind, { ncpus: cap })
  }
  if (kind !== "capped-memory") return undefined
  const properties: Record<string, string> = {}
  const values = {
    physical: physical.get(configuration, dialect),
    swap: limit(configuration, "zone.max-swap"),
    locked: limit(configuration, "zone.max-locked-memory")
  }
  for (const [name, value] of Object.entries(values)) if (value !== undefined) properties[name] = value
  return Object.keys(properties).length === 0 ? undefined : draft(kind, properties)
}

/** Stores what capped-cpu or capped-memory stands for; with `undefined` it is removed. @category combinators */
export const store = (configuration: ZoneConfiguration, kind: string, dialect: "gate" | "omnios", resource: ZoneResource | undefined): void => {
  const put = (name: string, value: string | undefined) => {
    if (value === undefined) remove(configuration, name)
    else set(configuration, name, value, "deny")
  }
  if (kind === "capped-cpu") {
    put("zone.cpu-cap", resource?.properties["ncpus"])
    return
  }
  physical.set(configuration, dialect, resource?.properties["physical"])
  put("zone.max-swap", resource?.properties["swap"])
  put("zone.max-locked-memory", resource?.properties["locked"])
}
