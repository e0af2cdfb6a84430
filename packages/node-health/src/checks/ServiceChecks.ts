/** Checks of what listens or runs on the node: `okd_router_1936`, `http:`, `tcp:`, `kubelet`, `smf:`, `unit:`, `time_sync`. */
import { CommandLine, Fmri, Svcs } from "@reddwarf/runtime-illumos"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HealthCheck from "../HealthCheck.js"
import type * as HostReader from "../HostReader.js"
import * as Observation from "../Observation.js"

const second = Duration.seconds(1)

/** `GET` of a URL of this node: any 2xx passes, redirects are not followed. */
const answers2xx = (host: HostReader.Service, url: string): Effect.Effect<Observation.Observation> =>
  host.get(url).pipe(
    Effect.map(({ status }) => status >= 200 && status < 300 ? Observation.pass() : Observation.fail(`status ${status}`)),
    Effect.catchAll((error) => Effect.succeed(Observation.fail(error.code)))
  )

/** `okd_router_1936`. @category constructors */
export const okdRouter = (host: HostReader.Service, tuning?: HealthCheck.Tuning): HealthCheck.HealthCheck =>
  HealthCheck.make(
    { name: "okd_router_1936", timeout: Duration.seconds(5), cacheTtl: second, onUnknown: "fail" },
    tuning,
    () => answers2xx(host, "http://127.0.0.1:1936/healthz/ready")
  )

const portOf = (text: string): number | undefined => /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535 ? Number(text) : undefined

/** `http:<port>/<path>` on the loopback interface; undefined when the name has another form. @category constructors */
export const http = (host: HostReader.Service, name: string, tuning?: HealthCheck.Tuning): HealthCheck.HealthCheck | undefined => {
  const [, digits = "", path = ""] = /^http:(\d{1,5})(\/[A-Za-z0-9._~/-]*)$/.exec(name) ?? []
  const port = portOf(digits)
  return port === undefined ? undefined : HealthCheck.make(
    { name, timeout: Duration.seconds(2), cacheTtl: second, onUnknown: "fail" },
    tuning,
    () => answers2xx(host, `http://127.0.0.1:${port}${path}`)
  )
}

/** `tcp:<port>` on the loopback interface. @category constructors */
export const tcp = (host: HostReader.Service, name: string, tuning?: HealthCheck.Tuning): HealthCheck.HealthCheck | undefined => {
  const port = portOf(name.slice("tcp:".length))
  return port === undefined ? undefined : HealthCheck.make(
    { name, timeout: Duration.seconds(2), cacheTtl: second, onUnknown: "fail" },
    tuning,
    () => Effect.match(host.connect({ host: "127.0.0.1", port }), { onFailure: (code) => Observation.fail(code), onSuccess: () => Observation.pass() })
  )
}

