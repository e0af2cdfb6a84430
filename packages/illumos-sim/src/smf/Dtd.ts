/** The grammar of manifests: which elements may stand in which, in which order, with which attributes (`service_bundle.dtd.1`). */
import type { Element } from "./Xml.js"

interface Rule {
  /** Names of children, each followed by a comma. */
  readonly content: RegExp
  readonly required: Readonly<Record<string, RegExp>>
  readonly optional?: Readonly<Record<string, RegExp>>
  readonly text?: boolean
}

const any = /^[^]*$/
const flag = /^(true|false)$/
const types = "count|integer|opaque|host|hostname|net_address_v4|net_address_v6|time|astring|ustring|boolean|fmri|uri"
const type = new RegExp(`^(${types})$`)
const grouping = /^(require_all|require_any|exclude_all|optional_all)$/
const restartOn = /^(error|restart|refresh|none)$/
const empty = /^$/
const properties = "(stability,)?((propval|property),)*"

const rule = (content: string, required: Rule["required"] = {}, optional: Rule["optional"] = {}): Rule => ({ content: new RegExp(`^${content}$`), required, optional })

const lists = Object.fromEntries(types.split("|").map((name) => [`${name}_list`, rule("(value_node,)+")]))

const rules: Readonly<Record<string, Rule>> = {
  ...lists,
  service_bundle: rule("((service_bundle,)*|(service,)*)", { type: any, name: any }),
  service: rule(
    "(create_default_instance,)?(single_instance,)?(restarter,)?(dependency,)*(dependent,)*(method_context,)?(exec_method,)*(notification_parameters,)*(property_group,)*(instance,)*(stability,)?(template,)?",
    { name: any, version: any, type: /^(service|restarter|milestone)$/ }
  ),
  instance: rule(
    "(restarter,)?(dependency,)*(dependent,)*(method_context,)?(exec_method,)*(notification_parameters,)*(property_group,)*(template,)?",
    { name: any, enabled: flag }
  ),
  create_default_instance: { content: empty, required: { enabled: flag } },
  single_instance: { content: empty, required: {} },
  restarter: rule("service_fmri,"),
  service_fmri: { content: empty, required: { value: any } },
  dependency: rule(`(service_fmri,)*${properties}`, { name: any, grouping, restart_on: restartOn, type: any }, { delete: flag }),
  dependent: rule(`service_fmri,${properties}`, { name: any, grouping, restart_on: restartOn }, { delete: flag, override: flag }),
  method_context: rule("((method_profile|method_credential),)?(method_environment,)?", {}, {
    working_directory: any, project: any, resource_pool: any, security_flags: any
  }),
  method_profile: { content: empty, required: { name: any } },
  method_credential: { content: empty, required: { user: any }, optional: { group: any, supp_groups: any, privileges: any, limit_privileges: any } },
  method_environment: rule("(envvar,)+"),
  envvar: { content: empty, required: { name: any, value: any } },
  exec_method: rule(`(method_context,)?${properties}`, { type: /^(method|monitor)$/, name: any, exec: any, timeout_seconds: any }, { delete: flag }),
  property_group: rule(properties, { name: any, type: any }, { delete: flag }),
  propval: { content: empty, required: { name: any, type, value: any }, optional: { override: flag } },
  property: rule(`((${types})_list,)?`, { name: any, type }, { override: flag }),
  value_node: { content: empty, required: { value: any } },
  stability: { content: empty, required: { value: /^(Standard|Stable|Evolving|Unstable|External|Obsolete)$/ } },
  template: rule("common_name,(description,)?(documentation,)?(pg_pattern,)*"),
  common_name: rule("(loctext,)+"),
  description: rule("(loctext,)+"),
  loctext: { content: empty, required: { "xml:lang": any }, text: true },
  documentation: rule("((manpage|doc_link),)*"),
  manpage: { content: empty, required: { title: any, section: any }, optional: { manpath: any } },
  doc_link: { content: empty, required: { name: any, uri: any } }
}

const problem = (element: Element, text: string): string => `${element.line}: element ${element.name}: validity error : ${text}`

/** The first offence against the grammar in the order of the document, as libxml2 words it; nothing when there is none. @category combinators */
export const validate = (element: Element): string | undefined => {
  const found = rules[element.name]
  if (found === undefined) return problem(element, `No declaration for element ${element.name}`)
  for (const [name, value] of Object.entries(element.attributes)) {
    const allowed = found.required[name] ?? found.optional?.[name]
    if (allowed === undefined) return problem(element, `No declaration for attribute ${name} of element ${element.name}`)
    if (!allowed.test(value)) return problem(element, `Value "${value}" for attribute ${name} of ${element.name} is not among the enumerated set`)
  }
  const missing = Object.keys(found.required).find((name) => element.attributes[name] === undefined)
  if (missing !== undefined) return problem(element, `Element ${element.name} does not carry attribute ${missing}`)
  const names = element.children.map(({ name }) => `${name},`).join("")
  if (!found.content.test(names) || (element.text !== "" && found.text !== true)) {
    return problem(element, `Element ${element.name} content does not follow the DTD, got (${names.replaceAll(",", " ").trim()} )`)
  }
  for (const child of element.children) {
    const inner = validate(child)
    if (inner !== undefined) return inner
  }
  return undefined
}
