/**
 * The services of a host, or of one of its zones: imported from manifests, switched, watched. Every operation can be repeated; waiting ends.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as CommandLine from "./CommandLine.js"
import type { CommandResult, CommandRunner, CommandUnavailable } from "./CommandRunner.js"
import type * as Fmri from "./Fmri.js"
import { HostCommandFailed, type HostError } from "./HostError.js"
import * as refusal from "./internal/refusal.js"
import { until } from "./internal/retry.js"
import { ServiceInMaintenance, ServiceNotFound, ServiceStuck } from "./ServiceError.js"
import * as SmfManifest from "./SmfManifest.js"
import * as Svcadm from "./Svcadm.js"
import * as Svccfg from "./Svccfg.js"
import * as Svcprop from "./Svcprop.js"
import * as Svcs from "./Svcs.js"
import * as Zlogin from "./Zlogin.js"
import type * as ZoneName from "./ZoneName.js"

/** Whose services. @category models */
export type Place =
  | { readonly _tag: "Global" }
  /** Those of a zone, through the `-z` option of the tools. */
  | { readonly _tag: "Zone"; readonly zone: ZoneName.ZoneName }
  /** Those of a zone by running the tools inside it: for hosts whose tools have no `-z`. */
  | { readonly _tag: "Login"; readonly zone: ZoneName.ZoneName }

/** Services of the zone this program runs in. @category constructors */
export const global: Place = { _tag: "Global" }

/** Services of a zone, by the way the host offers; see {@link probeZoneOption}. @category constructors */
export const inZone = (zone: ZoneName.ZoneName, zoneOption = true): Place => ({ _tag: zoneOption ? "Zone" : "Login", zone })

/**
 * Whether the tools of this host know `-z`. One that does not ends with the status of a wrong usage.
 *
 * @category constructors
 */
export const probeZoneOption = (runner: CommandRunner["Type"]): Effect.Effect<boolean, CommandUnavailable> =>
  Effect.map(
    runner.run(Svcs.inZone("global", CommandLine.make("/usr/bin/svcs", "-H", "-o", "state", "milestone/single-user:default"))),
    ({ exitCode, stderr }) => exitCode !== 2 && !/illegal option|[Uu]sage:/.test(stderr)
  )

/** How long to wait for a service. @category models */
export interface Waiting {
  /** Default 60 seconds. */
  readonly timeout?: Duration.DurationInput
}

