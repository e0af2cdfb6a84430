/** Handlers of the resource scope: add, set, end, cancel, and select and remove of whole resources. */
import type { ZoneConfiguration, ZoneResource } from "../HostState.js"
import type { Command, Pair, Value } from "./Parser.js"
import * as Rctls from "./Rctls.js"
import { complain, configuration, reject, type Session } from "./Session.js"
import * as Values from "./Values.js"

const singles = new Set(["dedicated-cpu", "capped-cpu", "capped-memory", "security-flags"])
const virtuals = new Set(["capped-cpu", "capped-memory"])

const requiredProperties: Readonly<Record<string, ReadonlyArray<string>>> = {
  fs: ["dir", "special", "type"],
  net: ["physical"],
  device: ["match"],
  rctl: ["name"],
  attr: ["name", "type", "value"],
  dataset: ["name"],
  "dedicated-cpu": ["ncpus"],
  "capped-cpu": ["ncpus"],
  admin: ["user", "auths"]
}

const keys: Readonly<Record<string, ReadonlyArray<string>>> = {
  fs: ["dir"], net: ["physical", "address", "allowed-address"], device: ["match"], rctl: ["name"], attr: ["name"], dataset: ["name"], admin: ["user"]
}

const find = (config: ZoneConfiguration, kind: string, dialect: "gate" | "omnios"): ReadonlyArray<ZoneResource> =>
  virtuals.has(kind)
    ? [Rctls.virtual(config, kind, dialect)].flatMap((resource) => resource ?? [])
    : config.resources.filter((resource) => resource.kind === kind)

/** The resources of one kind that match every qualifier. @category combinators */
export const matching = (session: Session, config: ZoneConfiguration, kind: string, where: ReadonlyArray<Pair>): ReadonlyArray<ZoneResource> =>
  find(config, kind, session.context.host.dialect).filter((resource) =>
    where.every((pair) => resource.properties[pair.name] === pair.value)
  )

/** Complains when the command is used in the wrong scope. @category combinators */
export const inScope = (session: Session, command: string, scope: "global" | "resource"): boolean => {
  const current = session.open === undefined ? "global" : "resource"
  if (current === scope) return true
  reject(session, `The ${command} command only makes sense in the ${scope} scope.`)
  return false
}

/** `add <resource>`. @category commands */
export const open = (session: Session, kind: string): void => {
  const config = configuration(session)
  if (config === undefined || !inScope(session, "add", "global")) return
  const existing = find(config, kind, session.context.host.dialect)
  if (kind === "capped-memory" && existing.length > 0) {
    reject(session, "The capped-memory resource or a related resource control already exists.")
    return
  }
  if (singles.has(kind) && existing.length > 0) {
    reject(session, `The ${kind} resource already exists.`)
    return
  }
  const rival = { "dedicated-cpu": "capped-cpu", "capped-cpu": "dedicated-cpu" }[kind]
  if (rival !== undefined && find(config, rival, session.context.host.dialect).length > 0) {
    reject(session, `The ${rival} resource already exists.`)
    return
  }
  if (kind === "dedicated-cpu" && (config.properties["pool"] ?? "") !== "") {
    reject(session, "The pool property is already set.  A persistent pool is incompatible with\nthe dedicated-cpu resource.")
    return
  }
  if (kind === "dedicated-cpu" && Rctls.limit(config, "zone.cpu-shares") !== undefined) {
    reject(session, "The cpu-shares property is already set.")
    return
  }
  session.open = { resource: { kind, properties: {}, options: [], values: [] }, replaces: [] }
}

const pairsOf = (value: Value): Record<string, string> | undefined =>
  value.kind === "complex" ? Object.fromEntries(value.pairs.map((pair) => [pair.name, pair.value])) : undefined

const itemsOf = (value: Value): ReadonlyArray<Exclude<Value, { readonly kind: "list" }>> => value.kind === "list" ? value.items : [value]

