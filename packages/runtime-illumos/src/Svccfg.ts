/** svccfg: the repository of services. Command builders and failure texts; {@link Smf} is the operations on a host. */
import * as CommandLine from "./CommandLine.js"
import type { CommandResult } from "./CommandRunner.js"
import type * as Fmri from "./Fmri.js"
import { type HostError, HostPermissionDenied } from "./HostError.js"
import * as refusal from "./internal/refusal.js"
import { ManifestRejected, ServiceNotFound, ServicePropertyNotFound } from "./ServiceError.js"
import type { PropertyType } from "./SmfManifest.js"

const program = "/usr/sbin/svccfg"

/** Checks a manifest file without importing it; silent when it is good. @category constructors */
export const validate = (path: string): CommandLine.CommandLine => CommandLine.make(program, "validate", path)

/** Creates or updates the services of a manifest file. What administrators changed stays, and repeating it changes nothing. @category constructors */
export const importManifest = (path: string): CommandLine.CommandLine => CommandLine.make(program, "import", path)

/** Deletes an instance, or a service with its instances; `force` also when it is online. @category constructors */
export const remove = (name: Fmri.Fmri | Fmri.ServiceName, force = false): CommandLine.CommandLine =>
  CommandLine.make(program, "delete", ...(force ? ["-f"] : []), name)

const onEntity = (name: Fmri.Fmri | Fmri.ServiceName, ...words: ReadonlyArray<string>): CommandLine.CommandLine =>
  CommandLine.make(program, "-s", name, ...words)

/** svccfg joins its arguments and reads them with a lexer of its own: a value is a quoted string, with backslashes before `"` and `\`. */
const quoted = (value: string): string => `"${value.replaceAll(/["\\]/g, "\\$&")}"`

/**
 * Sets a property to one value or to a list. The instance sees it after a refresh.
 *
 * @category constructors
 */
export const setProperty = (
  name: Fmri.Fmri | Fmri.ServiceName,
  property: string,
  type: PropertyType,
  value: string | ReadonlyArray<string>
): CommandLine.CommandLine =>
  onEntity(name, "setprop", property, "=", `${type}:`, typeof value === "string" ? quoted(value) : `(${value.map(quoted).join(" ")})`)

/** Adds an empty property group. @category constructors */
export const addPropertyGroup = (name: Fmri.Fmri | Fmri.ServiceName, group: string, type: "application" | "framework"): CommandLine.CommandLine =>
  onEntity(name, "addpg", group, type)

/** Removes a property, or a property group with all that it holds. @category constructors */
export const deleteProperty = (name: Fmri.Fmri | Fmri.ServiceName, property: string): CommandLine.CommandLine =>
  onEntity(name, "delprop", property)

/** Makes the instance see its properties as they are now. @category constructors */
export const refresh = (fmri: Fmri.Fmri): CommandLine.CommandLine => onEntity(fmri, "refresh")

/** The same command on the repository of a zone, called from the global zone. Files are those of the global zone. @category combinators */
export const inZone = (zone: string, line: CommandLine.CommandLine): CommandLine.CommandLine => ({ ...line, args: ["-z", zone, ...line.args] })

/**
 * The texts by which svccfg refuses.
 *
 * @category errors
 */
export const refusals: ReadonlyArray<refusal.Row> = [
  { pattern: /couldn't parse document|Document is not valid|is not a valid manifest/, error: ManifestRejected },
  { pattern: /[Pp]ermission denied|requires authorization/, error: HostPermissionDenied },
  { pattern: /No such property|Couldn't find property/, error: ServicePropertyNotFound },
  { pattern: /doesn't match any instances or services|No such (service|instance)/, error: ServiceNotFound }
]

/**
 * The error a refusal of svccfg means.
 *
 * @category errors
 */
export const classify = (operation: string, object: string, result: CommandResult): HostError =>
  refusal.classify(refusals, operation, object, result)
