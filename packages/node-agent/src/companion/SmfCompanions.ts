/** Companions as SMF services `svc:/system/reddwarf/<name>:default`. */
import * as FileSystem from "@effect/platform/FileSystem"
import { CommandLine, CommandRunner, Fmri, SmfManifest, Svcadm, Svccfg, Svcprop, Svcs } from "@reddwarf/runtime-illumos"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { createHash } from "node:crypto"
import { join } from "node:path"
import * as durableFile from "../internal/durableFile.js"
import { type Companion, CompanionError, type Owner, validate } from "./Companion.js"
import type { CompanionServices, Found, Owned, State, Step } from "./CompanionServices.js"

/** @category models */
export interface Options {
  readonly owner: Owner
  /** Folder of the manifests; created with mode 0700. */
  readonly folder: string
}

/** Group of the properties by which companions are known. @category models */
export const group = "reddwarf"
const prefix = "svc:/system/reddwarf/"

/** The service instance of a companion. @category combinators */
export const fmriOf = (name: string): Fmri.Fmri => Fmri.make(`${prefix}${name}:default`)

const hashOf = (content: string): string => createHash("sha256").update(content).digest("hex")

/** A word for the shell that runs methods; percent signs begin tokens of SMF. */
const word = (text: string): string => {
  const escaped = text.replaceAll("%", "%%")
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(escaped) ? escaped : `'${escaped.replaceAll("'", `'\\''`)}'`
}

/** The companion as a manifest. @category constructors */
export const manifestOf = ({ name, ownerUid, scope, template }: Companion, owner: Owner): SmfManifest.Manifest => ({
  service: Fmri.ServiceName.make(`system/reddwarf/${name}`),
  enabled: true,
  duration: "child",
  ignoreError: ["core", "signal"],
  dependencies: [
    { name: "filesystem", grouping: "require_all", restartOn: "none", on: ["svc:/system/filesystem/local:default"] },
    { name: "network", grouping: "optional_all", restartOn: "none", on: ["svc:/milestone/network:default"] }
  ],
  context: {
    workingDirectory: "/",
    environment: { PATH: "/usr/sbin:/usr/bin:/sbin", LC_ALL: "C", ...template.environment },
    ...(template.user === undefined ? {} : { credential: { user: template.user } })
  },
  methods: [
    { name: "start", exec: template.command.map(word).join(" "), timeoutSeconds: 60 },
    { name: "stop", exec: ":kill -TERM", timeoutSeconds: template.stopSeconds ?? 60 },
    { name: "refresh", exec: ":kill -HUP", timeoutSeconds: 10 }
  ],
  propertyGroups: [{
    name: group,
    type: "application",
    properties: [
      { name: "companion", type: "astring", value: name },
      { name: "scope", type: "astring", value: scope },
      { name: "owner", type: "astring", value: owner.clusterId },
      { name: "owner_uid", type: "astring", value: ownerUid ?? "node" },
      // Set to false by operators who look after it themselves.
      { name: "managed", type: "boolean", value: "true" }
    ]
  }],
  commonName: template.description
})

/** How long one command may take. @category models */
export const commandTimeout = "10 seconds"

const stateOf = (status: Svcs.ServiceStatus | undefined): State => {
  if (status === undefined) return "absent"
  if (status.next !== undefined || status.state === "uninitialized") return "transition"
  return status.state === "legacy_run" ? "online" : status.state
}

/**
 * SMF of this host.
 *
 * @category constructors
 */
export const make = (options: Options): Effect.Effect<CompanionServices, never, CommandRunner.CommandRunner | FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const runner = yield* CommandRunner.CommandRunner
    const fs = yield* FileSystem.FileSystem
    let statuses = new Map<string, Svcs.ServiceStatus>()

    const failed = (operation: string, companion: string) => (cause: { readonly message: string }) => new CompanionError({ operation, companion, detail: cause.message })
    const run = (operation: string, companion: string, line: CommandLine.CommandLine, classify: typeof Svcadm.classify): Step<string> =>
      runner.run(CommandLine.withTimeout(line, commandTimeout)).pipe(
        Effect.flatMap((result) => result.exitCode === 0 ? Effect.succeed(result.stdout) : Effect.fail(classify(operation, fmriOf(companion), result))),
        Effect.mapError(failed(operation, companion))
      )
    const fileOf = (name: string): string => join(options.folder, `${name}.xml`)
    const readFile = (name: string): Step<string | undefined> =>
      fs.readFileString(fileOf(name)).pipe(
        Effect.catchTag("SystemError", (error) => error.reason === "NotFound" ? Effect.succeed(undefined) : Effect.fail(error)),
        Effect.mapError(failed("read the manifest of", name))
      )
    const properties = (name: string): Step<ReadonlyMap<string, string>> =>
      run("read the properties of", name, Svcprop.read(fmriOf(name)), Svcprop.classify).pipe(
        Effect.map((text) => new Map(Svcprop.parse(text).map((property) => [`${property.group}/${property.name}`, property.values[0] ?? ""])))
      )
    const isOurs = (found: ReadonlyMap<string, string>, name: string): boolean => found.get(`${group}/companion`) === name && found.get(`${group}/owner`) === options.owner.clusterId

    const refresh: Step = Effect.map(run("list", "all", Svcs.list, Svcs.classify), (text) => {
      statuses = new Map(Svcs.parse(text).filter(({ fmri }) => fmri.startsWith(prefix)).map((status) => [status.fmri, status]))
    })

    const find = (name: string): Step<Found> =>
      Effect.gen(function*() {
        const content = yield* readFile(name)
        const fileHash = content === undefined ? undefined : hashOf(content)
        const status = statuses.get(fmriOf(name))
        if (status === undefined) return { state: "absent", fileHash, recordedHash: undefined, override: undefined }
        const found = yield* properties(name)
        // A service that happens to have the name is somebody else's.
        if (!isOurs(found, name)) {
          return yield* new CompanionError({ operation: "find", companion: name, detail: `${fmriOf(name)} exists and is not managed by this agent; rename or delete it` })
        }
        const temporarily = status.state === "disabled" && found.get("general_ovr/enabled") === "false"
        const override = found.get(`${group}/managed`) === "false" ? `property ${group}/managed is false` : temporarily ? "disabled until the next boot (svcadm disable -t)" : undefined
        return { state: stateOf(status), fileHash, recordedHash: found.get(`${group}/manifest_hash`), override }
      })

    const importFile = (name: string, content: string): Step =>
      Effect.scoped(Effect.gen(function*() {
        // The tools may see another root than this process does, as on a simulated host.
        const path = yield* Effect.mapError(runner.tempFile(`${name}.xml`, content), failed("write the manifest of", name))
        yield* run("validate", name, Svccfg.validate(path), Svccfg.classify)
        yield* run("import", name, Svccfg.importManifest(path), Svccfg.classify)
      }))

    return {
      render: (companion) =>
        Either.gen(function*() {
          const valid = yield* validate(companion)
          const { xml } = yield* Either.mapLeft(SmfManifest.render(manifestOf(valid, options.owner)), failed("render", companion.name))
          return { content: xml, hash: hashOf(xml) }
        }),
      refresh,
      find,
      install: ({ name }, { content, hash }) =>
        Effect.gen(function*() {
          yield* Effect.mapError(fs.makeDirectory(options.folder, { recursive: true, mode: 0o700 }), failed("write the manifest of", name))
          yield* Effect.mapError(Effect.provideService(durableFile.write(fileOf(name), content), FileSystem.FileSystem, fs), failed("write the manifest of", name))
          yield* importFile(name, content)
          yield* run("record the manifest of", name, Svccfg.setProperty(fmriOf(name), `${group}/manifest_hash`, "astring", hash), Svccfg.classify)
          yield* run("refresh", name, Svccfg.refresh(fmriOf(name)), Svccfg.classify)
        }),
      enable: (name) => Effect.asVoid(run("enable", name, Svcadm.enable(fmriOf(name)), Svcadm.classify)),
      clear: (name) => Effect.asVoid(run("clear", name, Svcadm.clear(fmriOf(name)), Svcadm.classify)),
      restart: (name) => Effect.asVoid(run("restart", name, Svcadm.restart(fmriOf(name)), Svcadm.classify)),
      explain: (name) =>
        Effect.map(run("explain", name, Svcs.explain(fmriOf(name)), Svcs.classify), (text) => Svcs.parseExplanations(text)[0]?.reason ?? "its dependencies are not met"),
      remove: (name) =>
        Effect.gen(function*() {
          if (statuses.has(fmriOf(name))) {
            yield* run("disable", name, CommandLine.withTimeout(Svcadm.disable(fmriOf(name), { synchronous: true }), commandTimeout), Svcadm.classify)
            yield* run("delete", name, Svccfg.remove(fmriOf(name)), Svccfg.classify)
          }
          yield* Effect.mapError(fs.remove(fileOf(name), { force: true }), failed("remove the manifest of", name))
        }),
      owned: Effect.suspend(() =>
        Effect.forEach([...statuses.keys()], (fmri) => {
          const name = fmri.slice(prefix.length, fmri.lastIndexOf(":"))
          return Effect.map(properties(name), (found): ReadonlyArray<Owned> => {
            const uid = found.get(`${group}/owner_uid`)
            return isOurs(found, name) ? [{ name, ownerUid: uid === "node" ? undefined : uid }] : []
          })
        }, { concurrency: 4 }).pipe(Effect.map((lists) => lists.flat()))
      )
    }
  })
