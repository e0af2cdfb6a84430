/** Manifests as svccfg reads them: parsed, held against the grammar, and turned into instances. */
import * as Dtd from "./Dtd.js"
import type { Dependency, Instance, Property } from "./State.js"
import { type Element, parse } from "./Xml.js"

/** An instance as a manifest describes it. @category models */
export interface Described {
  readonly fmri: string
  readonly enabled: boolean
  readonly commonName: string
  readonly duration: Instance["duration"]
  readonly dependencies: ReadonlyArray<Dependency>
  readonly groups: Readonly<Record<string, string>>
  readonly properties: Readonly<Record<string, Property>>
  /** Properties that replace what an administrator set. */
  readonly override: ReadonlySet<string>
}

/** What a manifest file holds, or why svccfg does not take it (its standard error). @category models */
export type Reading = { readonly instances: ReadonlyArray<Described> } | { readonly refused: string }

const all = (element: Element, name: string): ReadonlyArray<Element> => element.children.filter((child) => child.name === name)
const attribute = (element: Element, name: string): string => element.attributes[name] ?? ""

const isGrouping = (text: string): text is Dependency["grouping"] => /^(require_all|require_any|exclude_all|optional_all)$/.test(text)
const isRestartOn = (text: string): text is Dependency["restartOn"] => /^(none|error|restart|refresh)$/.test(text)
const isDuration = (text: string): text is Instance["duration"] => /^(contract|child|transient)$/.test(text)

const dependencyOf = (element: Element): ReadonlyArray<Dependency> => {
  const grouping = attribute(element, "grouping")
  const restartOn = attribute(element, "restart_on")
  if (!isGrouping(grouping) || !isRestartOn(restartOn)) return []
  return [{ name: attribute(element, "name"), grouping, restartOn, type: attribute(element, "type"), on: all(element, "service_fmri").map((fmri) => attribute(fmri, "value")) }]
}

interface Collected {
  readonly groups: Record<string, string>
  readonly properties: Record<string, Property>
  readonly override: Set<string>
  readonly dependencies: Map<string, Dependency>
}

const collect = (into: Collected, element: Element): void => {
  const put = (group: string, name: string, type: string, values: ReadonlyArray<string>) => {
    into.properties[`${group}/${name}`] = { type, values }
  }
  for (const group of all(element, "property_group")) {
    const name = attribute(group, "name")
    into.groups[name] = attribute(group, "type")
    for (const property of group.children) {
      const key = `${name}/${attribute(property, "name")}`
      if (property.name === "propval") put(name, attribute(property, "name"), attribute(property, "type"), [attribute(property, "value")])
      if (property.name === "property") {
        put(name, attribute(property, "name"), attribute(property, "type"), property.children.flatMap((list) => list.children.map((node) => attribute(node, "value"))))
      }
      if (property.attributes["override"] === "true") into.override.add(key)
    }
  }
  for (const method of all(element, "exec_method")) {
    const name = attribute(method, "name")
    into.groups[name] = "method"
    put(name, "exec", "astring", [attribute(method, "exec")])
    put(name, "timeout_seconds", "count", [attribute(method, "timeout_seconds")])
    put(name, "type", "astring", [attribute(method, "type")])
  }
  for (const dependency of all(element, "dependency").flatMap(dependencyOf)) {
    into.dependencies.set(dependency.name, dependency)
    into.groups[dependency.name] = "dependency"
    put(dependency.name, "entities", "fmri", [...dependency.on])
    put(dependency.name, "grouping", "astring", [dependency.grouping])
    put(dependency.name, "restart_on", "astring", [dependency.restartOn])
    put(dependency.name, "type", "astring", [dependency.type])
  }
}

const instancesOf = (service: Element): ReadonlyArray<Described> => {
  const name = attribute(service, "name")
  const commonName = all(service, "template").flatMap((template) => all(template, "common_name")).flatMap((common) => all(common, "loctext"))[0]?.text.trim() ?? name
  const described = (instance: string, enabled: string, own: Element | undefined): Described => {
    const collected: Collected = { groups: {}, properties: {}, override: new Set(), dependencies: new Map() }
    collect(collected, service)
    if (own !== undefined) collect(collected, own)
    const duration = collected.properties["startd/duration"]?.values[0] ?? "contract"
    return {
      fmri: `svc:/${name}:${instance}`,
      enabled: enabled === "true",
      commonName,
      // `wait` is another name for the model of a start method that is the daemon.
      duration: isDuration(duration) ? duration : duration === "wait" ? "child" : "contract",
      dependencies: [...collected.dependencies.values()],
      groups: collected.groups,
      properties: collected.properties,
      override: collected.override
    }
  }
  return [
    ...all(service, "create_default_instance").map((element) => described("default", attribute(element, "enabled"), undefined)),
    ...all(service, "instance").map((element) => described(attribute(element, "name"), attribute(element, "enabled"), element))
  ]
}

const valuePatterns: Readonly<Record<string, RegExp>> = {
  boolean: /^(true|false|0|1)$/,
  count: /^\d{1,20}$/,
  integer: /^-?\d{1,19}$/,
  time: /^\d+(\.\d{1,9})?$/,
  fmri: /^(svc|lrc):/
}

const meaningless = ({ fmri, properties }: Described): string | undefined => {
  if (!/^svc:\/[A-Za-z][A-Za-z0-9_.,-]*(\/[A-Za-z0-9][A-Za-z0-9_.,-]*)*:[A-Za-z0-9][A-Za-z0-9_.,-]*$/.test(fmri)) return `svccfg: "${fmri}" is an invalid FMRI.`
  for (const [key, { type, values }] of Object.entries(properties)) {
    const bad = values.find((value) => valuePatterns[type]?.test(value) === false)
    if (bad !== undefined) return `svccfg: Illegal value "${bad}" for type ${type} (property ${key} of ${fmri}).`
  }
  return undefined
}

const DTD = "/usr/share/lib/xml/dtd/service_bundle.dtd.1"

/** Reads the text of the file `path`; `undefined` text means that there is no such file. @category constructors */
export const read = (path: string, text: string | undefined): Reading => {
  if (text === undefined) return { refused: `I/O warning : failed to load external entity "${path}"\nsvccfg: couldn't parse document` }
  const document = parse(text)
  if ("problem" in document) return { refused: `${path}:${document.line}: parser error : ${document.problem}\nsvccfg: couldn't parse document` }
  const { doctype, root } = document
  const declared = doctype !== undefined && /^service_bundle\s+SYSTEM\s+(["'])(.*)\1$/s.exec(doctype)?.[2] === DTD
  const invalid = declared ? Dtd.validate(root) : "1: validity error : no DTD found!"
  if (invalid !== undefined) return { refused: `${path}:${invalid}\nsvccfg: Document is not valid.` }
  if (attribute(root, "type") !== "manifest") return { refused: `svccfg: ${path}: document is not a manifest` }
  const services = root.children.flatMap((child) => child.name === "service" ? [child] : child.children.filter(({ name }) => name === "service"))
  const instances = services.flatMap(instancesOf)
  const problem = instances.map(meaningless).find((text) => text !== undefined)
  return problem === undefined ? { instances } : { refused: problem }
}