/** Services in one place. @category models */
export interface Smf {
  /** Every instance. */
  readonly list: Effect.Effect<ReadonlyArray<Svcs.ServiceStatus>, HostError>
  /** One instance; `undefined` when there is none of that name. */
  readonly find: (fmri: Fmri.Fmri) => Effect.Effect<Svcs.ServiceStatus | undefined, HostError>
  /** Properties as the instance runs with them; `group/name` or `group`, all when none is named. */
  readonly properties: (fmri: Fmri.Fmri, ...names: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<Svcprop.ServiceProperty>, HostError>
  /** The values of one property; `undefined` when the instance has no such property. */
  readonly property: (fmri: Fmri.Fmri, group: string, name: string) => Effect.Effect<ReadonlyArray<string> | undefined, HostError>
  /** Sets a property and lets the instance see it. */
  readonly setProperty: (
    fmri: Fmri.Fmri,
    property: string,
    type: SmfManifest.PropertyType,
    value: string | ReadonlyArray<string>
  ) => Effect.Effect<void, HostError>
  /**
   * Imports a manifest unless the instance was imported from this very one, which its digest tells. The file is checked first, and the digest
   * is read again afterwards.
   */
  readonly ensureImported: (manifest: SmfManifest.Manifest) => Effect.Effect<"imported" | "unchanged", HostError>
  /** Disables and deletes an instance and its service; nothing to do is a success. */
  readonly ensureRemoved: (fmri: Fmri.Fmri, options?: Waiting) => Effect.Effect<void, HostError>
  /** Turns an instance on and waits until it is online. Fails at once when it goes into maintenance or misses a dependency. */
  readonly enable: (fmri: Fmri.Fmri, options?: Waiting & { readonly temporary?: boolean }) => Effect.Effect<void, HostError>
  /** Turns an instance off and waits until it is disabled. */
  readonly disable: (fmri: Fmri.Fmri, options?: Waiting & { readonly temporary?: boolean }) => Effect.Effect<void, HostError>
  /** Stops and starts an instance, and waits until it is online again. */
  readonly restart: (fmri: Fmri.Fmri, options?: Waiting) => Effect.Effect<void, HostError>
  /** Makes an instance read its properties again. */
  readonly refresh: (fmri: Fmri.Fmri) => Effect.Effect<void, HostError>
  /** Lets an instance in maintenance try again. */
  readonly clear: (fmri: Fmri.Fmri) => Effect.Effect<void, HostError>
  /** Puts an instance into maintenance, or says that it is degraded. */
  readonly mark: (fmri: Fmri.Fmri, state: "degraded" | "maintenance") => Effect.Effect<void, HostError>
  /** Waits until the instance is at rest in one of these states; the one it reached. */
  readonly waitFor: (
    fmri: Fmri.Fmri,
    wanted: ReadonlyArray<Svcs.ServiceState>,
    options?: Waiting
  ) => Effect.Effect<Svcs.ServiceState, HostError>
}

const defaultTimeout = Duration.seconds(60)

type Classify = (operation: string, object: string, result: CommandResult) => HostError

/**
 * SMF through the given runner.
 *
 * @category constructors
 */
export const make = (runner: CommandRunner["Type"], place: Place = global): Smf => {
  const run = (line: CommandLine.CommandLine): Effect.Effect<CommandResult, HostError> => {
    if (place._tag === "Global") return runner.run(line)
    // svccfg, svcadm, svcs and svcprop all take the option before their subcommand.
    if (place._tag === "Zone") return runner.run({ ...line, args: ["-z", place.zone, ...line.args] })
    return Zlogin.run(runner, place.zone, [line.program, ...line.args], {
      timeout: line.timeout ?? defaultTimeout,
      ...(line.stdin === undefined ? {} : { stdin: line.stdin })
    })
  }
  const output = (operation: string, object: string, line: CommandLine.CommandLine, classify: Classify) =>
    Effect.flatMap(run(line), (result) => result.exitCode === 0 ? Effect.succeed(result.stdout) : Effect.fail(classify(operation, object, result)))

  const find = (fmri: Fmri.Fmri): Effect.Effect<Svcs.ServiceStatus | undefined, HostError> =>
    output("read the state of", fmri, Svcs.status(fmri), Svcs.classify).pipe(
      Effect.map((text) => Svcs.parse(text).find((entry) => entry.fmri === fmri)),
      Effect.catchTag("ServiceNotFound", () => Effect.succeed(undefined))
    )

  const properties = (fmri: Fmri.Fmri, ...names: ReadonlyArray<string>) =>
    Effect.map(output("read properties of", fmri, Svcprop.read(fmri, ...names), Svcprop.classify), Svcprop.parse)

  const property = (fmri: Fmri.Fmri, group: string, name: string): Effect.Effect<ReadonlyArray<string> | undefined, HostError> =>
    properties(fmri, `${group}/${name}`).pipe(
      Effect.map((found) => found.find((entry) => entry.group === group && entry.name === name)?.values),
      Effect.catchTags({
        ServicePropertyNotFound: () => Effect.succeed(undefined),
        ServiceNotFound: () => Effect.succeed(undefined)
      })
    )

  const digestOf = (fmri: Fmri.Fmri) =>
    Effect.map(property(fmri, SmfManifest.digestGroup, SmfManifest.digestProperty), (values) => values?.[0])

  /** A file where the tools of this place look for it. */
  const file = (name: string, content: string) =>
    Effect.gen(function*() {
      if (place._tag !== "Login") return yield* runner.tempFile(name, content)
      const path = `/var/tmp/${name}`
      const script = ["/bin/sh", "-c", "umask 077; cat > \"$1\"", "sh", path]
      const write = Zlogin.run(runner, place.zone, script, { timeout: defaultTimeout, stdin: content })
      const result = yield* Effect.acquireRelease(write, () =>
        Effect.ignore(Zlogin.run(runner, place.zone, ["/usr/bin/rm", "-f", path], { timeout: defaultTimeout })))
      if (result.exitCode === 0) return path
      const detail = refusal.detailOf(result)
      return yield* new HostCommandFailed({ operation: `write ${path} in zone`, object: place.zone, detail, exitCode: result.exitCode })
    })

  const stuck = (operation: string, fmri: Fmri.Fmri, last: Svcs.ServiceStatus | undefined, timeout: Duration.DurationInput) =>
    new ServiceStuck({
      operation,
      object: fmri,
      detail: `${last === undefined ? "gone" : last.next === undefined ? last.state : `${last.state} to ${last.next}`} after ${Duration.format(Duration.decode(timeout))}`
    })

  const waitFor: Smf["waitFor"] = (fmri, wanted, options = {}) => {
    const timeout = options.timeout ?? defaultTimeout
    const operation = `wait for ${wanted.join(" or ")} of`
    const atRest = (status: Svcs.ServiceStatus | undefined) => status !== undefined && status.next === undefined && wanted.includes(status.state)
    return Effect.gen(function*() {
      const read = Effect.flatMap(find(fmri), (status) => {
        if (status === undefined) return Effect.fail<HostError>(new ServiceNotFound({ operation, object: fmri, detail: "" }))
        // Nothing but an administrator ends maintenance, so there is nothing to wait for.
        return status.state === "maintenance" && status.next === undefined && !wanted.includes("maintenance")
          ? Effect.fail<HostError>(new ServiceInMaintenance({ operation, object: fmri, detail: "" }))
          : Effect.succeed(status)
      })
      const reached = yield* until(read, atRest, { interval: "200 millis", timeout, onTimeout: (last) => stuck(operation, fmri, last, timeout) })
      return reached.state
    })
  }

  /** A switch with `-s` has no limit of its own: the command is killed, and what the service does then is the answer. */
  const switched = (operation: string, fmri: Fmri.Fmri, line: CommandLine.CommandLine, wanted: Svcs.ServiceState, options: Waiting) => {
    const timeout = options.timeout ?? defaultTimeout
    return output(operation, fmri, CommandLine.withTimeout(line, timeout), Svcadm.classify).pipe(
      Effect.catchIf(
        (error) => error._tag === "CommandUnavailable" && error.reason === "Timeout",
        () => Effect.flatMap(find(fmri), (last) => last?.state === wanted && last.next === undefined ? Effect.void : stuck(operation, fmri, last, timeout))
      ),
      Effect.asVoid
    )
  }

  const simple = (operation: string, fmri: Fmri.Fmri, line: CommandLine.CommandLine) => Effect.asVoid(output(operation, fmri, line, Svcadm.classify))

  const disable: Smf["disable"] = (fmri, options = {}) =>
    switched("disable", fmri, Svcadm.disable(fmri, { synchronous: true, temporary: options.temporary ?? false }), "disabled", options)

  return {
    list: Effect.map(output("list services of", "this host", Svcs.list, Svcs.classify), Svcs.parse),
    find,
    properties,
    property,
    setProperty: (fmri, name, type, value) =>
      Effect.zipRight(
        output(`set ${name} of`, fmri, Svccfg.setProperty(fmri, name, type, value), Svccfg.classify),
        Effect.asVoid(output("refresh", fmri, Svccfg.refresh(fmri), Svccfg.classify))
      ),
    ensureImported: (manifest) =>
      Effect.gen(function*() {
        const { digest, fmri, xml } = yield* SmfManifest.render(manifest)
        if ((yield* digestOf(fmri)) === digest) return "unchanged" as const
        const path = yield* file(`${fmri.slice("svc:/".length).replaceAll(/[^A-Za-z0-9.-]/g, "-")}.xml`, xml)
        yield* output("validate the manifest of", fmri, Svccfg.validate(path), Svccfg.classify)
        yield* output("import the manifest of", fmri, Svccfg.importManifest(path), Svccfg.classify)
        const imported = yield* digestOf(fmri)
        if (imported === digest) return "imported" as const
        return yield* new HostCommandFailed({
          operation: "import the manifest of",
          object: fmri,
          detail: `afterwards its digest is ${imported ?? "not there"} instead of ${digest}; an administrator may have changed it`,
          exitCode: 0
        })
      }).pipe(Effect.scoped),
    ensureRemoved: (fmri, options = {}) =>
      Effect.gen(function*() {
        const present = yield* find(fmri)
        if (present === undefined) return
        if (present.state !== "disabled" || present.next !== undefined) yield* disable(fmri, options)
        yield* output("delete", fmri, Svccfg.remove(fmri), Svccfg.classify)
      }),
    enable: (fmri, options = {}) =>
      switched("enable", fmri, Svcadm.enable(fmri, { synchronous: true, temporary: options.temporary ?? false }), "online", options),
    disable,
    restart: (fmri, options = {}) => Effect.zipRight(simple("restart", fmri, Svcadm.restart(fmri)), Effect.asVoid(waitFor(fmri, ["online", "degraded"], options))),
    refresh: (fmri) => simple("refresh", fmri, Svcadm.refresh(fmri)),
    clear: (fmri) => simple("clear", fmri, Svcadm.clear(fmri)),
    mark: (fmri, state) => simple(`mark ${state}`, fmri, Svcadm.mark(fmri, state)),
    waitFor
  }
}
