/** `svccfg`: manifests and properties. One command on the command line, or a file of them. */
import * as fs from "node:fs"
import * as Effect from "effect/Effect"
import type { HostContext, LongCommand } from "../CommandContext.js"
import { getopt, hasFlag, lastValue } from "../internal/getopt.js"
import { fail, ok, result, type Result } from "../internal/result.js"
import * as Access from "./Access.js"
import * as Manifest from "./Manifest.js"
import { matching } from "./Names.js"
import type { Repository } from "./Repository.js"
import * as Restarter from "./Restarter.js"
import type { Instance, Property } from "./State.js"

const usage = "Usage:\n\tsvccfg [-v] [-z zone]\n\tsvccfg [-v] [-z zone] -f <file>\n\tsvccfg [-v] [-z zone] [-s <FMRI>] <command> [args ...]"

const readText = (context: HostContext, path: string): string | undefined => {
  const real = context.files.locate(path)
  return real === undefined || fs.statSync(real, { throwIfNoEntry: false })?.isFile() !== true ? undefined : fs.readFileSync(real, "utf8")
}

/** Words, quoted strings and the signs `=`, `(`, `)`; nothing when a quote is not closed. */
const tokenize = (text: string): ReadonlyArray<string> | undefined => {
  const found: Array<string> = []
  const pattern = /\s*(?:("(?:[^"\\]|\\[^])*")|([=()])|([^\s"=()]+))/gy
  while (pattern.lastIndex < text.trimEnd().length) {
    const match = pattern.exec(text)
    if (match === null) return undefined
    found.push(match[1] ?? match[2] ?? match[3] ?? "")
  }
  return found
}

const unquote = (token: string): string => token.startsWith("\"") ? token.slice(1, -1).replaceAll(/\\([^])/g, "$1") : token

const same = (a: Property | undefined, b: Property | undefined): boolean => JSON.stringify(a) === JSON.stringify(b)

/** What an administrator changed stays; everything else becomes as the manifest says. */
const upgrade = (instance: Instance, described: Manifest.Described): void => {
  const merged: Record<string, Property> = {}
  for (const [key, property] of Object.entries(instance.properties)) {
    const untouched = same(property, instance.imported[key])
    if (described.properties[key] === undefined ? !untouched : !untouched && !described.override.has(key) && instance.imported[key] !== undefined) merged[key] = property
  }
  for (const [key, property] of Object.entries(described.properties)) merged[key] ??= property
  instance.properties = merged
  instance.imported = structuredClone(described.properties)
  instance.groups = { ...instance.groups, ...described.groups }
  instance.dependencies = described.dependencies
  instance.duration = described.duration
  instance.commonName = described.commonName
  delete instance.running
}

const importManifest = (context: HostContext, repository: Repository, path: string): Result => {
  const reading = Manifest.read(path, readText(context, path))
  if ("refused" in reading) return fail(reading.refused)
  for (const described of reading.instances) {
    const present = repository.instances.find(({ fmri }) => fmri === described.fmri)
    if (present !== undefined) {
      upgrade(present, described)
      continue
    }
    repository.instances.push({
      fmri: described.fmri,
      commonName: described.commonName,
      duration: described.duration,
      dependencies: described.dependencies,
      groups: { ...described.groups },
      properties: { ...described.properties },
      imported: structuredClone(described.properties),
      enabled: described.enabled,
      state: "uninitialized",
      since: context.now,
      contract: 0,
      reason: "",
      failures: 0,
      comment: ""
    })
  }
  return ok()
}

const remove = (repository: Repository, words: ReadonlyArray<string>): Result => {
  const parsed = getopt(words, "f")
  const [pattern] = parsed.operands
  if (parsed.error !== undefined || pattern === undefined || parsed.operands.length > 1) return fail("Syntax error.", 1)
  const found = matching(repository, pattern)
  if (found.length === 0) return fail(`svccfg: Pattern '${pattern}' doesn't match any instances or services`)
  const online = found.find(Restarter.isUp)
  if (online !== undefined && !hasFlag(parsed, "f")) return fail(`svccfg: Instance "${online.fmri}" is in state ${online.state}; it must be disabled before it can be deleted.`)
  repository.instances = repository.instances.filter((instance) => !found.includes(instance))
  return ok()
}

