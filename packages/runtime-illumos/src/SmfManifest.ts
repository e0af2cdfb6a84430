/**
 * Manifests of SMF services as typed data, and their XML. Elements come in the order that the DTD of the host asks for, values are escaped,
 * and what no manifest can hold is refused before a host sees it.
 */
import { createHash } from "node:crypto"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import * as Fmri from "./Fmri.js"
import { type Element, element, isWritable, print } from "./internal/xml.js"
import { ManifestRejected } from "./ServiceError.js"

/** A service, or files, that must be there first. @category models */
export interface Dependency {
  readonly name: string
  /** All of them, any of them, none of them, or all of those that are installed and enabled. */
  readonly grouping: "require_all" | "require_any" | "exclude_all" | "optional_all"
  /** Which ends of a dependency restart this service: none, hardware errors, restarts and errors, or also refreshes. */
  readonly restartOn: "none" | "error" | "restart" | "refresh"
  /** Services by FMRI (with or without instance), or files by `file://localhost/path`. */
  readonly type?: "service" | "path"
  readonly on: ReadonlyArray<string>
}

/** A service that is made to depend on this one. @category models */
export interface Dependent {
  readonly name: string
  readonly grouping: Dependency["grouping"]
  readonly restartOn: Dependency["restartOn"]
  readonly fmri: string
}

/** In what surroundings methods run. Absent parts are those of the restarter: root, `/`, a fixed `PATH`. @category models */
export interface MethodContext {
  /** Absolute path. */
  readonly workingDirectory?: string
  readonly project?: string
  readonly resourcePool?: string
  readonly credential?: {
    readonly user: string
    readonly group?: string
    /** Comma separated groups. */
    readonly supplementaryGroups?: string
    /** Comma separated privileges, such as `basic,net_privaddr`. */
    readonly privileges?: string
    readonly limitPrivileges?: string
  }
  readonly environment?: Readonly<Record<string, string>>
}

/** How an instance is started, stopped or told to read its settings again. @category models */
export interface Method {
  readonly name: "start" | "stop" | "refresh"
  /**
   * A command line for a shell, `:true`, or `:kill` with an optional signal. `%{group/property}` and `%f`, `%i`, `%m`, `%r`, `%s` are replaced;
   * a percent sign is written `%%`.
   */
  readonly exec: string
  /** 0 means no limit. */
  readonly timeoutSeconds: number
  readonly context?: MethodContext
}

/** Types of property values. @category models */
export type PropertyType =
  | "astring"
  | "ustring"
  | "boolean"
  | "count"
  | "integer"
  | "time"
  | "fmri"
  | "uri"
  | "host"
  | "hostname"
  | "net_address_v4"
  | "net_address_v6"

/** A property: one value, or a list of them. @category models */
export interface Property {
  readonly name: string
  readonly type: PropertyType
  readonly value: string | ReadonlyArray<string>
}

/** Properties that belong together. @category models */
export interface PropertyGroup {
  readonly name: string
  /** `application` for what the service itself reads, `framework` for what the restarter reads. */
  readonly type: "application" | "framework"
  readonly properties: ReadonlyArray<Property>
}

/** A service with its instance `default`. @category models */
export interface Manifest {
  readonly service: Fmri.ServiceName
  /** Name of the bundle, for messages. Default the service. */
  readonly name?: string
  readonly version?: number
  /** Whether the instance is enabled when it is imported for the first time; later imports leave the administrator's choice alone. */
  readonly enabled: boolean
  /**
   * How long the service lives: as long as any process of its contract, as long as the start method itself (`child`), or without any process
   * (`transient`).
   */
  readonly duration: "contract" | "child" | "transient"
  /** Ends that are not taken for the end of the service. */
  readonly ignoreError?: ReadonlyArray<"core" | "signal">
  readonly dependencies?: ReadonlyArray<Dependency>
  readonly dependents?: ReadonlyArray<Dependent>
  readonly context?: MethodContext
  readonly methods: ReadonlyArray<Method>
  readonly propertyGroups?: ReadonlyArray<PropertyGroup>
  readonly stability?: "Standard" | "Stable" | "Evolving" | "Unstable" | "External" | "Obsolete"
  readonly commonName: string
  readonly description?: string
}

/** The property group and the property that hold the digest of the manifest an instance was imported from. @category models */
export const digestGroup = "manifest"
/** @category models */
export const digestProperty = "digest"

