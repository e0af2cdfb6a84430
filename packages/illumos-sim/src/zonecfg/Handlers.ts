/** Handlers of the global scope, and the dispatch of parsed commands. */
import * as fs from "node:fs"
import { findZone, type ZoneConfiguration } from "../HostState.js"
import { getopt, hasFlag, lastValue } from "../internal/getopt.js"
import * as Display from "./Display.js"
import type { Command, Value } from "./Parser.js"
import * as Rctls from "./Rctls.js"
import * as Resources from "./Resources.js"
import { complain, configuration, isInstalled, print, reject, type Session, stored } from "./Session.js"
import * as StoredFile from "./StoredFile.js"
import * as Values from "./Values.js"
import { verify } from "./Verify.js"

const template = (session: Session, name: string): ZoneConfiguration | undefined => {
  const { brands, dialect } = session.context.host
  const fallback = dialect === "omnios" ? "lipkg" : "ipkg"
  const make = (properties: Record<string, string>): ZoneConfiguration => ({ properties: { zonepath: "", autoboot: "false", ...properties }, resources: [] })
  if (name === "SUNWblank") return make({ brand: fallback })
  if (name === "SUNWdefault") return make({ brand: fallback, "ip-type": "exclusive" })
  const brand = /^(?:OMNI|SUNW)([a-z0-9]+)$/.exec(name)?.[1]
  if (brand !== undefined && brands.includes(brand)) return make({ brand, "ip-type": "exclusive" })
  const zone = findZone(session.context.host, name)
  return zone === undefined ? undefined : structuredClone(zone.configuration)
}

const create = (session: Session, words: ReadonlyArray<string>): void => {
  if (!Resources.inScope(session, "create", "global")) return
  const parsed = getopt(words, "?a:bFt:")
  if (parsed.error !== undefined || parsed.operands.length > 0 || hasFlag(parsed, "?")) {
    reject(session, "usage:\n\tcreate [-F] [ -a <path> |-b | -t <template> ]")
    return
  }
  const existing = stored(session)
  if (isInstalled(session)) {
    complain(session, `Zone ${session.zoneName} already installed; create not allowed.`)
    return
  }
  if (existing !== undefined || session.configuration !== undefined) {
    if (!hasFlag(parsed, "F")) {
      reject(session, "Zone exists, input not from terminal and -F not specified:\ncreate command ignored, exiting.")
      session.stopped = true
      return
    }
    print(session, `Zone ${session.zoneName} already exists; overwriting.`)
  }
  if (hasFlag(parsed, "a")) {
    reject(session, `${lastValue(parsed, "a") ?? ""}: could not read the detached configuration`)
    return
  }
  const name = hasFlag(parsed, "b") ? "SUNWblank" : lastValue(parsed, "t") ?? "SUNWdefault"
  const made = template(session, name)
  if (made === undefined) {
    reject(session, `${name}: No such zone configured`)
    return
  }
  session.configuration = made
  session.changed = true
}

const remove = (session: Session, words: ReadonlyArray<string>): void => {
  if (!Resources.inScope(session, "delete", "global")) return
  const force = words.includes("-F")
  const zone = stored(session)
  if (zone === undefined) {
    reject(session, `${session.zoneName}: No such zone configured`)
    return
  }
  if (!force) {
    reject(session, "Input not from terminal and -F not specified:\ndelete command ignored, exiting.")
    session.stopped = true
    return
  }
  if (zone.kernel !== undefined) {
    reject(session, `${session.zoneName}: Zone state is invalid for the requested operation`)
    return
  }
  session.context.host.zones = session.context.host.zones.filter((other) => other !== zone)
  StoredFile.remove(session.context, zone.name)
  session.configuration = undefined
  session.changed = false
}

const rename = (session: Session, name: string): void => {
  if (!Values.isZoneName(name)) {
    reject(session, `${name}: Bogus zone name`)
    return
  }
  if (name !== session.zoneName && findZone(session.context.host, name) !== undefined) {
    reject(session, `${name}: Zone name already in use`)
    return
  }
  if (stored(session)?.kernel !== undefined) {
    reject(session, `${session.zoneName}: Zone state is invalid for the requested operation`)
    return
  }
  session.zoneName = name
  session.changed = true
}

const setAlias = (session: Session, config: ZoneConfiguration, property: string, text: string): void => {
  const checked = Values.checkAlias(property, text)
  const alias = Values.aliases[property]
  if (alias === undefined) return
  if ("refused" in checked) {
    reject(session, checked.refused)
    return
  }
  const existing = config.resources.find((resource) => resource.kind === "rctl" && resource.properties["name"] === alias.rctl)
  if (existing !== undefined && (existing.values.length !== 1 || existing.values[0]?.["action"] !== alias.action)) {
    reject(session, `${property}: An incompatible rctl already exists for this property`)
    return
  }
  Rctls.set(config, alias.rctl, checked.value, alias.action)
  session.changed = true
}