/** Before the first change after a refresh, what the instance runs with is put aside. */
const edit = (instance: Instance, change: (properties: Record<string, Property>) => void): void => {
  instance.running ??= structuredClone(instance.properties)
  change(instance.properties)
  if (JSON.stringify(instance.running) === JSON.stringify(instance.properties)) delete instance.running
}

const setProperty = (instances: ReadonlyArray<Instance>, words: ReadonlyArray<string>): Result => {
  const [name = "", sign, ...rest] = words
  const [group = "", property] = name.split("/")
  const type = /^([a-z][a-z0-9_]*):$/.exec(rest[0] ?? "")?.[1]
  const given = type === undefined ? rest : rest.slice(1)
  const listed = given[0] === "(" && given.at(-1) === ")"
  const values = (listed ? given.slice(1, -1) : given).map(unquote)
  if (property === undefined || sign !== "=" || (!listed && values.length !== 1)) return fail("svccfg: Syntax error.")
  for (const instance of instances) {
    const known = instance.properties[name]
    if (instance.groups[group] === undefined) return fail(`svccfg: No such property group "${group}".`)
    const chosen = type ?? known?.type
    if (chosen === undefined) return fail(`svccfg: Type required for new properties.`)
    edit(instance, (properties) => {
      properties[name] = { type: chosen, values }
    })
  }
  return ok()
}

const addValue = (instances: ReadonlyArray<Instance>, [name = "", ...words]: ReadonlyArray<string>): Result => {
  const value = words.at(-1)
  if (value === undefined) return fail("svccfg: Syntax error.")
  for (const instance of instances) {
    const known = instance.properties[name]
    if (known === undefined) return fail(`svccfg: No such property "${name}".`)
    edit(instance, (properties) => {
      properties[name] = { type: known.type, values: [...known.values, unquote(value)] }
    })
  }
  return ok()
}

const deleteProperty = (instances: ReadonlyArray<Instance>, [name = ""]: ReadonlyArray<string>): Result => {
  for (const instance of instances) {
    const keys = Object.keys(instance.properties).filter((key) => key === name || key.startsWith(`${name}/`))
    if (keys.length === 0 && instance.groups[name] === undefined) return fail(`svccfg: No such property${name.includes("/") ? "" : " group"} "${name}".`)
    edit(instance, (properties) => {
      for (const key of keys) delete properties[key]
    })
    if (!name.includes("/")) delete instance.groups[name]
  }
  return ok()
}

const addGroup = (instances: ReadonlyArray<Instance>, [name = "", type = ""]: ReadonlyArray<string>): Result => {
  if (!/^[A-Za-z][A-Za-z0-9_.,-]*$/.test(name) || type === "") return fail("svccfg: Syntax error.")
  for (const instance of instances) {
    if (instance.groups[name] !== undefined) return fail(`svccfg: Could not create property group (already exists).`)
    instance.groups[name] = type
  }
  return ok()
}

const listProperties = (instances: ReadonlyArray<Instance>, [pattern = "*"]: ReadonlyArray<string>): Result => {
  const test = new RegExp(`^${pattern.replaceAll(/[.+^${}()|\\]/g, "\\$&").replaceAll("*", ".*")}(/.*)?$`)
  const lines = instances.flatMap(({ properties }) =>
    Object.entries(properties).filter(([name]) => test.test(name)).map(([name, { type, values }]) =>
      `${name.padEnd(24)} ${type.padEnd(10)} ${values.map((value) => /[\s"\\]/.test(value) ? `"${value.replaceAll(/["\\]/g, "\\$&")}"` : value).join(" ")}`.trimEnd()))
  return result(0, lines.length === 0 ? "" : `${lines.join("\n")}\n`)
}