const word = /^[A-Za-z][A-Za-z0-9_.,-]*$/
const tokens = /%(?:[%fimrs]|\{[A-Za-z][A-Za-z0-9_,-]*(?:\/[A-Za-z][A-Za-z0-9_,-]*)?(?::[a-z])?\})/g
const special = /^:(?:true|kill(?:\s+-(?:[A-Z]+[0-9]*|\d+))?)$/

const valuePatterns: Readonly<Partial<Record<PropertyType, RegExp>>> = {
  boolean: /^(?:true|false|0|1)$/,
  count: /^\d{1,20}$/,
  integer: /^-?\d{1,19}$/,
  time: /^\d+(?:\.\d{1,9})?$/,
  fmri: /^(?:svc|lrc):/,
  uri: /^[A-Za-z][A-Za-z0-9+.-]*:/
}

const valuesOf = ({ value }: Property): ReadonlyArray<string> => typeof value === "string" ? [value] : value

const duplicate = (names: ReadonlyArray<string>): string | undefined => names.find((name, index) => names.indexOf(name) !== index)

const contextProblem = (context: MethodContext | undefined): string | undefined => {
  if (context === undefined) return undefined
  const { environment = {}, workingDirectory } = context
  if (workingDirectory !== undefined && !workingDirectory.startsWith("/") && !workingDirectory.startsWith(":")) {
    return `working directory ${workingDirectory} is not absolute`
  }
  const variable = Object.keys(environment).find((name) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
  return variable === undefined ? undefined : `${JSON.stringify(variable)} is not the name of a variable`
}

const methodProblem = ({ context, exec, name, timeoutSeconds }: Method): string | undefined => {
  if (!Number.isInteger(timeoutSeconds) || timeoutSeconds < 0) return `time limit of ${name} is not a number of seconds`
  if (exec.trim() === "") return `method ${name} runs nothing`
  if (exec.startsWith(":") && !special.test(exec)) return `method ${name}: ${exec} is neither :true nor :kill`
  if (exec.replaceAll(tokens, "").includes("%")) return `method ${name}: a percent sign that begins no token must be written %%`
  return contextProblem(context)
}

const groupProblem = ({ name, properties }: PropertyGroup): string | undefined => {
  if (!word.test(name)) return `${JSON.stringify(name)} is not the name of a property group`
  if (name === digestGroup) return `the property group ${name} belongs to the digest of the manifest`
  if (name === "startd") return "the property group startd is written from duration and ignoreError"
  const twice = duplicate(properties.map((property) => property.name))
  if (twice !== undefined) return `property ${name}/${twice} is there twice`
  for (const property of properties) {
    if (!word.test(property.name)) return `${JSON.stringify(property.name)} is not the name of a property`
    const pattern = valuePatterns[property.type]
    const bad = valuesOf(property).find((value) => pattern !== undefined && !pattern.test(value))
    if (bad !== undefined) return `property ${name}/${property.name}: ${JSON.stringify(bad)} is no value of type ${property.type}`
  }
  return undefined
}

const dependencyProblem = ({ name, on, type = "service" }: Dependency): string | undefined => {
  if (!word.test(name)) return `${JSON.stringify(name)} is not the name of a dependency`
  if (on.length === 0) return `dependency ${name} names nothing`
  const bad = on.find((value) => type === "path" ? !value.startsWith("file://localhost/") : !/^svc:\/[A-Za-z]/.test(value))
  return bad === undefined ? undefined : `dependency ${name}: ${bad} is no ${type === "path" ? "file://localhost/ path" : "service FMRI"}`
}

const texts = (value: unknown): ReadonlyArray<string> =>
  typeof value === "string" ? [value] : typeof value === "object" && value !== null ? Object.values(value).flatMap(texts) : []

const isServiceName = Schema.is(Fmri.ServiceName)

const problemOf = (manifest: Manifest): string | undefined => {
  if (!isServiceName(manifest.service)) return `${JSON.stringify(manifest.service)} is not the name of a service`
  const { dependencies = [], dependents = [], methods, propertyGroups = [] } = manifest
  // The framework keeps dependencies, methods and property groups of a service under one set of names.
  const twice = duplicate([...dependencies, ...dependents, ...methods, ...propertyGroups].map(({ name }) => name))
  if (twice !== undefined) return `the name ${twice} is there twice`
  if (manifest.commonName === "") return "the common name is empty"
  for (const name of ["start", "stop"] as const) {
    if (!methods.some((method) => method.name === name)) return `the method ${name} is missing`
  }
  const bad = texts(manifest).find((text) => !isWritable(text))
  if (bad !== undefined) return `${JSON.stringify(bad)} holds a character that XML cannot hold`
  return [
    contextProblem(manifest.context),
    ...dependencies.map(dependencyProblem),
    ...methods.map(methodProblem),
    ...propertyGroups.map(groupProblem)
  ].find((problem) => problem !== undefined)
}

const contextElements = (context: MethodContext | undefined): ReadonlyArray<Element> => {
  if (context === undefined) return []
  const { credential, environment = {}, project, resourcePool, workingDirectory } = context
  const variables = Object.entries(environment).map(([name, value]) => element("envvar", { name, value }))
  return [element("method_context", { working_directory: workingDirectory, project, resource_pool: resourcePool }, [
    ...(credential === undefined ? [] : [element("method_credential", {
      user: credential.user,
      group: credential.group,
      supp_groups: credential.supplementaryGroups,
      privileges: credential.privileges,
      limit_privileges: credential.limitPrivileges
    })]),
    ...(variables.length === 0 ? [] : [element("method_environment", {}, variables)])
  ])]
}

const propertyElement = ({ name, type, value }: Property): Element =>
  typeof value === "string"
    ? element("propval", { name, type, value })
    : element("property", { name, type }, value.length === 0 ? [] : [element(`${type}_list`, {}, value.map((item) => element("value_node", { value: item })))])

const groupElement = ({ name, properties, type }: PropertyGroup): Element =>
  element("property_group", { name, type }, properties.map(propertyElement))

const restarterGroup = ({ duration, ignoreError = [] }: Manifest): PropertyGroup => ({
  name: "startd",
  type: "framework",
  properties: [
    { name: "duration", type: "astring", value: duration },
    ...(ignoreError.length === 0 ? [] : [{ name: "ignore_error", type: "astring" as const, value: ignoreError.join(",") }])
  ]
})

const documentOf = (manifest: Manifest, groups: ReadonlyArray<PropertyGroup>): string => {
  const { commonName, context, dependencies = [], dependents = [], description, enabled, methods, service, stability = "Unstable", version = 1 } = manifest
  const localized = (text: string) => [element("loctext", { "xml:lang": "C" }, text)]
  const bundle = element("service_bundle", { type: "manifest", name: manifest.name ?? service.replaceAll("/", "-") }, [
    element("service", { name: service, type: "service", version: String(version) }, [
      element("create_default_instance", { enabled: String(enabled) }),
      element("single_instance"),
      ...dependencies.map(({ grouping, name, on, restartOn, type = "service" }) =>
        element("dependency", { name, grouping, restart_on: restartOn, type }, on.map((value) => element("service_fmri", { value })))),
      ...dependents.map(({ fmri, grouping, name, restartOn }) =>
        element("dependent", { name, grouping, restart_on: restartOn }, [element("service_fmri", { value: fmri })])),
      ...contextElements(context),
      ...methods.map((method) =>
        element("exec_method", { type: "method", name: method.name, exec: method.exec, timeout_seconds: String(method.timeoutSeconds) }, contextElements(method.context))),
      ...groups.map(groupElement),
      element("stability", { value: stability }),
      element("template", {}, [
        element("common_name", {}, localized(commonName)),
        ...(description === undefined ? [] : [element("description", {}, localized(description))])
      ])
    ])
  ])
  return `<?xml version="1.0"?>\n<!DOCTYPE service_bundle SYSTEM "/usr/share/lib/xml/dtd/service_bundle.dtd.1">\n${print(bundle)}`
}

/** A manifest as a file, and the digest that tells it from other versions. @category models */
export interface Rendered {
  readonly xml: string
  /** SHA-256 of everything the manifest says but the digest itself, in hexadecimal; the file holds it as `manifest/digest`. */
  readonly digest: string
  readonly fmri: Fmri.Fmri
}

/**
 * The manifest as XML for `svccfg import`. It holds its own digest as a property, so a host tells which manifest it has imported. The same
 * manifest gives the same text.
 *
 * @category constructors
 */
export const render = (manifest: Manifest): Either.Either<Rendered, ManifestRejected> => {
  const problem = problemOf(manifest)
  if (problem !== undefined) {
    return Either.left(new ManifestRejected({ operation: "write the manifest of", object: manifest.service, detail: problem }))
  }
  const groups = [...(manifest.propertyGroups ?? []), restarterGroup(manifest)]
  const digest = createHash("sha256").update(documentOf(manifest, groups)).digest("hex")
  const marked: PropertyGroup = { name: digestGroup, type: "application", properties: [{ name: digestProperty, type: "astring", value: digest }] }
  return Either.right({ xml: documentOf(manifest, [...groups, marked]), digest, fmri: Fmri.of(manifest.service) })
}