const set = (session: Session, property: string, value: Value, force: boolean): void => {
  const config = configuration(session)
  if (config === undefined) return
  if (force) {
    // A simulated host has one root.
    reject(session, property === "zonepath" ? "Zonepath is changeable only in an alternate root." : "Only zonepath setting can be forced.")
    return
  }
  if (session.open !== undefined) {
    Resources.setProperty(session, property, value)
    return
  }
  if (value.kind !== "simple") {
    reject(session, "A simple value was expected here.")
    return
  }
  if (property === "zonename") {
    rename(session, value.text)
    return
  }
  const dedicated = config.resources.some((resource) => resource.kind === "dedicated-cpu")
  if (dedicated && property === "pool") {
    reject(session, "The dedicated-cpu resource already exists.  A persistent pool is incompatible\nwith the dedicated-cpu resource.")
    return
  }
  if (dedicated && property === "cpu-shares") {
    reject(session, "cpu-shares: The dedicated-cpu resource already exists.")
    return
  }
  if (property in Values.aliases) {
    setAlias(session, config, property, value.text)
    return
  }
  if (!Values.globalNames.includes(property)) {
    reject(session, "Cannot set a resource-specific property from the global scope.")
    return
  }
  if ((property === "zonepath" || property === "brand") && isInstalled(session)) {
    complain(session, `Zone ${session.zoneName} already installed; set ${property} not allowed.`)
    return
  }
  const checked = Values.checkGlobal(property, value.text)
  if ("refused" in checked) {
    reject(session, checked.refused)
    return
  }
  config.properties[property] = checked.value
  session.changed = true
}

const clear = (session: Session, property: string): void => {
  const config = configuration(session)
  if (config === undefined) return
  if (session.open !== undefined) {
    Resources.clearProperty(session, property)
    return
  }
  const alias = Values.aliases[property]
  if (alias !== undefined) {
    if (Rctls.limit(config, alias.rctl) === undefined) {
      reject(session, `clear ${property}: No such entry`)
      return
    }
    Rctls.remove(config, alias.rctl)
    session.changed = true
    return
  }
  if (["zonename", "zonepath", "brand"].includes(property) || !Values.globalNames.includes(property)) {
    reject(session, `${property}: Clearing this property is not allowed`)
    return
  }
  delete config.properties[property]
  session.changed = true
}

const exportTo = (session: Session, words: ReadonlyArray<string>): void => {
  const config = configuration(session)
  if (config === undefined || !Resources.inScope(session, "export", "global")) return
  const text = Display.exportText(config, session.context.host.dialect)
  const parsed = getopt(words, "?f:")
  const target = lastValue(parsed, "f")
  if (parsed.error !== undefined || parsed.operands.length > 0) {
    reject(session, "usage:\n\texport [-f output-file]")
    return
  }
  if (target === undefined || target === "-") {
    print(session, text)
    return
  }
  const real = session.context.files.real(target)
  session.context.files.makeDirectory(real.slice(0, real.lastIndexOf("/")))
  fs.writeFileSync(real, `${text}\n`)
}

const word = (session: Session, command: string, words: ReadonlyArray<string>): void => {
  if (["end", "cancel", "commit", "verify"].includes(command) && words.length > 0) {
    reject(session, `usage:\n\t${command}`)
    return
  }
  switch (command) {
    case "create": create(session, words); break
    case "delete": remove(session, words); break
    case "end": Resources.end(session); break
    case "cancel": Resources.cancel(session); break
    case "commit":
    case "verify":
      if (configuration(session) !== undefined && Resources.inScope(session, command, "global")) verify(session, command === "commit")
      break
    case "revert":
      if (Resources.inScope(session, "revert", "global") && configuration(session) !== undefined) {
        session.configuration = undefined
        session.changed = false
        configuration(session)
      }
      break
    case "export": exportTo(session, words); break
    case "exit":
      session.stopped = true
      break
    case "help": print(session, "Commands: add cancel clear commit create delete end exit export help info remove revert select set verify"); break
    default: reject(session, `${command}: unknown command`)
  }
}

/** Runs one command. @category commands */
export const run = (session: Session, command: Command): void => {
  switch (command.name) {
    case "words": word(session, command.command, command.words); break
    case "addResource": Resources.open(session, command.resource); break
    case "addProperty": if (configuration(session) !== undefined) Resources.addProperty(session, command.property, command.value); break
    case "removeProperty": if (configuration(session) !== undefined) Resources.removeProperty(session, command.property, command.value); break
    case "set": set(session, command.property, command.value, command.force); break
    case "clear": clear(session, command.property); break
    case "select": Resources.select(session, command); break
    case "removeResource": Resources.remove(session, command); break
    case "info": Display.info(session, command.subject, command.where); break
  }
}