const onSelection = (selection: string | undefined, repository: Repository, act: (instances: ReadonlyArray<Instance>) => Result): Result => {
  if (selection === undefined) return fail("svccfg: No entity is selected.")
  const found = matching(repository, selection)
  return found.length === 0 ? fail(`svccfg: Pattern '${selection}' doesn't match any instances or services`) : act(found)
}

interface Session {
  readonly context: HostContext
  readonly repository: Repository
  selection: string | undefined
}

const execute = (session: Session, words: ReadonlyArray<string>): Result => {
  const { context, repository, selection } = session
  const [command = "", ...rest] = words
  const path = unquote(rest[0] ?? "")
  const selected = (act: (instances: ReadonlyArray<Instance>) => Result) => onSelection(selection, repository, act)
  switch (command) {
    case "validate": {
      if (rest.length !== 1) return fail("svccfg: Syntax error.")
      if (path.startsWith("svc:")) return onSelection(path, repository, () => ok())
      const reading = Manifest.read(path, readText(context, path))
      return "refused" in reading ? fail(reading.refused) : ok()
    }
    case "import":
      return rest.length === 1 ? importManifest(context, repository, path) : fail("svccfg: Syntax error.")
    case "delete":
      return remove(repository, rest)
    case "select":
      session.selection = path
      return onSelection(path, repository, () => ok())
    case "setprop":
      return selected((instances) => setProperty(instances, rest))
    case "addpropvalue":
      return selected((instances) => addValue(instances, rest))
    case "delprop":
    case "delpg":
      return selected((instances) => deleteProperty(instances, rest))
    case "addpg":
      return selected((instances) => addGroup(instances, rest))
    case "listprop":
      return selected((instances) => listProperties(instances, rest))
    case "refresh":
      return selected((instances) => {
        for (const instance of instances) delete instance.running
        return ok()
      })
    case "list": {
      const services = [...new Set(repository.instances.map(({ fmri }) => fmri.slice("svc:/".length, fmri.lastIndexOf(":"))))].sort()
      return result(0, `${services.join("\n")}\n`)
    }
    default:
      return fail(`svccfg: Syntax error: unknown command "${command}".`)
  }
}

/** `svccfg …`. @category commands */
export const run: LongCommand = (host, line) =>
  Effect.gen(function*() {
    const parsed = getopt(line.args, "vf:s:z:?")
    if (parsed.error !== undefined || hasFlag(parsed, "?")) return fail(usage, 2)
    const file = lastValue(parsed, "f")
    return yield* Access.step(host, "svccfg", lastValue(parsed, "z") ?? "global", (repository, context): Result => {
      const { account } = context.host
      if (account !== undefined && account.uid !== 0) return fail("svccfg: Permission denied.")
      const session: Session = { context, repository, selection: lastValue(parsed, "s") }
      // Arguments are joined and read again, as one line.
      const text = file === undefined ? parsed.operands.join(" ") : file === "-" ? line.stdin ?? "" : readText(context, file)
      if (text === undefined) return fail(`svccfg: Could not open "${file ?? ""}": No such file or directory`)
      const lines = (parsed.operands.length > 0 && file === undefined ? [text] : text.split("\n")).filter((command) => command.trim() !== "" && !command.trimStart().startsWith("#"))
      if (lines.length === 0 && file === undefined) return fail(usage, 2)
      const results = lines.map((command) => {
        const words = tokenize(command)
        return words === undefined ? fail("svccfg: Syntax error.") : execute(session, words)
      })
      const failed = results.find(({ exitCode }) => exitCode !== 0)
      return { exitCode: failed?.exitCode ?? 0, stdout: results.map(({ stdout }) => stdout).join(""), stderr: results.map(({ stderr }) => stderr).join("") }
    })
  })