/** The state of one SMF instance; undefined when it cannot be read. */
const smfState = (host: HostReader.Service, fmri: Fmri.Fmri, timeout: Duration.Duration): Effect.Effect<Svcs.ServiceState | "absent" | undefined> =>
  host.run(Svcs.status(fmri), timeout).pipe(
    Effect.map((result) => Svcs.parse(result.stdout).find((entry) => entry.fmri === fmri)?.state ?? (/doesn't match any instances/.test(result.stderr) ? "absent" : undefined)),
    Effect.orElseSucceed(() => undefined)
  )

/** `smf:<fmri>`: the service is online. @category constructors */
export const smf = (host: HostReader.Service, name: string, tuning?: HealthCheck.Tuning): HealthCheck.HealthCheck | undefined => {
  const fmri = name.slice("smf:".length)
  if (!Fmri.is(fmri)) return undefined
  return HealthCheck.make({ name, timeout: Duration.seconds(2), cacheTtl: Duration.seconds(2), onUnknown: "fail" }, tuning, (timeout) =>
    Effect.map(smfState(host, fmri, timeout), (state) =>
      state === "online" ? Observation.pass() : state === undefined ? Observation.unknown("svcs gives no answer") : Observation.fail(`svc ${state}`)))
}

/** `unit:<name>`: the unit of systemd is active. @category constructors */
export const unit = (host: HostReader.Service, name: string, tuning?: HealthCheck.Tuning): HealthCheck.HealthCheck | undefined => {
  const unitName = name.slice("unit:".length)
  if (!/^[A-Za-z0-9][A-Za-z0-9:_.@-]*$/.test(unitName)) return undefined
  return HealthCheck.make({ name, timeout: Duration.seconds(2), cacheTtl: Duration.seconds(2), onUnknown: "fail" }, tuning, (timeout) =>
    host.run(CommandLine.make("/usr/bin/systemctl", "is-active", "--", unitName), timeout).pipe(
      Effect.map(({ stdout }) => stdout.trim() === "active" ? Observation.pass() : Observation.fail(`unit ${stdout.trim() === "" ? "unknown" : stdout.trim()}`)),
      Effect.orElseSucceed(() => Observation.unknown("systemctl gives no answer"))
    ))
}

/** @category models */
export interface KubeletOptions {
  /** Default `http://127.0.0.1:10248/healthz`. */
  readonly url?: string
  /** The SMF instance of the agent, asked on illumos. */
  readonly service?: Fmri.Fmri
  /** Whether a degraded service passes. Default no. */
  readonly allowDegraded?: boolean
}

/** What the state of the agent's service adds: it only overrides a pass. @category combinators */
export const overridden = (healthz: Observation.Observation, state: Svcs.ServiceState | "absent" | undefined, allowDegraded: boolean): Observation.Observation => {
  if (healthz.observed !== "pass" || state === undefined || state === "online" || state === "absent") return healthz
  if (state === "maintenance") return Observation.fail("svc in maintenance")
  return state === "degraded" && allowDegraded ? healthz : state === "legacy_run" ? healthz : Observation.fail(`svc ${state}`)
}

/** `kubelet`: the agent answers 200; on illumos its service is also online. @category constructors */
export const kubelet = (host: HostReader.Service, options: KubeletOptions = {}, tuning?: HealthCheck.Tuning): HealthCheck.HealthCheck =>
  HealthCheck.make({ name: "kubelet", timeout: second, cacheTtl: second, onUnknown: "fail" }, tuning, (timeout) => {
    const healthz = host.get(options.url ?? "http://127.0.0.1:10248/healthz").pipe(
      Effect.map(({ status }) => status === 200 ? Observation.pass() : Observation.fail(`status ${status}`)),
      Effect.catchAll((error) => Effect.succeed(Observation.fail(error.code)))
    )
    const { service } = options
    if (host.platform !== "illumos" || service === undefined) return healthz
    // A slow svcs must not turn a good answer into a timeout.
    const limit = Duration.millis(Duration.toMillis(timeout) * 0.8)
    return Effect.zipWith(
      healthz,
      smfState(host, service, limit).pipe(Effect.timeoutTo({ duration: limit, onSuccess: (state) => state, onTimeout: () => undefined })),
      (observation, state) => overridden(observation, state, options.allowDegraded ?? false),
      { concurrent: true }
    )
  })

/** Offset from the time source in seconds by `chronyc -c tracking`; undefined without a source. @category combinators */
export const parseChrony = (text: string): number | undefined => {
  const fields = (text.trim().split("\n")[0] ?? "").split(",")
  const offset = Number(fields[4])
  return fields.length < 14 || !Number.isFinite(offset) || fields[2] === "0" || fields.at(-1) === "Not synchronised" ? undefined : offset
}

/** Offset from the chosen peer in seconds by `ntpq -pn`; undefined when none is chosen. @category combinators */
export const parseNtpq = (text: string): number | undefined => {
  const words = text.split("\n").find((line) => line.startsWith("*"))?.trim().split(/\s+/) ?? []
  const offset = Number(words[8])
  return words.length < 10 || !Number.isFinite(offset) ? undefined : offset / 1000
}

/** `time_sync`: the clock is within a second of its source. @category constructors */
export const timeSync = (host: HostReader.Service, maxOffsetSeconds = 1, tuning?: HealthCheck.Tuning): HealthCheck.HealthCheck =>
  HealthCheck.make({ name: "time_sync", timeout: second, cacheTtl: Duration.seconds(10), onUnknown: "pass" }, tuning, (timeout) => {
    const offsetBy = (line: CommandLine.CommandLine, parse: (text: string) => number | undefined) =>
      Effect.match(host.run(line, timeout), { onFailure: () => undefined, onSuccess: ({ exitCode, stdout }) => exitCode === 0 ? parse(stdout) : undefined })
    return Effect.map(
      Effect.all([
        offsetBy(CommandLine.make("/usr/bin/chronyc", "-c", "tracking"), parseChrony),
        offsetBy(CommandLine.make(host.platform === "illumos" ? "/usr/sbin/ntpq" : "/usr/bin/ntpq", "-pn"), parseNtpq)
      ], { concurrency: 2 }),
      ([chrony, ntpq]) => {
        const offset = chrony ?? ntpq
        if (offset === undefined) return Observation.unknown("no source of time answers")
        return Math.abs(offset) > maxOffsetSeconds ? Observation.fail(`the clock is ${offset.toFixed(3)} s off`) : Observation.pass()
      }
    )
  })