/** `add <property> <value>` inside a resource. @category commands */
export const addProperty = (session: Session, property: string, value: Value): void => {
  if (!inScope(session, "add", "resource")) return
  const resource = session.open?.resource
  if (resource === undefined) return
  if (resource.kind === "fs" && property === "options") {
    for (const item of itemsOf(value)) {
      if (item.kind === "simple") resource.options.push(item.text)
      else reject(session, "A simple value was expected here.")
    }
    return
  }
  if (resource.kind === "net" && property === "property" && session.context.host.dialect === "omnios") {
    for (const item of itemsOf(value)) {
      const pairs = pairsOf(item)
      if (pairs?.["name"] === undefined || pairs["value"] === undefined) reject(session, "A complex value was expected here.")
      else resource.values.push(pairs)
    }
    return
  }
  if (resource.kind === "rctl" && property === "value") {
    for (const item of itemsOf(value)) {
      const pairs = pairsOf(item)
      const valid = pairs?.["priv"] === "privileged" && /^\d+$/.test(pairs["limit"] ?? "") && ["none", "deny"].includes(pairs["action"] ?? "")
      if (pairs === undefined) reject(session, "A complex value was expected here.")
      else if (valid) resource.values.push(pairs)
      else reject(session, "Invalid rctl value specification")
    }
    return
  }
  if (resource.kind === "admin" && property === "auths") {
    for (const item of itemsOf(value)) if (item.kind === "simple") resource.properties["auths"] = [resource.properties["auths"], item.text].filter(Boolean).join(",")
    return
  }
  reject(session, `${property}: No such property type`)
}

/** `remove <property> <value>` inside a resource. @category commands */
export const removeProperty = (session: Session, property: string, value: Value): void => {
  if (!inScope(session, "remove", "resource")) return
  const resource = session.open?.resource
  if (resource === undefined) return
  const text = value.kind === "simple" ? value.text : undefined
  if (resource.kind === "net" && property === "defrouter") {
    delete resource.properties["defrouter"]
    return
  }
  if (resource.kind === "fs" && property === "options" && text !== undefined && resource.options.includes(text)) {
    resource.options = resource.options.filter((option) => option !== text)
    return
  }
  const pairs = pairsOf(value)
  const index = resource.values.findIndex((candidate) => pairs !== undefined && Object.entries(pairs).every(([name, text]) => candidate[name] === text))
  if (index < 0) reject(session, `${property}: No such property with that id`)
  else resource.values.splice(index, 1)
}

/** `set <property>=<value>` inside a resource. @category commands */
export const setProperty = (session: Session, property: string, value: Value): void => {
  const resource = session.open?.resource
  if (resource === undefined) return
  if (value.kind === "list" && value.items.length === 0) {
    if (property === "options") resource.options = []
    else if (property === "property" || property === "value") resource.values = []
    else delete resource.properties[property]
    return
  }
  if (value.kind !== "simple") {
    reject(session, "A simple value was expected here.")
    return
  }
  const checked = Values.checkResource(resource.kind, property, value.text)
  if (checked === undefined) reject(session, `${property}: No such property type`)
  else if ("refused" in checked) reject(session, checked.refused)
  else if (resource.kind === "rctl" && property === "name" && !/^zone\.[a-z-]+$/.test(checked.value)) {
    complain(session, `'${checked.value}' is not a valid zone rctl name.`)
  } else resource.properties[property] = checked.value
}

/** `clear <property>` inside a resource. @category commands */
export const clearProperty = (session: Session, property: string): void => {
  const resource = session.open?.resource
  if (resource === undefined) return
  const clearable: Readonly<Record<string, ReadonlyArray<string>>> = { "capped-memory": ["physical", "swap", "locked"], fs: ["raw"], "dedicated-cpu": ["importance"] }
  if (clearable[resource.kind]?.includes(property) === true) delete resource.properties[property]
  else reject(session, `${property}: Clearing this property is not allowed`)
}

const missing = (resource: ZoneResource): string | undefined => {
  if (resource.kind === "capped-memory") {
    return Object.keys(resource.properties).length === 0 ? "No property was specified.  One of physical, swap or locked is required." : undefined
  }
  if (resource.kind === "security-flags" && Object.keys(resource.properties).length === 0) return "No property was specified.  One of default, lower or upper is required."
  const absent = (requiredProperties[resource.kind] ?? []).find((name) => (resource.properties[name] ?? "") === "")
  if (absent !== undefined) return `${absent} not specified`
  return resource.kind === "rctl" && resource.values.length === 0 ? "value not specified" : undefined
}

const article = (kind: string): string => (/^[aeiou]/.test(kind) ? "An" : "A")

const duplicate = (config: ZoneConfiguration, resource: ZoneResource, replaced: ReadonlyArray<ZoneResource>): string | undefined => {
  const names = keys[resource.kind]
  if (names === undefined) return undefined
  const same = config.resources.some((other) =>
    other.kind === resource.kind && !replaced.includes(other) && names.every((name) => other.properties[name] === resource.properties[name])
  )
  if (!same) return undefined
  if (resource.kind === "net") {
    const address = resource.properties["allowed-address"] === undefined ? "address" : "allowed-address"
    return `A net resource with the physical '${resource.properties["physical"] ?? ""}', and ${address} '${resource.properties[address] ?? ""}' already exists.`
  }
  const key = names[0] ?? ""
  return `${article(resource.kind)} ${resource.kind} resource with the ${key} '${resource.properties[key] ?? ""}' already exists.`
}

const semantic = (config: ZoneConfiguration, resource: ZoneResource): string | undefined => {
  if (resource.kind === "attr") {
    return Values.attributeProblem(resource.properties["name"] ?? "", resource.properties["type"] ?? "", resource.properties["value"] ?? "")
  }
  if (resource.kind === "admin") return Values.adminProblem(resource.properties["user"] ?? "", resource.properties["auths"] ?? "")
  if (resource.kind === "net") {
    const physical = resource.properties["physical"] ?? ""
    if (config.properties["ip-type"] === "exclusive") return Values.physicalProblem(physical)
    return physical.includes(":") ? `${physical}: physical interface name required; logical interface name not allowed` : undefined
  }
  if (resource.kind === "capped-memory") {
    const { physical, locked } = resource.properties
    return physical !== undefined && locked !== undefined && Number(locked) > Number(physical) ? "The locked value must be less than or equal to the physical value." : undefined
  }
  return undefined
}

/** `end`. @category commands */
export const end = (session: Session): void => {
  const config = configuration(session)
  if (config === undefined || !inScope(session, "end", "resource") || session.open === undefined) return
  const { resource, replaces } = session.open
  const problem = missing(resource) ?? semantic(config, resource) ?? duplicate(config, resource, replaces)
  if (problem !== undefined) {
    reject(session, problem)
    return
  }
  if (virtuals.has(resource.kind)) {
    Rctls.store(config, resource.kind, session.context.host.dialect, resource)
  } else {
    const at = config.resources.findIndex((other) => replaces.includes(other))
    if (at >= 0) config.resources[at] = resource
    else config.resources.push(resource)
  }
  session.open = undefined
  session.changed = true
}

/** `cancel`. @category commands */
export const cancel = (session: Session): void => {
  if (inScope(session, "cancel", "resource")) session.open = undefined
}

/** Properties by which a resource can be named; others are refused although the grammar takes them. */
const qualifiers: Readonly<Record<string, ReadonlyArray<string>>> = {
  fs: ["dir", "special", "raw", "type"],
  net: ["physical", "address", "allowed-address", "defrouter"],
  device: ["match"],
  rctl: ["name"],
  attr: ["name", "type", "value"],
  dataset: ["name"],
  admin: ["user", "auths"]
}

const badQualifier = (session: Session, command: string, resource: string, where: ReadonlyArray<Pair>): boolean => {
  const bad = where.find((pair) => !(qualifiers[resource] ?? []).includes(pair.name))
  if (bad === undefined) return false
  reject(session, `${bad.name}: No such property type\n${command} ${resource}: Insufficient specification`)
  return true
}

/** `select`. @category commands */
export const select = (session: Session, command: Extract<Command, { readonly name: "select" }>): void => {
  const config = configuration(session)
  if (config === undefined || !inScope(session, "select", "global")) return
  const single = singles.has(command.resource)
  if (badQualifier(session, "select", command.resource, command.where)) return
  if (!single && command.where.length === 0) {
    reject(session, `select ${command.resource}: No such resource with that id`)
    return
  }
  const found = matching(session, config, command.resource, command.where)
  const [first, second] = found
  if (first === undefined) {
    reject(session, single ? `The ${command.resource} resource does not exist.` : `select ${command.resource}: No such resource with that id`)
    return
  }
  if (second !== undefined) {
    reject(session, `select ${command.resource}: Insufficient specification`)
    return
  }
  session.open = { resource: structuredClone(first), replaces: [first] }
}

/** `remove <resource>` in the global scope. @category commands */
export const remove = (session: Session, command: Extract<Command, { readonly name: "removeResource" }>): void => {
  const config = configuration(session)
  if (config === undefined || !inScope(session, "remove", "global")) return
  if (badQualifier(session, "remove", command.resource, command.where)) return
  const found = matching(session, config, command.resource, command.where)
  if (found.length > 1 && command.where.length > 0) {
    // -F is for all of a kind: what names one resource must name one.
    reject(session, `remove ${command.resource}: Insufficient specification`)
    return
  }
  if (found.length === 0) {
    reject(session, `remove ${command.resource}: ${command.where.length === 0 ? "No such entry" : "No such resource with that id"}`)
    return
  }
  if (found.length > 1 && !command.force) {
    reject(session, "There are multiple instances of this resource.  Either qualify the resource to\nremove a single instance or use the -F option to remove all instances.")
    return
  }
  if (virtuals.has(command.resource)) Rctls.store(config, command.resource, session.context.host.dialect, undefined)
  else config.resources = config.resources.filter((resource) => !found.includes(resource))
  session.changed = true
}
